import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { adcRun, collect, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

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

for (const home of await testHomes()) {
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
    const skip = home.name.startsWith("node");
    it("a signal that was ignored at the start stays ignored", { skip }, async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token, "a.b": "kept" };
      const child = ["bash", "-c", "kill -HUP $PPID $$; sleep 0.1; printenv a.b"];
      const ended = await collect(
        [
          "bash",
          "-c",
          `trap "" HUP; exec "$@"`,
          "",
          ...home.command,
          "exec",
          "--",
          ...child,
        ],
        { env, cwd: it.folder.path },
      );
      assert.deepEqual([ended.status, ended.stdout], [0, "kept\n"], ended.stderr);
    });

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
