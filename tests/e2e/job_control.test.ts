import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { collect } from "../support/adc_run.ts";
import { type Fixture, fixture } from "../support/fixture.ts";
import { type Home, testHomes } from "../support/homes.ts";
import { shellWords, terminalSkip } from "../support/in_terminal.ts";

/** What to wait for on the screen, and then to type or to do. */
type Step = readonly [shown: RegExp, then: string | ((screen: string) => void)];

const SHELLS = { bash: "exec bash --noprofile --norc -i", zsh: "exec zsh -f -i" } as const;

/** Types into a shell with job control; gives the screen, and what followed each step. */
async function typeIn(
  shell: keyof typeof SHELLS,
  steps: readonly Step[],
  { home, it, columns = 80, words = ["exec", "--", "echo", "started"] }: {
    readonly home: Home;
    readonly it: Fixture;
    readonly columns?: number;
    readonly words?: readonly string[];
  },
) {
  let [at, next] = [0, 0];
  const program = await it.folder.write(
    "run",
    `printf 'pid:%s\\n' $$; exec ${shellWords([...home.command, ...words])}\n`,
  );
  const all: readonly Step[] = [
    [/PS/, `stty cols ${columns}; sh ${program}; printf 'status:%s\\n' $?\r`],
    ...steps,
    [/PS/, "stty -a | grep -o ' echo ' && kill %1 2>&-; exit\r"],
  ];
  const ended = await collect(
    ["script", "--quiet", "--return", "--command", SHELLS[shell], "/dev/null"],
    {
      cwd: it.folder.path,
      env: { ...it.env, ADC_RUN_CONFIG_DIR: `${it.folder.path}/none`, PS1: "PS", PROMPT: "PS" },
      whenStarted: () => {},
      onStdout: (screen, terminal) => {
        for (let step = all[next]; step !== undefined; step = all[next]) {
          const found = step[0].exec(screen.slice(at));
          if (found === null) return;
          at += found.index + found[0].length;
          next++;
          if (typeof step[1] === "string") terminal.stdin!.write(step[1]);
          else step[1](screen);
        }
      },
    },
  );
  return { screen: ended.stdout, done: next === all.length };
}

const skip = terminalSkip();

for (const home of await testHomes()) {
  describe(`in a shell with job control on ${home.name}`, { skip }, () => {
    const logIn: Step = [/No token/, "\r"];
    const user: Step = [/User name at/, "ci-bot\r"];
    const stopped = /[Ss]topped|suspended/;
    const pidIn = (screen: string) => Number(/pid:(\d+)/.exec(screen)?.[1]);
    for (const shell of ["bash", "zsh"] as const) {
      it(`Ctrl-Z at each prompt, and fg, in ${shell}`, async () => {
        await using it = await fixture();
        const { screen, done } = await typeIn(shell, [
          [/No token/, "\x1a"],
          [stopped, "fg\r"],
          logIn,
          [/User name at/, "ci-"],
          [/ci-/, "\x1a"],
          [stopped, "echo typed\r"],
          [/typed\r\n[^]*PS/, "fg\r"],
          [/User name at[^]*ci-/, "bot\r"],
          [/Password for ci-bot/, "pass\x1a"],
          [stopped, "fg\r"],
          [/Password for ci-bot/, "-word\r"],
          [/started/, ""],
        ], { home, it });
        assert.ok(done, screen);
        assert.match(screen, /· token \w+ \(/);
        assert.doesNotMatch(screen, /pass|-word/);
      });
    }

    for (const [signal, shell] of [["SIGTSTP", "zsh"], ["SIGSTOP", "bash"]] as const) {
      it(`a password stays hidden after ${signal}, in ${shell} with 20 columns`, async () => {
        await using it = await fixture();
        const { screen, done } = await typeIn(shell, [
          logIn,
          user,
          [/Password for/, (screen) => process.kill(pidIn(screen), signal)],
          [stopped, "fg\r"],
          [/Password for/, "pass-word\r"],
          [/started/, ""],
        ], { home, it, columns: 20 });
        assert.ok(done, screen);
        assert.doesNotMatch(screen, /pass-|word\r/);
      });
    }

    it("Ctrl-Z at the prompts of auth login, and fg", async () => {
      await using it = await fixture();
      const { screen, done } = await typeIn("bash", [
        [/User name at/, "\x1a"],
        [stopped, "fg\r"],
        user,
        [/Password for ci-bot/, "pass\x1a"],
        [stopped, "fg\r"],
        [/Password for ci-bot/, "-word\r"],
        [/stored token/, ""],
      ], { home, it, words: ["auth", "login", "--storage", "file"] });
      assert.ok(done, screen);
      assert.doesNotMatch(screen, /pass|-word/);
    });

    it("each way out of a prompt has its code, and leaves a terminal that shows what is typed", async () => {
      await using it = await fixture();
      const ways: readonly (readonly [number, string | NodeJS.Signals])[] = [
        [130, "\x03"],
        [130, "\x04"],
        [143, "SIGTERM"],
        [129, "SIGHUP"],
      ];
      for (const [status, way] of ways) {
        const act = way.startsWith("SIG")
          ? (screen: string) => void process.kill(pidIn(screen), way)
          : way;
        const { screen, done } = await typeIn("bash", [
          logIn,
          user,
          [/Password for ci-bot/, act],
          [new RegExp(`status:${status}\\r`), "true\r"],
          [/true/, ""],
        ], { home, it });
        assert.ok(done, screen);
        assert.match(screen, / echo \r\n/, screen);
      }
    });
  });
}
