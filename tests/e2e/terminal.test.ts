import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { describe, it } from "node:test";
import { collect, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { inTerminal, terminalSkip } from "../support/in_terminal.ts";

const REPORT = standIn("report.mjs");

const skip = terminalSkip();

for (const home of await testHomes()) {
  describe(`at a terminal on ${home.name}`, { skip }, () => {
    it("ADC keeps its colors though its output is piped through the mask, no other program", async () => {
      await using it = await fixture();
      const run = async (words: readonly string[], more: Record<string, string> = {}) => {
        const command = inTerminal(["sh", "-c", words.join(" "), "sh", ...home.command]);
        const set = Object.entries(more).map(([name, value]) => `${name}=${value}`);
        const ended = await collect(["env", "-u", "NO_COLOR", ...set, ...command], {
          env: { ...it.env, ADC_TOKEN: it.token, TERM: "xterm-256color" },
          cwd: it.folder.path,
        });
        const line = ended.stdout.split("\n").find((line) => line.startsWith("{"));
        return JSON.parse(line ?? assert.fail(ended.stdout));
      };
      const asAdc = ['"$@" --adc', REPORT, "lint"];
      const adc = await run(asAdc);
      assert.deepEqual([adc.tty.stdin, adc.tty.stdout], [true, false]);
      assert.match(adc.env.FORCE_COLOR.value, /^[123]$/);
      assert.equal((await run(asAdc, { FORCE_COLOR: "0" })).env.FORCE_COLOR.value, "0");
      for (const name of ["1", ""]) {
        assert.deepEqual((await run(asAdc, { NO_COLOR: name })).env.FORCE_COLOR, {
          present: false,
        });
      }
      for (const words of [[...asAdc, "2>error"], ['"$@" --no-tty exec --', REPORT]]) {
        assert.deepEqual((await run(words)).env.FORCE_COLOR, { present: false }, words.join(" "));
      }
      await it.folder.write(".env", "NO_COLOR=1\n");
      const ping = await run(['"$@" --adc', REPORT, "ping"]);
      assert.deepEqual(ping.env.FORCE_COLOR, { present: false });
    });

    for (const signal of ["SIGINT", "SIGQUIT"] as const) {
      it(`${signal} reaches the child once, from the terminal or sent to adc-run alone`, async () => {
        await using it = await fixture();
        const env = { ...it.env, ADC_TOKEN: it.token };
        // It waits for a second one before it ends.
        const child = `
          let count = 0;
          process.on("${signal}", () => {
            count++;
            setTimeout(() => process.exit(count === 1 ? 3 : 9), 400);
          });
          setInterval(() => {}, 1 << 30);
          console.log("ready", process.ppid);`;
        const command = [...home.command, "--no-tty", "exec", "--", "node", "-e", child];
        for (const way of ["terminal", "alone"]) {
          let sent = false;
          const ended = await collect(inTerminal(command), {
            env,
            cwd: it.folder.path,
            onStdout: (text, terminal) => {
              const [, pid] = /ready (\d+)\r\n/.exec(text) ?? [];
              if (sent || pid === undefined) return;
              sent = true;
              if (way === "alone") process.kill(Number(pid), signal);
              else terminal.stdin!.write(signal === "SIGINT" ? "\x03" : "\x1c");
            },
            whenStarted: () => {},
          });
          assert.equal(ended.status, 3, `${way}: ${ended.stdout}`);
        }
      });
    }

    it("a helper asks at the terminal, and nothing is drawn over its question", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      // It waits for longer than it takes until adc-run says that it waits.
      const helper = async (from: string) =>
        await folder.write(
          "helper",
          `printf 'PIN: ' >/dev/tty; sleep 1.5; read -r pin ${from} && test "$pin" = 1234 && echo ${token}\n`,
        );
      const ask = async (more: Readonly<Record<string, string>> = {}) => {
        let typed = false;
        const words = [
          "sh",
          "-c",
          'stty cols 80; exec "$@"',
          "sh",
          ...home.command,
          "exec",
          "--",
          "true",
        ];
        return await collect(inTerminal(words), {
          env: {
            ...it.env,
            ADC_RUN_SOURCE: "command",
            ADC_TOKEN_COMMAND: `sh ${folder.path}/helper`,
            LANG: "C.UTF-8",
            TERM: "xterm",
            ...more,
          },
          cwd: folder.path,
          onStdout: (text, terminal) => {
            if (typed || !text.includes("PIN: ")) return;
            typed = true;
            terminal.stdin!.write("1234\r");
          },
          whenStarted: () => {},
        });
      };
      for (
        const [from, more] of [["</dev/tty", { CI: "true" }], ["", { CI: "0" }], ["", {}]] as const
      ) {
        await helper(from);
        const ended = await ask(more);
        assert.equal(ended.status, 0, ended.stdout);
        assert.match(ended.stdout, /^PIN: 1234\r\nadc-run: .* \(token command\)\r\n$/);
      }
      const refused = await ask({ CI: "true" });
      assert.equal(refused.status, 74, refused.stdout);
    });

    it("errors are colored, unless NO_COLOR is set", async () => {
      await using it = await fixture();
      const command = inTerminal([...home.command, "--source", "env", "exec", "--", "true"]);
      const options = { env: it.env, cwd: it.folder.path };
      const plain = await collect(command, options);
      assert.match(plain.stdout, /adc-run: error: no token for/);
      const colored = await collect(["env", "-u", "NO_COLOR", ...command], options);
      // deno-lint-ignore no-control-regex
      assert.match(colored.stdout, /adc-run: \x1b\[31merror\x1b\[39m: no token for/);
    });

    it("a run without a token asks who logs in, and leaves nothing behind", async () => {
      await using it = await fixture();
      const { sandbox, folder } = it;
      const answer = async (...passwords: readonly string[]) => {
        const again = passwords.slice(1).map((each) => ["◆  Wrong password", each] as const);
        const steps: (readonly [question: string, answer: string])[] = [
          ["◆  No token for", "\r"],
          ["◆  User name at", "ci-bot\r"],
          ["◆  Password for", passwords[0]!],
          ...again,
        ];
        return await collect(inTerminal([...home.command, "exec", "--", "true"]), {
          env: { ...it.env, ADC_RUN_CONFIG_DIR: `${folder.path}/adc-run` },
          cwd: folder.path,
          onStdout: answering(steps),
          whenStarted: () => {},
        });
      };
      const ended = await answer("\x04");
      assert.equal(ended.status, 130, ended.stdout);
      assert.match(ended.stdout, /adc-run: Cancelled/);
      const wrong = await answer("zqzq-no-such-pass\r", "zqzq-2\r", "zqzq-3\r");
      assert.equal(wrong.status, 77, wrong.stdout);
      assert.match(wrong.stdout, /username or\s+password is incorrect/);
      assert.doesNotMatch(wrong.stdout, /zqzq/);
      const right = await answer("zqzq-1\r", "pass-word\r");
      assert.match(right.stdout, /· token [0-9a-f]{8} \(login, for this run\)/);
      assert.equal(sandbox.openSessions, 0);
      const own = sandbox.tokens.filter(({ name }) => name.startsWith("adc-run"));
      assert.deepEqual(own.map(({ revoked }) => revoked), [true]);
    });

    it("`auth login` asks again for a server without a scheme, and saves what was typed", async () => {
      await using it = await fixture({ https: true });
      const { sandbox, folder } = it;
      const { host } = new URL(sandbox.url);
      const env = {
        ADC_CA_CERT_FILE: sandbox.ca,
        ADC_RUN_CONFIG_DIR: `${folder.path}/adc-run`,
        HOME: folder.path,
      };
      const asked = inTerminal([...home.command, "auth", "login", "--storage", "file"]);
      const { status, stdout } = await collect(asked, {
        env,
        cwd: folder.path,
        onStdout: answering([
          ["◆  Server\r", `${host}\r`],
          // It is there already, with https:// in front.
          [`https://${host}`, "\r"],
          [`◆  User name at https://${host}`, "ci-bot\r"],
          ["◆  Password for", "pass-word\r"],
          // So is the user's name; the profile gets another.
          ["◆  Save as a profile?", "-eu\r"],
        ]),
        whenStarted: () => {},
      });
      assert.equal(status, 0, stdout);
      assert.match(stdout, /saved profile ci-bot-eu, used by default/);
      assert.doesNotMatch(stdout, /a7ee-\w|to use it, set/);
      const config = JSON.parse(await readFile(`${folder.path}/adc-run/config.json`, "utf8"));
      assert.deepEqual([config.use, config.profiles], ["ci-bot-eu", {
        "ci-bot-eu": {
          backend: "api7ee",
          server: sandbox.url,
          username: "ci-bot",
          caCertFile: sandbox.ca,
        },
      }]);
      // Nothing else says where the server is, and the token is the profile's.
      const { ADC_CA_CERT_FILE: _, ...bare } = env;
      const run = await collect([...home.command, "exec", "--", "true"], {
        env: bare,
        cwd: folder.path,
      });
      assert.match(run.stderr, new RegExp(`ci-bot-eu · https://${host} · token [0-9a-f]{8} `));
      assert.equal(run.status, 0, run.stderr);
    });
  });
}

type Steps = readonly (readonly [question: string, answer: string])[];

/** Types each answer once its question is there. */
function answering(steps: Steps): NonNullable<Parameters<typeof collect>[1]["onStdout"]> {
  const left = [...steps];
  let seen = 0;
  return (text, child) => {
    const [step] = left;
    if (step === undefined || !text.slice(seen).includes(step[0])) return;
    seen = text.length;
    left.shift();
    child.stdin!.write(step[1]);
  };
}
