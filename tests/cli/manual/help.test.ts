import assert from "node:assert/strict";
import { it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { helpText } from "../../../src/cli/manual/help.ts";
import {
  COMMANDS,
  findPage,
  refuseUnknownCommand,
  unknownSubcommand,
} from "../../../src/cli/manual/manual.ts";
import type { UsageError } from "../../../src/errors.ts";
import { fakeIo } from "../../support/fake_io.ts";

it("`helpText()` names the nearest page, and keeps a word to itself that is near none", () => {
  assert.throws(() => helpText("profle"), (error: UsageError) => {
    assert.equal(error.exitCode, 64);
    assert.equal(error.message, 'No help topic "profle": did you mean "profile"?');
    assert.match(error.suggestion!, /sources, profiles, fan-out/);
    return true;
  });
  assert.throws(() => helpText("auth lgoin"), /"auth lgoin": did you mean "auth login"/);
  assert.throws(() => helpText("login"), /"login": did you mean "auth login"/);
  assert.throws(() => helpText("a7ee-zqzqzqzq"), { message: 'No help topic "a7…"' });
  for (
    const [words, page] of [["json --json", "json"], ["auth login now or never", "auth login"]]
  ) {
    assert.throws(() => helpText(words), (error: UsageError) => {
      assert.equal(error.message, 'Too many words: "adc-run help" takes one command or topic');
      assert.equal(error.suggestion, `adc-run help ${page}`);
      return true;
    });
  }
});

it("`helpText()` wraps no line that is there to be copied", () => {
  for (const name of ["profile set", "auth create", "profiles", "ci"]) {
    const page = findPage(name)!;
    const { examples = [] } = page.kind === "topic"
      ? page.topic
      : COMMANDS.find((each) => each.name === name)!;
    const code = page.kind === "topic"
      ? page.topic.text.filter((each) => Array.isArray(each)).flat()
      : [];
    const lines = helpText(name, 40).split("\n");
    for (const line of [...code, ...examples.map(([, line]) => line)]) {
      assert.ok(lines.includes(`  ${line}`), line);
    }
    assert.ok(lines.some((line) => line.length < 40), name);
  }
});

it("`helpText()` finds a topic by its other names", () => {
  assert.equal(helpText("exit-codes"), helpText("verdicts"));
  assert.match(helpText("sync"), /sync is a command of ADC/);
});

it("`refuseUnknownCommand()` refuses what is no command, and says which is near", () => {
  for (
    const [word, meant] of [
      ["profle", "profile"],
      ["snyc", "sync"],
      ["docter", "doctor"],
      ["complition", "completion"],
      ["valdate", "validate"],
      ["SYNC", "sync"],
      ["login", "auth login"],
      ["lgoin", "auth login"],
      ["list", "auth list"],
      ["whoami", "auth status"],
      ["version", "--version"],
      ["config", "profile"],
    ]
  ) {
    assert.throws(() => refuseUnknownCommand(word!), (error: UsageError) => {
      assert.equal(error.message, `Unknown command "${word}": did you mean "${meant}"?`);
      assert.equal(error.suggestion, `See "adc-run --help". To pass it to ADC: adc-run -- ${word}`);
      return true;
    });
  }
  assert.throws(() => refuseUnknownCommand("bogus"), { message: 'Unknown command "bogus"' });
  assert.throws(() => refuseUnknownCommand("a7ee-zqzq1"), { message: 'Unknown command "a7…"' });
  assert.throws(() => refuseUnknownCommand(""), { message: "The command is empty" });
  const known = ["sync", "dev", "server", "ingress-server", "ingress-sync", "help", "auth", "exec"];
  for (const word of [...known, "-v", "--version"]) {
    refuseUnknownCommand(word);
  }
});

it("`unknownSubcommand()` says which there are", () => {
  const error = unknownSubcommand("auth", "lgoin");
  assert.equal(error.message, 'Unknown command "auth lgoin": did you mean "auth login"?');
  for (
    const [command, name, meant] of [
      ["profile", "add", "set"],
      ["profile", "rm", "remove"],
      ["auth", "ls", "list"],
    ] as const
  ) {
    const found = `did you mean "${command} ${meant}"?`;
    assert.ok(unknownSubcommand(command, name).message.endsWith(found), found);
  }
  assert.equal(
    error.suggestion,
    "Commands: auth login, status, token, list, create, rotate, revoke and logout.",
  );
});

it("`main()` refuses a mistyped command before anything else, unless two dashes stand before it", async () => {
  const io = fakeIo();
  assert.equal(await main(["profle", "list"], io), 64);
  assert.match(io.err.join(""), /did you mean "profile"[\s\S]*adc-run -- profle/);
  const verbatim = fakeIo({ env: { PATH: "" } });
  await main(["--no-check", "--source", "env", "--", "profle"], verbatim);
  assert.doesNotMatch(verbatim.err.join(""), /did you mean/);
});
