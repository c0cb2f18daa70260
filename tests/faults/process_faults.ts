/**
 * Faults of processes and their streams.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, readFile } from "node:fs/promises";
import process from "node:process";
import { standIn } from "../support/adc_run.ts";
import { skipUnless } from "./fault.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";
import { around, reportOf } from "./scene.ts";

const REPORT = standIn("report.mjs");
const FLOOD = 256_000_000;

/** More than any runtime needs, and less than the flood on top of that. */
const MAX_MEMORY = 288 * 1024;

/** Why there is no terminal to be had here; said aloud, and not accepted where it is required. */
function terminalSkip(): string | false {
  const found = process.platform === "linux" &&
    ["script", "stty"].every((name) => !spawnSync(name, ["--version"]).error);
  const reason = skipUnless(
    "terminal",
    found ? undefined : "a resized terminal is not tested: there is no script(1) of util-linux",
    process.env.ADC_RUN_TEST_REQUIRE,
  );
  if (reason !== false) process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

const KILLED_CHILD: ProvenFault = {
  fault: "SIGKILL of the child, while it prints the token",
  verdict: "—",
  exit: 137,
  bound: "the child's end",
  prove: async (scene) => {
    await scene.store();
    const words = ["exec", "--", REPORT, "--split", "1000", "--signal", "SIGKILL"];
    const [plain, json] = await Promise.all([
      scene.run(words),
      scene.run(["--json", ...words]),
    ]);
    assert.deepEqual([plain.status, plain.stdout], [137, "***"], plain.stderr);
    const { exitCode, signal, masked } = reportOf(json);
    assert.deepEqual([json.status, exitCode, signal, masked], [137, 137, "SIGKILL", 1]);
  },
};

const DEAF_CHILD: ProvenFault = {
  fault: "child that ignores SIGTERM",
  verdict: "—",
  exit: 137,
  bound: "the child's end: adc-run leaves none behind, and SIGKILL ends both",
  prove: async (scene) => {
    await scene.store();
    const script = `
      process.on("SIGTERM", () => console.log("deaf to it"));
      setInterval(() => {}, 1 << 30);
      console.log("child " + process.pid);`;
    let pid = 0;
    let asked = 0;
    const running = scene.run(["exec", "--", "node", "-e", script], {
      onStdout: (text, child) => {
        const heard = text.split("deaf to it").length - 1;
        if (pid === 0 && /child \d+\n/.test(text)) {
          pid = Number(/child (\d+)\n/.exec(text)![1]);
          asked = 1;
          process.kill(child.pid!, "SIGTERM");
        } else if (asked === 1 && heard === 1) {
          // What the child says still comes through: adc-run has not gone ahead of it.
          asked = 2;
          process.kill(child.pid!, "SIGTERM");
        } else if (asked === 2 && heard === 2) {
          asked = 3;
          process.kill(pid, "SIGKILL");
        }
      },
    });
    try {
      const ended = await running;
      assert.deepEqual([ended.status, asked], [137, 3], ended.stderr);
    } finally {
      // Where adc-run went ahead of it, nobody else would end it.
      if (asked > 0 && asked < 3) process.kill(pid, "SIGKILL");
    }
  },
};

const FLOODING_CHILD: ProvenFault = {
  fault: "child that floods its output, before a slow reader",
  verdict: "—",
  exit: 0,
  bound: "the reader: the child has to wait for it",
  skip: process.platform === "linux" ? false : "the memory of a process is read from /proc",
  prove: async (scene) => {
    await scene.store();
    const script = `"$0" --flood ${FLOOD} --split 1000 && grep VmHWM /proc/$PPID/status >&2`;
    // The reader comes late, so that whoever does not wait for it has read everything by then.
    const reader = '{ "$@"; echo "$?" >code; } | { sleep 1; tail -c 3; }';
    const home = around(scene.home, reader);
    const ended = await scene.run(["exec", "--", "sh", "-c", script, REPORT], { home });
    assert.equal(await readFile(`${scene.folder.path}/code`, "utf8"), "0\n", ended.stderr);
    assert.equal(ended.stdout, "***", "the token came last, and masked");
    const kilobytes = Number(/VmHWM:\s*(\d+) kB/.exec(ended.stderr)?.[1]);
    assert.ok(kilobytes < MAX_MEMORY, `${kilobytes} kB at the most`);
  },
};

/** A stream that is not even open. */
function closed(fault: string, script: string): ProvenFault {
  return {
    fault,
    verdict: "—",
    exit: 0,
    bound: "the child's end",
    prove: async (scene) => {
      await scene.store();
      const words = ["--adc", standIn("adc.mjs"), "ping"];
      const ended = await scene.run(words, { home: around(scene.home, script) });
      assert.equal(ended.code, 0, ended.stderr);
      assert.ok(scene.sandbox.requests.length >= 2, "the check was made, and ADC ran");
      assert.ok(scene.sandbox.requests.every(({ apiKey }) => apiKey === scene.token));
    },
  };
}

const CLOSED_INPUT: ProvenFault = {
  fault: "stdin closed where a token is to be read from it",
  verdict: "AdcRunError",
  exit: 65,
  bound: "at once",
  prove: async (scene) => {
    await scene.store();
    const words = ["--json", "auth", "login", "--with-token", "--storage=file"];
    const ended = await scene.run(words, { home: around(scene.home, '"$@" <&-') });
    assert.equal(ended.code, 65, ended.stderr);
    const { error } = reportOf(ended);
    assert.equal(error?.name, "AdcRunError");
    assert.match(error?.message ?? "", /no token on standard input/);
    assert.deepEqual(scene.sandbox.requests, []);
  },
};

/** Says how large its terminal is whenever that changes, reads a line, and ends with 7. */
const AT_A_TERMINAL = `
  const { execSync } = require("node:child_process");
  const { readlinkSync } = require("node:fs");
  process.on("SIGWINCH", () => {
    const size = execSync("stty size", { stdio: ["inherit", "pipe", "inherit"] });
    console.log("size " + size + "end of size");
  });
  process.stdin.once("data", (line) => {
    console.log("read <" + String(line).trim() + ">");
    process.exit(7);
  });
  console.log("at " + readlinkSync("/proc/self/fd/0") + " ready");`;

const RESIZED_TERMINAL: ProvenFault = {
  fault: "terminal resized while ADC runs",
  verdict: "—",
  exit: 7,
  bound: "the child's end, with its own code",
  skip: terminalSkip(),
  prove: async (scene) => {
    await scene.store();
    const words = [...scene.home.command, "exec", "--", "node", "-e", AT_A_TERMINAL];
    const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const program = await scene.folder.write("run.sh", `#!/bin/sh\nexec ${quoted}\n`);
    await chmod(program, 0o755);
    const command = ["script", "--quiet", "--return", "--command", program, "/dev/null"];
    const todo: [RegExp, (text: string, write: (keys: string) => void) => void][] = [
      [/at (\S+) ready/, (text) => {
        const terminal = /at (\S+) ready/.exec(text)![1]!;
        const set = ["-F", terminal, "cols", "57", "rows", "13"];
        assert.equal(spawnSync("stty", set).status, 0);
      }],
      // The size is set in two steps.
      [/size 13 57\s+end of size/, (_text, write) => write("still here\r")],
    ];
    const ended = await scene.run([], {
      home: { name: scene.home.name, command },
      whenStarted: () => {},
      onStdout: (text, child) => {
        if (!todo[0]?.[0].test(text)) return;
        todo.shift()![1](text, (keys) => child.stdin!.write(keys));
      },
    });
    assert.equal(ended.status, 7, ended.stdout);
    assert.match(ended.stdout, /read <still here>/);
  },
};

/** Processes that die, do not, or say too much, and streams that are not there. */
export const PROCESS_FAULTS: FaultGroup = {
  title: "Processes, streams, the terminal",
  file: "tests/faults/process_faults.ts",
  faults: [
    {
      fault: "SIGKILL of adc-run and its child during a run",
      verdict: "—",
      exit: 137,
      bound: "at once; the next run revokes what was left",
      shownBy: [
        [
          "tests/e2e/ephemeral.test.ts",
          "leaves a token behind when it is killed, which the next run revokes",
        ],
      ],
    },
    {
      fault: "SIGKILL of adc-run at each of its requests, before and after the server acts",
      verdict: "—",
      exit: 137,
      bound: "at once; what is stored works, and the next run cleans up",
      shownBy: [
        [
          "tests/e2e/kills.test.ts",
          "auth login in place of a token: what is stored works, and the next cleans up",
        ],
        [
          "tests/e2e/kills.test.ts",
          "auth rotate: what is stored works, and the next run cleans up",
        ],
        ["tests/e2e/kills.test.ts", "an ephemeral run: the next one leaves the parent alone"],
      ],
    },
    KILLED_CHILD,
    DEAF_CHILD,
    FLOODING_CHILD,
    closed("stdin closed", '"$@" <&-'),
    CLOSED_INPUT,
    closed("stdout closed", '"$@" >&-'),
    closed("stdin, stdout and stderr closed", '"$@" <&- >&- 2>&-'),
    {
      fault: "stdout closed by its reader",
      verdict: "—",
      exit: 0,
      bound: "the child's end",
      shownBy: [["tests/e2e/signals.test.ts", "a reader that goes away ends the run quietly"]],
    },
    RESIZED_TERMINAL,
  ],
};
