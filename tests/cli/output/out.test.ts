import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { it } from "node:test";
import {
  cell,
  fixed,
  KnownSecrets,
  line,
  render,
  tableOf,
  writeJson,
  writeText,
} from "../../../src/cli/output/out.ts";
import { Secret } from "../../../src/secret.ts";
import { fakeIo } from "../../support/fake_io.ts";

const TOKEN = "canary-of-out/1";

const io = () => fakeIo({ env: { ADC_TOKEN: TOKEN } });

function shown(value: string): string {
  return cell(value, io());
}

it("`cell()` gives one line that draws nothing", () => {
  assert.equal(shown("a\x1b[2J\x07b\nc\u2028d\x9be\tf\r\x7fg"), "a b c d f g");
  assert.equal(shown("a\u202eb\u2066c\u200bd\ufeffe\u00adf\u{e0041}g\u061ch\ud800i"), "abcdefghi");
  assert.equal(shown("Zoë 李 🙂 [::1]:9180"), "Zoë 李 🙂 [::1]:9180");
});

it("`cell()` makes no command for a CI system", () => {
  for (const value of ["::error::x", "  ::set-env name=a::b", "\u200b::add-mask::x", "\n::x::y"]) {
    assert.doesNotMatch(shown(value), /^\s*::/, value);
  }
  for (const value of ["a ##[add-path]b", "##vso[task.x]y", "##teamcity[x]", "#\u200b#[x]"]) {
    assert.doesNotMatch(shown(value), /##\w*\[/, value);
  }
  assert.doesNotMatch(shown("\rsection_start:1:x\r\x1b[0K"), /section_(start|end):/);
});

it("`cell()` shows no secret, however it is written or broken", () => {
  const forms = [
    TOKEN,
    encodeURIComponent(TOKEN),
    Buffer.from(TOKEN).toString("base64"),
    Buffer.from(TOKEN).toString("hex"),
    [...TOKEN].join("\u200b"),
    `${TOKEN.slice(0, 5)}\x1b[31m${TOKEN.slice(5)}`,
  ];
  for (const form of forms) {
    assert.equal(shown(`x ${form} y`), "x *** y");
    const out = io();
    writeJson({ form }, out, "stdout");
    assert.equal(out.out.join(""), '{"form":"***"}\n');
  }
  assert.equal(shown('no file "/x/a7ee-zqzq"'), 'no file "/x/a7ee-***"');
  assert.equal(shown("a7adm-zq.zq, next"), "a7adm-***, next");
  for (const address of ["https://zqzq@host/x", "--server=http://u:zq@zq@host"]) {
    assert.ok(!shown(address).includes("zq"), address);
  }
});

it("`cell()` leaves prefixes, redacted tokens, short words and paths alone", () => {
  const text = 'token a7ee-*** (9261e1c1) starts with "a7ee-" or a word';
  assert.equal(cell(text, fakeIo({ env: { ADC_TOKEN: "word" } })), text);
  assert.equal(shown("https://host/@scope/x -f a@b"), "https://host/@scope/x -f a@b");
});

it("`line` keeps its own words, whatever they are to anybody else, and cleans what is in between", () => {
  const out = fakeIo({ env: { ADC_TOKEN: "environment", API7_PASSWORD: "password" } });
  const text = line`the password of ${"the environment\n::x::"} in ${line`the environment ${1}`}`;
  assert.equal(render(text, out), "the password of the *** ::x:: in the environment 1");
  assert.equal(render(fixed("the password"), out), "the password");
});

it("`writeText()` starts no line with a command that its parts make together", () => {
  const out = io();
  writeText(line`${":"}${":error::x"}`, out, "stdout");
  writeText(line`${""}  ${":"}:warning::`, out, "stdout");
  assert.doesNotMatch(out.out.join(""), /^\s*::/m);
});

it("`tableOf()` measures what is shown", () => {
  const rows = [["a", "b"].map(fixed), [`x${TOKEN}\n`, "1"], ["yy", "2"]];
  assert.equal(render(tableOf(rows, io()), io()), "a      b\nx***   1\nyy     2");
});

it("`writeJson()` keeps values as they are, spelled so that none draws or commands", () => {
  const out = io();
  const data = {
    exitCode: 0,
    name:
      "::error::x\n::y::\x9b\u2028\u202e\u200b\u{e0041}\x7f\x1b ##[a]b ##vso[c] section_start:1:x",
    environment: "a\ud800",
  };
  writeJson(data, out, "stderr");
  const [text] = out.err;
  assert.deepEqual(JSON.parse(text!), data);
  assert.match(text!, /^[\x20-\x7e]*\n$/);
  assert.doesNotMatch(text!, /^\s*::|##\w*\[|section_start:/m);
});

it("`writeJson()` masks values and never names, so that it stays JSON", () => {
  const out = fakeIo({ env: { ADC_TOKEN: "exitCode", API7_PASSWORD: '":64,"me' } });
  out.secrets.add(new Secret("1793491200"));
  writeJson({ exitCode: 64, message: 'exitCode ":64,"me', end: 1793491200 }, out, "stdout");
  assert.deepEqual(JSON.parse(out.out.join("")), { exitCode: 64, message: "*** ***", end: "***" });
});

it("`KnownSecrets` learns: tokens of a list, what a session gets later, what was trimmed", () => {
  const secrets = new KnownSecrets({ ADC_TOKEN: " one-canary , two-canary\n" });
  assert.equal(secrets.mask("one-canary two-canary"), "*** ***");
  const session: { secrets: Secret[] } = { secrets: [] };
  secrets.watch(session);
  assert.equal(secrets.mask("session-canary"), "session-canary");
  session.secrets.push(new Secret("session-canary"));
  secrets.add(undefined, new Secret("late-canary"));
  assert.equal(secrets.mask("session-canary late-canary short"), "*** *** short");
});

it("`KnownSecrets` ignores a variable that Deno cannot read, and would quote", () => {
  const env = {
    get ADC_TOKEN(): string {
      throw new Error('not valid unicode: "a7ee-zq"');
    },
    API_KEY: "zqzq-zqzq",
  };
  assert.equal(new KnownSecrets(env).mask("server zqzq-zqzq"), "server ***");
});
