import assert from "node:assert/strict";
import { it } from "node:test";
import { main } from "../../../src/cli/main.ts";
import { helpText } from "../../../src/cli/manual/help.ts";
import { refuseMistypedCommand, unknownSubcommand } from "../../../src/cli/manual/manual.ts";
import type { UsageError } from "../../../src/errors.ts";
import { fakeIo } from "../../support/fake_io.ts";

it("`helpText()` names the nearest page, and keeps a word to itself that is near none", () => {
  assert.throws(() => helpText("profle"), (error: UsageError) => {
    assert.equal(error.exitCode, 64);
    assert.equal(error.message, 'There is no help on "profle": did you mean "profile"?');
    assert.match(error.suggestion!, /sources, profiles, fan-out/);
    return true;
  });
  assert.throws(() => helpText("auth lgoin"), /"auth lgoin": did you mean "auth login"/);
  assert.throws(() => helpText("login"), /"login": did you mean "auth login"/);
  assert.throws(() => helpText("a7ee-zqzqzqzq"), { message: "There is no help on that" });
});

it("`helpText()` finds a topic by its other names", () => {
  assert.equal(helpText("exit-codes"), helpText("verdicts"));
  assert.match(helpText("sync"), /sync is a command of ADC/);
});

it("`refuseMistypedCommand()` refuses a word that is nearly a command, and no other", () => {
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
    ]
  ) {
    assert.throws(() => refuseMistypedCommand(word!), (error: UsageError) => {
      assert.equal(error.message, `There is no command "${word}": did you mean "${meant}"?`);
      assert.equal(error.suggestion, `To hand it to ADC all the same: adc-run -- ${word}`);
      return true;
    });
  }
  for (
    const word of ["sync", "dev", "server", "help", "auth", "exec", "rollback", "-v", "--version"]
  ) {
    refuseMistypedCommand(word);
  }
});

it("`unknownSubcommand()` says which there are", () => {
  const error = unknownSubcommand("auth", "lgoin");
  assert.equal(error.message, 'There is no command "auth lgoin": did you mean "login"?');
  assert.equal(
    error.suggestion,
    "There are auth login, status, token, list, create, rotate, revoke and logout.",
  );
  assert.equal(unknownSubcommand("profile", undefined).message, "There is no profile command");
});

it("`main()` refuses a mistyped command before anything else, unless two dashes stand before it", async () => {
  const io = fakeIo();
  assert.equal(await main(["profle", "list"], io), 64);
  assert.match(io.err.join(""), /did you mean "profile"[\s\S]*adc-run -- profle/);
  const verbatim = fakeIo({ env: { PATH: "" } });
  await main(["--no-check", "--source", "env", "--", "profle"], verbatim);
  assert.doesNotMatch(verbatim.err.join(""), /did you mean/);
});
