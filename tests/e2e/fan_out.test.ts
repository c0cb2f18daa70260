import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, readFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { adcRun, collect } from "../support/adc_run.ts";
import type { Ending, StartOptions } from "../support/adc_run.ts";
import { filesWith, traces } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { isRequired } from "../support/required.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** A target, as a profile and as the test knows it. */
interface Target {
  readonly name: string;
  readonly sandbox: Sandbox;
  readonly token: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Several targets, and a stand-in for ADC that runs a script. */
interface Targets extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly targets: readonly Target[];
  readonly sandboxes: readonly Sandbox[];
  /** Writes ADC's stand-in. */
  readonly adc: (script: string) => Promise<string>;
}

/**
 * Makes targets: two gateway groups on each API7 Enterprise for every one that is an APISIX of its own, with
 * a token each, which a helper command prints.
 */
async function makeTargets(count: number, groups = 2): Promise<Targets> {
  const folder = await temporaryFolder({ "adc.yaml": "services: []\n" });
  const sandboxes: Sandbox[] = [];
  const targets: Target[] = [];
  while (targets.length < count) {
    const ee = await startSandbox();
    ee.addUser({ username: "ci-bot", password: "pass-word" });
    const apisix = await startSandbox({ backend: "apisix" });
    sandboxes.push(ee, apisix);
    for (let index = 0; index < groups && targets.length < count; index++) {
      const name = `t${targets.length}`;
      ee.addGatewayGroup(`group-${name}`);
      const token = ee.addToken({ user: "ci-bot", name }).value;
      const settings = { backend: "api7ee", server: ee.url, gatewayGroup: `group-${name}` };
      targets.push({ name, sandbox: ee, token, settings });
    }
    if (targets.length === count) break;
    const token = apisix.addToken().value;
    const settings = { backend: "apisix", server: apisix.url };
    targets.push({ name: `t${targets.length}`, sandbox: apisix, token, settings });
  }
  const profiles = Object.fromEntries(
    await Promise.all(targets.map(async ({ name, token, settings }) => {
      const file = await folder.write(`tokens/${name}`, token);
      // So many starts at once keep two cores busy for longer than ADC's 10 s.
      return [name, { ...settings, timeout: "5m", tokenCommand: ["cat", file] }];
    })),
  );
  await folder.write("config/config.json", JSON.stringify({ version: 1, profiles }));
  await chmod(`${folder.path}/config`, 0o700);
  return {
    folder,
    targets,
    sandboxes,
    adc: async (script) => {
      const file = await folder.write("adc", `#!/bin/sh\n${script}\n`);
      await chmod(file, 0o755);
      return file;
    },
    [Symbol.asyncDispose]: async () => {
      for (const sandbox of sandboxes) await sandbox.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

function fanOut(
  home: Home,
  { folder, targets }: Targets,
  args: readonly string[],
  options: Partial<StartOptions> = {},
): Promise<Ending> {
  const names = targets.map(({ name }) => name).join(",");
  return adcRun(home, ["-p", names, ...args], {
    cwd: folder.path,
    ...options,
    env: { ADC_RUN_CONFIG_DIR: `${folder.path}/config`, ...options.env },
  });
}

/** The lines of one target, without its name. */
function linesOf(text: string, name: string): string[] {
  return text.split("\n")
    .filter((line) => line.startsWith(`${name} `))
    .map((line) => line.slice(line.indexOf("| ") + 2));
}

/** How many bytes a process has held at most, on Linux. */
async function mostMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** Why there is no terminal to be had here; said aloud, and not accepted where it is required. */
function terminalSkip(): string | false {
  const required = isRequired("terminal");
  const found = process.platform === "linux" && !spawnSync("script", ["--version"]).error;
  if (found || required) return false;
  const reason = "fan-out at a terminal is not tested: there is no script(1) of util-linux";
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

const skip = terminalSkip();

const SAY = `
  printf '%s %s %s ' "$ADC_BACKEND" "$ADC_SERVER" "$ADC_GATEWAY_GROUP"
  printf %s "$ADC_TOKEN" | sha256sum
  echo "leak: $ADC_TOKEN" >&2`;

for (const home of await testHomes("every engine")) {
  describe(`fan-out on ${home.name}`, () => {
    it("serves 100 targets, each with its own token and server", async () => {
      await using it = await makeTargets(100, 9);
      const adc = await it.adc(SAY);
      const ended = await fanOut(home, it, ["--parallel", "8", "--adc", adc, "sync"]);
      assert.equal(ended.code, 0, ended.stderr);
      const canaries = it.targets.flatMap(({ token }) => traces(token));
      assert.ok(canaries.every((each) => !`${ended.stdout}${ended.stderr}`.includes(each)));
      for (const { name, token, settings } of it.targets) {
        const { backend, server, gatewayGroup = "" } = settings;
        const hash = createHash("sha256").update(token).digest("hex");
        assert.deepEqual(linesOf(ended.stdout, name), [
          `${backend} ${server} ${gatewayGroup} ${hash}  -`,
        ]);
        assert.ok(linesOf(ended.stderr, name).includes("leak: ***"));
        assert.match(ended.stderr, new RegExp(`^${name} +ok +\\d`, "m"));
      }
      assert.equal(ended.stdout.trimEnd().split("\n").length, 100);
      assert.doesNotMatch(ended.stderr, /MaxListeners|Warning/);
      for (const sandbox of it.sandboxes) {
        const own = it.targets.filter((each) => each.sandbox === sandbox);
        const sent = sandbox.requests
          // APISIX is asked once more, for a viewer's key.
          .filter(({ method }) => method === "GET")
          .map(({ apiKey, query }) => `${apiKey} ${query.name ?? ""}`);
        const keys = new Set(own.map(({ token }) => token));
        assert.ok(sandbox.requests.every(({ apiKey }) => keys.has(apiKey ?? "")));
        // No server saw another's token, nor a token with another's gateway group.
        assert.deepEqual(
          sent.toSorted(),
          own.map(({ token, settings }) => `${token} ${settings.gatewayGroup ?? ""}`).toSorted(),
        );
      }
      const kept = await filesWith(it.folder.path, canaries);
      assert.ok(kept.every((path) => path.includes("/tokens/")), kept.join());
    });

    it("keeps lines whole and memory bounded, whatever the children write", {
      skip: process.platform !== "linux",
    }, async () => {
      await using it = await makeTargets(6);
      // 60 MB in all: many lines, and one that never ends.
      const adc = await it.adc(`
        head -c 5000000 /dev/zero | tr '\\0' x
        i=0; while [ $i -lt 50 ]; do i=$((i+1)); head -c 100000 /dev/zero | tr '\\0' y; echo; done`);
      const names = it.targets.map(({ name }) => name).join(",");
      const words = ["-p", names, "--parallel", "6", "--no-check", "--adc", adc, "sync"];
      let most = 0;
      let bytes = 0;
      let child: ChildProcess | undefined;
      const wrong: string[] = [];
      let rest = "";
      const ended = new Promise<number | null>((resolve) => {
        void collect([...home.command, ...words], {
          cwd: it.folder.path,
          env: { ADC_RUN_CONFIG_DIR: `${it.folder.path}/config` },
          whenStarted: (started) => {
            child = started;
            started.stdin!.end();
            started.stdout!.removeAllListeners("data");
            started.stdout!.on("data", (text: string) => {
              bytes += text.length;
              const lines = (rest + text).split("\n");
              rest = lines.pop()!;
              wrong.push(...lines.filter((line) => !/^t\d [|+] (x*|x*y*)$/.test(line)));
              void mostMemory(child!.pid!).then((now) => {
                most = Math.max(most, now);
              });
            });
            started.once("close", resolve);
          },
        });
      });
      assert.equal(await ended, 0);
      assert.deepEqual(wrong.map((line) => line.slice(0, 50)), []);
      assert.ok(bytes > 60_000_000, `${bytes} bytes`);
      assert.ok(most > 0 && most < 400 * 1024 * 1024, `${most} bytes of memory`);
    });

    it("runs nothing when one token is refused, and names every target that is", async () => {
      await using it = await makeTargets(4);
      for (const index of [1, 3]) it.targets[index]!.sandbox.revokeToken(it.targets[index]!.token);
      const adc = await it.adc("echo ran");
      const ended = await fanOut(home, it, ["--adc", adc, "sync"]);
      assert.equal(ended.code, 77, ended.stderr);
      assert.equal(ended.stdout, "");
      for (const name of ["t1", "t3"]) {
        assert.match(
          linesOf(ended.stderr, name).join("\n"),
          /^adc-run: error: the server refused the token: 401 /,
        );
      }
      assert.match(ended.stderr, /^t0 .* not started\nt1 .* rejected .*doctor\n/m);
      const going = await fanOut(home, it, ["--keep-going", "--adc", adc, "sync"]);
      assert.equal(going.code, 77);
      assert.equal(going.stdout, "t0 | ran\nt2 | ran\n");
    });

    it("starts no more after a failure, and says which were not started", async () => {
      await using it = await makeTargets(4);
      const adc = await it.adc('case "$ADC_RUN_PROFILE" in t1) exit 3;; t2) exit 4;; esac');
      const ended = await fanOut(home, it, ["-q", "--adc", adc, "sync"]);
      assert.equal(ended.code, 3);
      assert.match(
        ended.stderr,
        /^t0 +ok .*\nt1 +exit 3 .*\nt2 +not started\nt3 +not started\n1 ok, 1 failed, 2 not started\n$/,
      );
      const going = await fanOut(home, it, ["-q", "--keep-going", "--adc", adc, "sync"]);
      assert.equal(going.code, 3);
      assert.match(going.stderr, /t2 +exit 4 .*\nt3 +ok /);
    });

    it("gives one JSON object with a result for each target", async () => {
      await using it = await makeTargets(3);
      it.targets[1]!.sandbox.revokeToken(it.targets[1]!.token);
      const adc = await it.adc('[ "$ADC_RUN_PROFILE" != t2 ] || { echo "$ADC_TOKEN"; }');
      const args = ["--json", "--keep-going", "--fail-on-leak", "--adc", adc, "sync"];
      const ended = await fanOut(home, it, args);
      const report = JSON.parse(ended.stderr);
      assert.equal(ended.code, 77);
      assert.equal(report.exitCode, 77);
      assert.deepEqual(report.warnings, []);
      const brief = report.targets.map((
        { profile, outcome, exitCode, masked, leaked, error, check }: Record<string, unknown>,
      ) => ({ profile, outcome, exitCode, masked, leaked, error, check }));
      assert.equal(brief[1].error.verdict, "rejected");
      assert.equal(brief[1].outcome, "refused");
      assert.equal(brief[0].check.verdict, "valid");
      assert.deepEqual([brief[0].outcome, brief[0].exitCode, brief[0].leaked], ["done", 0, false]);
      assert.deepEqual(
        [brief[2].outcome, brief[2].exitCode, brief[2].leaked, brief[2].masked],
        ["done", 65, true, 1],
      );
    });

    it("a dry run prints the plan of each target and starts nothing", async () => {
      await using it = await makeTargets(3);
      const adc = await it.adc("echo ran");
      const ended = await fanOut(home, it, ["--dry-run", "--adc", adc, "sync"]);
      assert.equal(ended.code, 0, ended.stderr);
      for (const { name, settings } of it.targets) {
        const lines = linesOf(ended.stdout, name);
        assert.match(lines[0]!, /^would run +\S+\/adc sync/);
        assert.ok(lines.some((line) => line.includes(String(settings.server))));
      }
      const json = await fanOut(home, it, ["--dry-run", "--json", "--adc", adc, "sync"]);
      const { targets } = JSON.parse(json.stdout);
      assert.deepEqual(targets.map((each: { outcome: string }) => each.outcome), [
        "planned",
        "planned",
        "planned",
      ]);
      assert.doesNotMatch(ended.stdout + json.stdout, /\bran\b/);
    });

    it("refuses words that are for one target", async () => {
      await using it = await makeTargets(2);
      const adc = await it.adc("echo ran");
      const canary = "a7ee-canary-in-argv";
      for (
        const words of [
          ["sync", "--server", "http://127.0.0.1:1"],
          ["sync", "--token", canary],
          ["dump"],
          ["dump", "-o", "all.yaml"],
        ]
      ) {
        const ended = await fanOut(home, it, ["--adc", adc, ...words]);
        assert.equal(ended.code, 64, words.join(" "));
        assert.equal(ended.stdout, "");
        assert.ok(!ended.stderr.includes(canary));
      }
      assert.deepEqual(it.sandboxes.flatMap(({ requests }) => requests), []);
    });

    it("a command that asks no server runs once", async () => {
      await using it = await makeTargets(2);
      const adc = await it.adc('echo "$1"');
      const ended = await fanOut(home, it, ["--adc", adc, "lint"]);
      assert.deepEqual([ended.code, ended.stdout], [0, "lint\n"]);
    });

    it("other programs run as well, without standard input, and with pipes that can be opened", async () => {
      await using it = await makeTargets(2);
      const words = ["exec", "--", "sh", "-c", 'cat; echo "$ADC_RUN_PROFILE" >/dev/stdout'];
      const ended = await fanOut(home, it, words, { input: "not for them\n" });
      assert.deepEqual([ended.code, ended.stdout], [0, "t0 | t0\nt1 | t1\n"], ended.stderr);
    });

    it("tokens that are made for a run are revoked, those of targets that never ran too", async () => {
      await using it = await makeTargets(2);
      const live = it.sandboxes.map(({ liveTokens }) => liveTokens.length);
      const adc = await it.adc("exit 5");
      const ended = await fanOut(home, it, ["--ephemeral", "--adc", adc, "sync"]);
      assert.equal(ended.code, 5, ended.stderr);
      assert.equal(it.sandboxes[0]!.tokens.length, 2 + 2);
      assert.deepEqual(it.sandboxes.map(({ liveTokens }) => liveTokens.length), live);
    });

    for (const [signal, status] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
      it(`${signal} ends all children, and adc-run with ${status}`, async () => {
        await using it = await makeTargets(4);
        const adc = await it.adc("echo ready $$; exec sleep 100");
        let sent = false;
        const ended = await fanOut(home, it, ["--parallel", "3", "--adc", adc, "sync"], {
          onStdout: (text, child) => {
            if (sent || text.match(/ready \d+\n/g)?.length !== 3) return;
            sent = true;
            process.kill(child.pid!, signal);
          },
        });
        assert.equal(ended.status, status, ended.stderr);
        for (const [, pid] of ended.stdout.matchAll(/ready (\d+)/g)) {
          assert.throws(() => process.kill(Number(pid), 0), "the child is gone");
        }
        assert.match(ended.stderr, new RegExp(`t0 .* ended by ${signal} `));
        assert.match(ended.stderr, /t3 .* not started\n.*\n$/);
      });
    }

    it("a signal during the checks ends adc-run before anything runs", async () => {
      await using it = await makeTargets(3);
      it.sandboxes[0]!.fault("/", { kind: "slow-headers", ms: "never" });
      const adc = await it.adc("echo ran");
      let child: ChildProcess | undefined;
      it.sandboxes[0]!.hooks.onRequest = () => {
        process.kill(child!.pid!, "SIGTERM");
      };
      const ended = await fanOut(home, it, ["--adc", adc, "sync"], {
        whenStarted: (started) => {
          child = started;
          started.stdin!.end();
        },
      });
      assert.equal(ended.status, 143);
      assert.equal(ended.stdout, "");
    });

    it("a reader that goes away ends all quietly", async () => {
      await using it = await makeTargets(2);
      const adc = await it.adc("while :; do echo line 2>/dev/null || exit 9; done");
      const names = it.targets.map(({ name }) => name).join(",");
      const words = ["-p", names, "--parallel", "2", "-q", "--adc", adc, "sync"];
      const quoted = [...home.command, ...words].map((word) => `'${word}'`).join(" ");
      const ended = await collect(["sh", "-c", `${quoted} | head -n 3`], {
        cwd: it.folder.path,
        env: { ADC_RUN_CONFIG_DIR: `${it.folder.path}/config` },
      });
      assert.equal(ended.code, 0);
      assert.match(ended.stdout, /^(t[01] \| line\n){3}$/);
      assert.equal(ended.stderr, "");
    });

    it(
      "at a terminal targets ask one after another, until somebody gives up",
      { skip },
      async () => {
        await using it = await makeTargets(3, 1);
        const adc = await it.adc("echo ran");
        // The one between them is an APISIX, where nobody can log in.
        const [first, , second] = it.targets as [Target, Target, Target];
        const words = ["-p", `${first.name},${second.name}`, "--source", "admin-api"];
        const quoted = [...home.command, ...words, "--adc", adc, "sync"].map((word) => `'${word}'`);
        const answer = (answers: string[]) => {
          let seen = 0;
          const command = `exec ${quoted.join(" ")}`;
          return collect(["script", "--quiet", "--return", "--command", command, "/dev/null"], {
            cwd: it.folder.path,
            env: { ADC_RUN_CONFIG_DIR: `${it.folder.path}/config` },
            onStdout: (text, child) => {
              const next = text.slice(seen).search(/◆ {2}(No token|User name at|Password for) /);
              if (next < 0 || answers.length === 0) return;
              seen = text.length;
              child.stdin!.write(answers.shift()!);
            },
            whenStarted: () => {},
          });
        };
        const all = await answer([
          "\r",
          "ci-bot\r",
          "pass-word\r",
          "\r",
          "ci-bot\r",
          "pass-word\r",
        ]);
        assert.equal(all.status, 0, all.stdout);
        const asked = [...all.stdout.matchAll(/(?:User name at (http\S+)|Password for)/g)]
          .map(([, server]) => server ?? "password");
        const order = asked.filter((each, index) => each !== asked[index - 1]);
        const servers = [first.settings.server, second.settings.server];
        assert.equal(order.length, 4);
        assert.deepEqual([order[0], order[2]].toSorted(), servers.toSorted());
        assert.deepEqual([order[1], order[3]], ["password", "password"]);
        assert.equal(all.stdout.match(/\| ran/g)?.length, 2);
        const given = await answer(["\x03"]);
        assert.equal(given.status, 130, given.stdout);
        const places = new Set(
          [...given.stdout.matchAll(/No token for (\S+)\. Log/g)].map(([, at]) => at),
        );
        assert.equal(places.size, 1, given.stdout);
      },
    );

    it("at a terminal names and children have colors, and Ctrl-C ends all", { skip }, async () => {
      await using it = await makeTargets(3);
      const adc = await it.adc(
        'trap "exit 7" INT; echo "color=$FORCE_COLOR ready"; while :; do sleep 0.05; done',
      );
      const names = it.targets.map(({ name }) => name).join(",");
      const words = ["-p", names, "--parallel", "2", "--adc", adc, "sync"];
      const quoted = [...home.command, ...words].map((word) => `'${word}'`).join(" ");
      const terminal = [
        "script",
        "--quiet",
        "--return",
        "--command",
        `exec ${quoted}`,
        "/dev/null",
      ];
      let sent = false;
      const ended = await collect(["env", "-u", "NO_COLOR", ...terminal], {
        cwd: it.folder.path,
        env: { ADC_RUN_CONFIG_DIR: `${it.folder.path}/config`, TERM: "xterm-256color" },
        onStdout: (text, child) => {
          if (sent || text.match(/ ready/g)?.length !== 2) return;
          sent = true;
          child.stdin!.write("\x03");
        },
        whenStarted: () => {},
      });
      assert.equal(ended.status, 130, ended.stdout);
      const shown = ended.stdout.replaceAll("\x1b", "ESC");
      assert.match(shown, /ESC\[36mt0 \|ESC\[39m color=[123] ready/);
      assert.match(shown, /ESC\[33mt1 \|ESC\[39m color=[123] ready/);
      assert.match(ended.stdout, /t0 +exit 7 .*\s+.*t1 +exit 7 .*\s+.*t2 +not started/);
    });
  });
}
