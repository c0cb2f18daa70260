import assert from "node:assert/strict";
import { chmod, readdir } from "node:fs/promises";
import { describe, it } from "node:test";
import { adcRun } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";
import { BASH_COMPLETION, shellSkip, typeInto } from "./shell_session.ts";
import type { TestedShell } from "./shell_session.ts";

const PROFILES = JSON.stringify({
  version: 1,
  profiles: {
    staging: { server: "https://staging.example.com" },
    "prod-eu": { server: "https://eu.example.com" },
    "prod-us": { server: "https://us.example.com" },
  },
});

/** Files with names that a shell has to quote, and a program that no system has. */
async function workplace(): Promise<TemporaryFolder> {
  const folder = await temporaryFolder({
    "my file (1).yaml": "",
    "oth'er $HOME.env": "",
    "adc-run.json": PROFILES,
    "bin/zqzq-tool": "#!/bin/sh\n",
  });
  await chmod(`${folder.path}/bin/zqzq-tool`, 0o755);
  return folder;
}

/** What is typed, and what adc-run is called with. */
const LINES: readonly (readonly [line: string, call: readonly string[]])[] = [
  ["adc-run sy\t", ["sync"]],
  ["true; adc-run sy\t", ["sync"]],
  ["NAME=1 adc-run sy\t", ["sync"]],
  ["adc-run auth logi\t --na\tx", ["auth", "login", "--name", "x"]],
  ["adc-run --dry\t dif\t --gat\tg", ["--dry-run", "diff", "--gateway-group", "g"]],
  ["adc-run -p sta\t ping", ["-p", "staging", "ping"]],
  ["adc-run -p staging,prod-e\t ping", ["-p", "staging,prod-eu", "ping"]],
  ["adc-run --profile=staging,prod-u\t ping", ["--profile=staging,prod-us", "ping"]],
  ["adc-run --source env,key\t lint", ["--source", "env,keychain", "lint"]],
  ["adc-run sync --backend=apisix-\t", ["sync", "--backend=apisix-standalone"]],
  ["adc-run sync --backend apisix-\t", ["sync", "--backend", "apisix-standalone"]],
  ["adc-run sync -f my\t", ["sync", "-f", "my file (1).yaml"]],
  ["adc-run sync --file=my\t", ["sync", "--file=my file (1).yaml"]],
  ["adc-run sync -f 'my f\t", ["sync", "-f", "my file (1).yaml"]],
  ["adc-run --env-file oth\t lint", ["--env-file", "oth'er $HOME.env", "lint"]],
  ["adc-run --env-file my\\ f\t lin\t", ["--env-file", "my file (1).yaml", "lint"]],
  ["adc-run exec -- zqzq\t", ["exec", "--", "zqzq-tool"]],
  ["adc-run exec -- zqzq-tool my\t", ["exec", "--", "zqzq-tool", "my file (1).yaml"]],
  ["adc-run --env-file=my\t exec -- zqzq\t", [
    "--env-file=my file (1).yaml",
    "exec",
    "--",
    "zqzq-tool",
  ]],
];

for (const home of await testHomes("one home")) {
  for (const shell of ["bash", "zsh", "fish"] satisfies TestedShell[]) {
    describe(`completion in ${shell} on ${home.name}`, { skip: shellSkip(shell) }, () => {
      it("completes commands, options, values, profiles, files, and other programs", async () => {
        await using folder = await workplace();
        const { calls, screen } = await typeInto(shell, LINES.map(([line]) => line), {
          home,
          folder,
        });
        assert.deepEqual(calls, LINES.map(([, call]) => call), screen);
      });

      it("runs nothing that is being typed, or that a project's profiles are called", async () => {
        await using folder = await workplace();
        const names = ["x;touch PWNED", "$(touch PWNED)", "`touch PWNED`", "a b", "\x1b[2J"];
        const profiles = Object.fromEntries(names.map((name) => [name, {}]));
        await folder.write("adc-run.json", JSON.stringify({ version: 1, profiles }));
        const lines = [
          "adc-run -p \t\t\x15",
          "adc-run $(touch PWNED) sy\t\x15",
          "adc-run `touch PWNED` -p \t\x15",
          'adc-run "$(touch PWNED)" sync --backend=\t\x15',
          "adc-run sync -f $(touch PWNED) --fi\t\x15",
          "adc-run sy\t",
        ].filter((line) => shell !== "fish" || !line.includes("`"));
        const { calls, screen } = await typeInto(shell, lines, { home, folder });
        assert.deepEqual(calls, [["sync"]], screen);
        assert.ok(!(await readdir(folder.path)).includes("PWNED"), screen);
      });
    });
  }

  describe(`completion in bash with bash-completion on ${home.name}`, {
    skip: shellSkip("bash", BASH_COMPLETION),
  }, () => {
    it("leaves words behind `exec --` to the completion of their own program", async () => {
      await using folder = await workplace();
      const settings = `. ${BASH_COMPLETION}; ` +
        "_zqzq() { COMPREPLY=(own-word); }; complete -F _zqzq zqzq-tool";
      const lines = [
        "adc-run exec -- zqzq\t o\t",
        "adc-run sync --backend=apisix-\t -f my\t",
      ];
      const { calls, screen } = await typeInto("bash", lines, { home, folder, settings });
      assert.deepEqual(calls, [
        ["exec", "--", "zqzq-tool", "own-word"],
        ["sync", "--backend=apisix-standalone", "-f", "my file (1).yaml"],
      ], screen);
    });
  });

  describe(`what the shells ask on ${home.name}`, () => {
    it("`complete` answers with exit code 0 and nothing on standard error, whatever is wrong", async () => {
      await using folder = await temporaryFolder({ "adc-run.json": "{ not json" });
      for (
        const args of [
          ["complete"],
          ["complete", "--"],
          ["complete", "tcsh"],
          ["complete", "--", "-p", ""],
          ["complete", "--", "frob", "--x=", ""],
        ]
      ) {
        const env = { ADC_RUN_CONFIG_DIR: `${folder.path}/c`, ADC_SERVER: "not a server" };
        const ended = await adcRun(home, args, { cwd: folder.path, env });
        assert.deepEqual([ended.code, ended.stderr], [0, ""], args.join(" "));
        assert.match(ended.stdout, /^:(none|files)$/m);
      }
    });
  });
}
