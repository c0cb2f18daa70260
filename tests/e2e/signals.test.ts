import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { adcRun, collect, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { isRequired } from "../support/required.ts";

const REPORT = standIn("report.mjs");

/** Whether a process is there, and not just a zombie that nobody has asked for yet. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** As a container is started, but for its files: the program is the first process that it sees. */
const AS_FIRST = ["unshare", "--fork", "--pid", "--mount-proc", "--kill-child"];

/** Why nothing can be the first process here; said aloud, and not accepted where it is required. */
function firstProcessSkip(): string | false {
  const [program, ...words] = AS_FIRST;
  if (isRequired("namespaces") || spawnSync(program!, [...words, "true"]).status === 0) {
    return false;
  }
  const reason = "no process can be the first of its own here: unshare(1) fails";
  process.stderr.write(`SKIPPED: ${reason}\n`);
  return reason;
}

/** The only child of a process. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8"));
}

const firstSkip = firstProcessSkip();

for (const home of await testHomes()) {
  describe(`the first process of a container on ${home.name}`, { skip: firstSkip }, () => {
    const first = { ...home, command: [...AS_FIRST, ...home.command] };
    const endings = [
      ["SIGTERM", ["--hang"], 143],
      ["SIGINT", ["--hang"], 130],
      ["SIGHUP", ["--hang"], 129],
      ["SIGQUIT", ["--hang"], 131],
      ["SIGTERM", ["--trap", "SIGTERM:3"], 3],
    ] as const;
    for (const [signal, words, code] of endings) {
      it(`passes ${signal} on to a child with ${words[0]}, and exits with ${code}`, async () => {
        await using it = await fixture();
        let pid = 0;
        const ended = await adcRun(first, ["exec", "--", REPORT, "--report", ...words], {
          env: { ...it.env, ADC_TOKEN: it.token },
          cwd: it.folder.path,
          onStdout: (text, unshare) => {
            if (!text.endsWith("ready\n") || pid !== 0) return;
            const own = childOf(unshare.pid!);
            pid = childOf(own);
            process.kill(own, signal);
          },
        });
        // Where a signal ended it, unshare would end by the same.
        assert.deepEqual([ended.code, ended.signal], [code, null], ended.stderr);
        assert.equal(isAlive(pid), false, "the child is gone");
      });
    }

    it("exits with 128+n where a signal ends the child that is not adc-run's own", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      for (const [signal, code] of [["SIGKILL", 137], ["SIGTERM", 143]] as const) {
        const args = ["exec", "--", REPORT, "--signal", signal];
        const ended = await adcRun(first, args, { env, cwd: it.folder.path });
        assert.deepEqual([ended.code, ended.signal], [code, null], ended.stderr);
      }
    });

    it("ends with 143 where SIGTERM comes before the child", async () => {
      await using it = await fixture();
      it.sandbox.fault("/", { kind: "slow-headers", ms: "never" });
      let unshare = 0;
      it.sandbox.hooks.onRequest = () => void process.kill(childOf(unshare), "SIGTERM");
      const ended = await adcRun(first, ["exec", "--", REPORT], {
        env: { ...it.env, ADC_TOKEN: it.token },
        cwd: it.folder.path,
        whenStarted: ({ pid }) => unshare = pid!,
      });
      assert.deepEqual([ended.code, ended.signal, ended.stdout], [143, null, ""], ended.stderr);
    });
  });

  describe(`signals on ${home.name}`, () => {
    for (const [signal, status] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
      it(`${signal} ends child and wrapper with ${status}`, async () => {
        await using it = await fixture();
        const env = { ...it.env, ADC_TOKEN: it.token };
        let pid = 0;
        const ended = await adcRun(home, ["exec", "--", REPORT, "--report", "--hang"], {
          env,
          cwd: it.folder.path,
          onStdout: (text, child) => {
            if (!text.endsWith("ready\n") || pid !== 0) return;
            pid = JSON.parse(text.split("\n")[0]!).pid;
            process.kill(child.pid!, signal);
          },
        });
        assert.deepEqual(
          [ended.status, ended.code, ended.signal],
          [status, null, signal],
          ended.stderr,
        );
        assert.equal(isAlive(pid), false, "the child is gone");
      });
    }

    it("a child that catches the signal and leaves with 3 gives 3", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const) {
        let sent = false;
        const ended = await adcRun(home, ["exec", "--", REPORT, "--trap", `${signal}:3`], {
          env,
          cwd: it.folder.path,
          onStdout: (text, child) => {
            if (!text.includes("ready") || sent) return;
            sent = true;
            process.kill(child.pid!, signal);
          },
        });
        assert.deepEqual([ended.code, ended.signal], [3, null], `${signal}: ${ended.stderr}`);
      }
    });

    // Node.js listens again to what it was started to ignore.
    const listens = home.name.startsWith("node");
    for (
      const [way, signal, status] of [
        ["nohup", "HUP", 129],
        [`trap "" INT; exec`, "INT", 130],
      ] as const
    ) {
      it(`a signal that was ignored at the start ${listens ? "ends both" : "stays ignored"}: ${way}`, async () => {
        await using it = await fixture();
        const env = { ...it.env, ADC_TOKEN: it.token, "a.b": "kept" };
        const child = `kill -${signal} $PPID $$; sleep 0.1; printenv a.b`;
        const words = [...home.command, "exec", "--", "bash", "-c", child];
        const ended = await collect(["bash", "-c", `${way} "$@"`, "", ...words], {
          env,
          cwd: it.folder.path,
        });
        const expected = listens ? [status, ""] : [0, "kept\n"];
        assert.deepEqual([ended.status, ended.stdout], expected, ended.stderr);
      });
    }

    it("a child that dies of a signal of its own gives 128+n", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const args = ["exec", "--", REPORT, "--signal", "SIGKILL"];
      const ended = await adcRun(home, args, { env, cwd: it.folder.path });
      assert.equal(ended.status, 137);
    });

    it("a signal during the check ends adc-run before ADC starts", async () => {
      await using it = await fixture();
      const { sandbox } = it;
      sandbox.fault("/", { kind: "slow-headers", ms: "never" });
      const arrived = Promise.withResolvers<void>();
      sandbox.hooks.onRequest = () => arrived.resolve();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const script = `"$@" & pid=$!; read line; kill -TERM $pid; wait $pid; echo "status $?"`;
      const running = collect(
        ["sh", "-c", script, "sh", ...home.command, "exec", "--", REPORT],
        {
          env,
          cwd: it.folder.path,
          whenStarted: async (child) => {
            await arrived.promise;
            child.stdin!.end("now\n");
          },
        },
      );
      assert.match((await running).stdout, /^status 143\n$/);
    });

    it("a reader that goes away ends the run quietly", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const script = `"$@" | head -n 1`;
      const ended = await collect(
        ["sh", "-c", script, "sh", ...home.command, "exec", "--", "yes"],
        {
          env,
          cwd: it.folder.path,
        },
      );
      assert.equal(ended.stdout, "y\n");
      assert.doesNotMatch(ended.stderr, /EPIPE|error/i);
    });

    it("a grandchild that stays behind does not hold the run up", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const script = "sleep 600 & echo $!";
      const ended = await adcRun(home, ["exec", "--", "sh", "-c", script], {
        env,
        cwd: it.folder.path,
      });
      assert.equal(ended.status, 0, ended.stderr);
      process.kill(Number(ended.stdout), "SIGKILL");
    });
  });
}
