import assert from "node:assert/strict";
import { it } from "node:test";
import { redact, withoutPassword } from "../../../src/cli/output/report.ts";

it("`redact()` takes out tokens that were put into the wrong variable", () => {
  assert.equal(redact('no file "/x/a7ee-zqzq"', {}), 'no file "/x/a7ee-***"');
  assert.equal(redact("a7adm-zq.zq, next", {}), "a7adm-***, next");
  assert.equal(redact("server zqzq-zqzq", { ADC_TOKEN: "zqzq-zqzq" }), "server ***");
});

it("`redact()` leaves prefixes, redacted tokens and short words alone", () => {
  const text = 'token a7ee-*** (9261e1c1) starts with "a7ee-" or a word';
  assert.equal(redact(text, { ADC_TOKEN: "word" }), text);
});

it("`redact()` passes over a variable that Deno cannot read, and would quote", () => {
  const env = {
    get ADC_TOKEN(): string {
      throw new Error('not valid unicode: "a7ee-zq"');
    },
    API_KEY: "zqzq-zqzq",
  };
  assert.equal(redact("server zqzq-zqzq", env), "server ***");
});

it("`withoutPassword()` takes out what stands before the `@` of an address", () => {
  for (const address of ["https://zqzq@host/x", "--server=http://u:zqzq@host"]) {
    assert.ok(!withoutPassword(address).includes("zqzq"));
  }
  assert.equal(withoutPassword("https://host/@scope/x -f a@b"), "https://host/@scope/x -f a@b");
});
