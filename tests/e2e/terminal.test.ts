import assert from "node:assert/strict";
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
      const answer = async (...passwords: readonly string[]) => {
        const again = passwords.slice(1).map((each) => ["Wrong password", each] as const);
        const steps: (readonly [question: string, answer: string])[] = [
          ["Log in now for this run?", "\r"],
          ["User name at", "ci-bot\r"],
          ["Password for", passwords[0]!],
          ...again,
        ];
        let seen = 0;
        return await collect(inTerminal([...home.command, "exec", "--", "true"]), {
          env: { ...it.env, ADC_RUN_CONFIG_DIR: `${folder.path}/adc-run` },
          cwd: folder.path,
          onStdout: (text, child) => {
            const [step] = steps;
            if (step === undefined || !text.slice(seen).includes(step[0])) return;
            seen = text.length;
            steps.shift();
            child.stdin!.write(step[1]);
          },
          whenStarted: () => {},
        });
      };
      const ended = await answer("\x04");
      assert.equal(ended.status, 130, ended.stdout);
      assert.match(ended.stdout, /adc-run: Cancelled/);
      const wrong = await answer("zqzq-no-such-pass\r", "zqzq-2\r", "zqzq-3\r");
      assert.equal(wrong.status, 77, wrong.stdout);
      assert.match(wrong.stdout, /username or password is incorrect/);
      assert.doesNotMatch(wrong.stdout, /zqzq/);
      const right = await answer("zqzq-1\r", "pass-word\r");
      assert.match(right.stdout, /· token [0-9a-f]{8} \(login, for this run\)/);
      assert.equal(sandbox.openSessions, 0);
      const own = sandbox.tokens.filter(({ name }) => name.startsWith("adc-run"));
      assert.deepEqual(own.map(({ revoked }) => revoked), [true]);
    });
  });
}
