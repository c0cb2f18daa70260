import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { collect } from "../support/adc_run.ts";
import { type Fixture, fixture } from "../support/fixture.ts";
import { type Home, HOMES, testHomes } from "../support/homes.ts";
import { openScreen, type Screen } from "../support/screen.ts";
import { shellWords, terminalSkip } from "../support/in_terminal.ts";

const skip = terminalSkip();

/** Shows the terminal's modes before and after a command, and its exit code. */
const BETWEEN_MODES = 'stty -g; "$@"; echo "rc=$?"; stty -g';

async function startShell(
  { env, token, folder }: Fixture,
  command: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Screen> {
  const { NO_COLOR: _, CI: __, ...rest } = env as Record<string, string>;
  return await openScreen(command, {
    env: {
      ...rest,
      PATH: process.env.PATH!,
      ADC_TOKEN: token,
      TERM: "xterm-256color",
      PS1: "ready% ",
      ...more,
    },
    cwd: folder.path,
  });
}

/** Runs adc-run in a terminal, and tells what was shown between the two lines of modes, which must be equal. */
async function runInScreen(
  home: Home,
  it: Fixture,
  words: readonly string[],
  { act, env }: {
    readonly act?: (screen: Screen) => Promise<void>;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<string> {
  const shell = ["sh", "-c", BETWEEN_MODES, "sh", ...home.command, ...words];
  const screen = await startShell(it, shell, env);
  await act?.(screen);
  await screen.end();
  const { shown } = screen;
  assert.ok(!shown.includes(it.token), "the token is on the screen");
  const [before, ...lines] = shown.trimEnd().split("\r\n");
  assert.equal(lines.pop(), before, "the terminal's modes are as they were");
  return lines.join("\n");
}

/** What is there in the end. */
async function eventually<T>(what: string, look: () => T | false | Promise<T | false>): Promise<T> {
  for (const end = performance.now() + 10_000; performance.now() < end;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Waited in vain for ${what}`);
}

const denoHome = await HOMES.deno();

for (const home of await testHomes()) {
  describe(`a masked terminal on ${home.name}`, { skip }, () => {
    it("the program sees a terminal of the same size on all three streams", async () => {
      await using scene = await fixture();
      const script =
        "test -t 0 && test -t 1 && test -t 2 && stty size; ls --color=auto -d /; exit 7";
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script]);
      assert.match(shown, /^24 80$/m);
      // deno-lint-ignore no-control-regex
      assert.match(shown, /\x1b\[[\d;]+m\/\x1b\[0m/);
      assert.match(shown, /^rc=7$/m);
    });

    it("masks the token in color, between colors and across writes, and counts it", async () => {
      await using scene = await fixture();
      const script = String.raw`
        printf '\033[32m%s\033[0m\n' "$ADC_TOKEN"
        printf '%s\033[1m%s\n' "\${ADC_TOKEN%??????}" "\${ADC_TOKEN#"\${ADC_TOKEN%??????}"}"
        printf '%s' "\${ADC_TOKEN%??????}"; printf '%s\n' "\${ADC_TOKEN#"\${ADC_TOKEN%??????}"}" >&2`
        .replaceAll("\\$", "$");
      const words = ["--fail-on-leak", "exec", "--", "sh", "-c", script];
      const shown = await runInScreen(home, scene, words);
      assert.match(shown, /masked a secret 3 times/);
      assert.match(shown, /^rc=65$/m);
    });

    it("follows the terminal's size, and passes on a SIGWINCH that changes nothing", async () => {
      await using scene = await fixture();
      const script = "trap 'stty size' WINCH; echo pid=$PPID; while :; do sleep 0.05; done";
      await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          const [, pid] = /pid=(\d+)/.exec(await screen.until(/pid=\d+\r/))!;
          await screen.resize(60, 10);
          await screen.until(/10 60/);
          await screen.resize(100, 30);
          await screen.until(/30 100/);
          process.kill(Number(pid), "SIGWINCH");
          await screen.until(/30 100/);
          screen.type("\x03");
        },
      });
    });

    it("Ctrl-C, Ctrl-\\ and Ctrl-D are what they are in the program's own terminal", async () => {
      await using scene = await fixture();
      const script = `
        process.on("SIGINT", () => console.log("int")).on("SIGQUIT", () => console.log("quit"));
        process.stdin.on("data", (line) => console.log("got " + line)).on("end", () => process.exit(4));
        console.log("ready");`;
      const shown = await runInScreen(home, scene, ["exec", "--", "node", "-e", script], {
        act: async (screen) => {
          await screen.until(/ready/);
          screen.type("a line\r");
          await screen.until(/got a line/);
          screen.type("\x03");
          await screen.until(/int/);
          screen.type("\x1c");
          await screen.until(/quit/);
          screen.type("\x04");
        },
      });
      assert.equal(shown.match(/int/g)?.length, 1);
      assert.equal(shown.match(/quit/g)?.length, 1);
      assert.match(shown, /^rc=4$/m);
    });

    it("a program reads single keys, and may die in raw mode", async () => {
      await using scene = await fixture();
      const script = "stty raw -echo; echo go; dd bs=1 count=1 2>/dev/null | od -c; kill -9 $$";
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          await screen.until(/go/);
          screen.type("\x1b");
        },
      });
      assert.match(shown, /033/);
      assert.match(shown, /^rc=137$/m);
    });

    it("`less` scrolls, and gives the screen back", async () => {
      await using scene = await fixture();
      const file = await scene.folder.write(
        "long.txt",
        Array.from({ length: 200 }, (_, index) => `line ${index}`).join("\n"),
      );
      const shown = await runInScreen(home, scene, ["exec", "--", "less", file], {
        act: async (screen) => {
          await screen.until(/line 20/);
          screen.type("G");
          await screen.until(/line 199/);
          screen.type("q");
        },
        env: { LESS: "" },
      });
      // deno-lint-ignore no-control-regex
      assert.match(shown, /\x1b\[\?1049l[\s\S]*rc=0$/);
    });

    it("a shell inside has its jobs", async () => {
      await using scene = await fixture();
      const shell = ["exec", "--", "bash", "--norc", "--noprofile", "-i"];
      const shown = await runInScreen(home, scene, shell, {
        act: async (screen) => {
          await screen.until(/ready% /);
          screen.type("sh -c 'echo in front; exec sleep 1000'\r");
          await screen.until(/\rin front/);
          screen.type("\x1a");
          await screen.until(/Stopped /);
          screen.type("echo $ADC_TOKEN; exit 5\r");
          await screen.until(/stopped jobs/);
          screen.type("exit 5\r");
        },
      });
      assert.match(shown, /\*\*\*/);
      assert.match(shown, /^rc=5$/m);
    });

    for (const shell of [["bash", "--norc", "--noprofile", "-i"], ["zsh", "-f", "-i"]]) {
      it(`Ctrl-Z suspends the whole job in ${shell[0]}, and it goes on in front`, async () => {
        await using scene = await fixture();
        const line = shellWords([...home.command, "exec", "--", "sh", "-c", "echo go; exec cat"]);
        const screen = await startShell(
          scene,
          shell,
          shell[0] === "zsh" ? { PS1: "ready%% " } : {},
        );
        await screen.until(/ready% /);
        screen.type(`stty -g; ${line}\r`);
        await screen.until(/\ngo/);
        screen.type("one\r");
        await screen.until(/one\r\none/);
        screen.type("\x1a");
        await screen.until(/[Ss](topped|uspended)/);
        await screen.until(/ready% /);
        screen.type("fg\r");
        await screen.resize(70, 20);
        screen.type("two\r");
        await screen.until(/two\r\ntwo/);
        screen.type("\x04");
        await screen.until(/ready% /);
        screen.type("stty -g; exit\r");
        await screen.end();
        const modes = [...screen.shown.matchAll(/^[\da-f]+(:[\da-f]+){8,}/gm)].map(([mode]) =>
          mode
        );
        assert.equal(modes.length, 2, screen.shown);
        assert.equal(modes[0], modes[1]);
      });
    }

    it("is not for a job in the background, which would be stopped for it", async () => {
      await using scene = await fixture();
      const job = ["bash", "-c", 'set -m; "$@" & wait $!; echo "rc=$?"', "bash", ...home.command];
      const words = ["-v", "exec", "--", "sh", "-c", "test -t 1 || echo piped; exit 5"];
      const screen = await startShell(scene, [...job, ...words]);
      await screen.end();
      assert.match(screen.shown, /so pipes: it is in the background\r\npiped\r\n(.*\r\n)?rc=5/);
    });

    it("Ctrl-Z leads out of a program that stopped itself", async () => {
      await using scene = await fixture();
      const script = "echo pid=$$; kill -STOP $$; echo on";
      const screen = await startShell(scene, ["bash", "--norc", "--noprofile", "-i"]);
      await screen.until(/ready% /);
      screen.type(`${shellWords([...home.command, "exec", "--", "sh", "-c", script])}\r`);
      const [, pid] = /pid=(\d+)\r/.exec(await screen.until(/pid=\d+\r/))!;
      const status = () => readFile(`/proc/${pid}/status`, "utf8");
      while (!/^State:\tT/m.test(await status()));
      screen.type("\x1a");
      await screen.until(/Stopped[\s\S]*ready% /);
      screen.type("fg\r");
      await screen.until(/\non\r[\s\S]*ready% /);
      screen.type("exit\r");
      await screen.end();
    });

    it("a signal to adc-run alone reaches the program, and its end is adc-run's", async () => {
      await using scene = await fixture();
      const script = "trap 'echo term; exit 9' TERM; echo pid=$PPID; while :; do sleep 0.05; done";
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          const [, pid] = /pid=(\d+)/.exec(await screen.until(/pid=\d+\r/))!;
          process.kill(Number(pid), "SIGTERM");
        },
      });
      assert.match(shown, /term\nrc=9/);
    });

    it("a program that has closed its terminal goes on, and may open it again", async () => {
      await using scene = await fixture();
      const script = `exec >log 2>&1 </dev/null; echo start; sleep 0.5; exec >/dev/tty; cat log
        read line </dev/tty; echo got $line; exec >&-; sleep 0.5; exit 7`;
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          await screen.until(/start/);
          screen.type("a line\r");
          await screen.until(/got a line/);
        },
      });
      assert.match(shown, /^rc=7$/m);
    });

    it("ends in order where its own terminal is gone", async () => {
      await using scene = await fixture();
      // As a shell does, which is told of it alone.
      const shell = `trap 'trap "" HUP; kill -HUP 0' HUP
        { trap : HUP; "$@"; echo $? >rc.new; mv rc.new rc; } <&0 & wait; wait`;
      const wrong: string[] = [];
      const runs = ["--ephemeral", "exec", "--", "sh", "-c"];
      for (
        const [words, ready, status] of [
          [[...runs, "echo go; exec sleep 60"], /go/, /^129$/],
          [[...runs, "trap '' HUP; echo go; sleep 0.5; exit 4"], /go/, /^4$/],
          [[...runs, "trap '' HUP; echo go; while echo x; do sleep 0.1; done"], /go/, /^(0|74)$/],
          [["--no-tty", ...runs, "trap '' HUP; echo go; sleep 0.5; exit 4"], /go/, /^4$/],
          [
            ["auth", "login", "--username", "ci-bot", "--storage", "file"],
            /Password/,
            /^(129|130)$/,
          ],
        ] as const
      ) {
        const command = ["bash", "-c", shell, "bash", ...home.command, ...words];
        const screen = await startShell(scene, command);
        await screen.until(ready);
        screen.close();
        const rc = join(scene.folder.path, "rc");
        const found = await eventually(
          words.join(" "),
          () => existsSync(rc) && readFile(rc, "utf8"),
        );
        await rm(rc);
        if (!status.test(found.trim())) wrong.push(`${found.trim()}: ${words.join(" ")}`);
        const live = scene.sandbox.liveTokens.filter(({ value }) => value !== scene.token);
        wrong.push(...live.map(({ name }) => `${name}: ${words.join(" ")}`));
      }
      assert.deepEqual(wrong, []);
    });

    it("all of a long text that is pasted arrives", async () => {
      await using scene = await fixture();
      const script = "stty raw -echo; echo go; head -c 200000 | tr -d x | wc -c; exit 3";
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          await screen.until(/go/);
          screen.type(`${"x".repeat(99)}\n`.repeat(2_000));
        },
      });
      assert.match(shown, /^\s*2000\s+rc=3$/m);
    });

    it("all of a long output arrives at a slow terminal", async () => {
      await using scene = await fixture();
      const script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end";
      const shown = await runInScreen(home, scene, ["exec", "--", "sh", "-c", script], {
        act: async (screen) => {
          await screen.until(/xxx/);
          screen.pause();
          // Longer than the 200 ms after which a careless reader would give up the rest.
          await new Promise((resolve) => setTimeout(resolve, 600));
          screen.resume();
        },
      });
      assert.deepEqual(shown.match(/x{10,}/g)?.map(({ length }) => length), [3_000_000]);
      assert.match(shown, /end\nrc=0/);
    });
  });
}

describe("a masked terminal", { skip }, () => {
  const streams = "test -t 0 && echo in; test -t 1 && echo out; test -t 2 && echo err; true";

  it("is for `exec`, unless CI is set, a word names a descriptor, or somebody says otherwise", async () => {
    await using scene = await fixture();
    const program = ["exec", "--", "sh", "-c", streams];
    const adc = await scene.folder.write("adc", `#!/bin/sh\n${streams}\n`);
    await chmod(adc, 0o755);
    for (
      const [words, env, expected] of [
        [["--no-tty", ...program], {}, "in"],
        [["--no-mask", ...program], {}, "in out err"],
        [program, { CI: "true" }, "in"],
        [program, { CI: "false" }, "in out err"],
        [["--tty", ...program], { CI: "true" }, "in out err"],
        [program, { ADC_RUN_TTY: "false" }, "in"],
        [[...program, "/dev/fd/7"], {}, "in"],
        [["--adc", adc, "ping"], {}, "in"],
        [["--adc", adc, "--tty", "ping"], {}, "in out err"],
        [["--adc", adc, "ping"], { ADC_RUN_TTY: "true" }, "in out err"],
      ] as const
    ) {
      const shown = await runInScreen(denoHome, scene, words, { env });
      const seen = shown.split("\n").filter((line) => /^(in|out|err)$/.test(line)).join(" ");
      assert.equal(seen, expected, words.join(" "));
    }
  });

  it("is an error where it was asked for and cannot be had, and pipes where it was not", async () => {
    await using scene = await fixture();
    const exec = ["exec", "--", "sh", "-c", streams];
    const options = { cwd: scene.folder.path, env: { ...scene.env, ADC_TOKEN: scene.token } };
    const redirected = await collect([...denoHome.command, "--tty", ...exec], options);
    assert.equal(redirected.status, 64);
    assert.match(
      redirected.stderr,
      /--tty: standard input, output and error are not all a terminal/,
    );
    const variable = { ...options, env: { ...options.env, ADC_RUN_TTY: "true" } };
    assert.equal((await collect([...denoHome.command, ...exec], variable)).status, 0);
    // What makes terminals is native code.
    const without = {
      ...denoHome,
      command: denoHome.command.filter((word) => word !== "--allow-ffi"),
    };
    const quietly = await runInScreen(without, scene, exec);
    assert.match(quietly, /\nin\nrc=0/);
    assert.doesNotMatch(quietly, /pseudo-terminal/);
    assert.match(
      await runInScreen(without, scene, ["-v", ...exec]),
      /no pseudo-terminal, so pipes: .*ffi/,
    );
    const shown = await runInScreen(without, scene, ["--tty", ...exec]);
    assert.match(shown, /there is no pseudo-terminal here[\s\S]*node-pty[\s\S]*rc=78/);
    const warning = /warning .*exec cannot give programs a terminal, and uses pipes: .*ffi/;
    for (const [{ command }, warns] of [[without, true], [denoHome, false]] as const) {
      const { stdout } = await collect([...command, "doctor"], options);
      assert.equal(warning.test(stdout.replaceAll(/\s+/g, " ")), warns, stdout);
    }
  });

  it("ends the program where it goes away itself", async () => {
    await using scene = await fixture();
    const script = "trap 'echo hup >hup; exit' HUP; echo go; while :; do sleep 0.05; done";
    const screen = await startShell(scene, [...denoHome.command, "exec", "--", "sh", "-c", script]);
    await screen.until(/go/);
    screen.close();
    await screen.end();
    for (;;) {
      if (existsSync(join(scene.folder.path, "hup"))) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});
