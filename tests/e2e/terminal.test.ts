import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { describe, it } from "node:test";
import { collect, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { inTerminal, terminalSkip } from "../support/in_terminal.ts";

const REPORT = standIn("report.mjs");

const skip = terminalSkip();

for (const home of await testHomes()) {
  describe(`at a terminal on ${home.name}`, { skip }, () => {
    it("the child keeps its colours though its output is piped through the mask", async () => {
      await using it = await fixture();
      const command = [...home.command, "exec", "--", REPORT];
      const env = { ...it.env, ADC_TOKEN: it.token, TERM: "xterm-256color" };
      const run = (more: Record<string, string>) =>
        collect(["env", "-u", "NO_COLOR", ...inTerminal(command)], {
          env: { ...env, ...more },
          cwd: it.folder.path,
        });
      const ended = await run({});
      const report = JSON.parse(ended.stdout.split("\n").find((line) => line.startsWith("{"))!);
      assert.equal(report.tty.stdin, true);
      assert.equal(report.tty.stdout, false);
      assert.match(report.env.FORCE_COLOR.value, /^[123]$/);
      const forced = await run({ FORCE_COLOR: "0" });
      assert.match(forced.stdout, /"FORCE_COLOR":\{"present":true,"value":"0"\}/);
    });

    it("Ctrl-C reaches the child once, and adc-run ends as the child does", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      // It waits for a second SIGINT before it ends.
      const child = `
        let count = 0;
        process.on("SIGINT", () => {
          count++;
          setTimeout(() => process.exit(count === 1 ? 3 : 9), 400);
        });
        setInterval(() => {}, 1 << 30);
        console.log("ready");`;
      const command = [...home.command, "exec", "--", "node", "-e", child];
      let sent = false;
      const ended = await collect(inTerminal(command), {
        env,
        cwd: it.folder.path,
        onStdout: (text, child) => {
          if (sent || !text.includes("ready")) return;
          sent = true;
          child.stdin!.write("\x03");
        },
        whenStarted: () => {},
      });
      assert.equal(ended.status, 3, ended.stdout);
    });

    it("errors are coloured, unless NO_COLOR is set", async () => {
      await using it = await fixture();
      const command = inTerminal([...home.command, "--source", "env", "exec", "--", "true"]);
      const options = { env: it.env, cwd: it.folder.path };
      const plain = await collect(command, options);
      assert.match(plain.stdout, /adc-run: error: no token for/);
      const coloured = await collect(["env", "-u", "NO_COLOR", ...command], options);
      // deno-lint-ignore no-control-regex
      assert.match(coloured.stdout, /adc-run: \x1b\[31merror\x1b\[39m: no token for/);
    });

    it("a run without a token asks who logs in, and leaves nothing behind", async () => {
      await using it = await fixture();
      const { sandbox, folder } = it;
      const answer = async (second: (terminal: ChildProcess) => void) => {
        const asked = [/User name at/, /Password for/];
        return await collect(inTerminal([...home.command, "exec", "--", "true"]), {
          env: { ...it.env, ADC_RUN_CONFIG_DIR: `${folder.path}/adc-run` },
          cwd: folder.path,
          onStdout: (text, child) => {
            if (!asked[0]?.test(text)) return;
            if (asked.shift()?.source.startsWith("User")) child.stdin!.write("ci-bot\r");
            else second(child);
          },
          whenStarted: () => {},
        });
      };
      const ended = await answer((terminal) => terminal.stdin!.write("\x04"));
      assert.equal(ended.status, 130, ended.stdout);
      assert.match(ended.stdout, /adc-run: Cancelled/);
      const wrong = await answer((terminal) => terminal.stdin!.write("zqzq-no-such-pass\r"));
      assert.equal(wrong.status, 77, wrong.stdout);
      assert.match(wrong.stdout, /username or password is incorrect/);
      assert.doesNotMatch(wrong.stdout, /zqzq/);
      const right = await answer((terminal) => terminal.stdin!.write("pass-word\r"));
      assert.match(right.stdout, /from admin-api \(logged in as ci-bot: "adc-run-ephemeral-/);
      assert.equal(sandbox.openSessions, 0);
      const own = sandbox.tokens.filter(({ name }) => name.startsWith("adc-run"));
      assert.deepEqual(own.map(({ revoked }) => revoked), [true]);
    });
  });
}
