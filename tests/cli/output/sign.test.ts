import assert from "node:assert/strict";
import { it } from "node:test";
import { fixed, line, writeText } from "../../../src/cli/output/out.ts";
import { createReporter } from "../../../src/cli/output/report.ts";
import { Sign } from "../../../src/cli/output/sign.ts";
import { fakeIo, textSink } from "../../support/fake_io.ts";

function scene(columns = 80) {
  const written: string[] = [];
  const stderr = Object.assign(textSink(written), { columns });
  const clock = { now: 0 };
  const io = fakeIo({ stderr });
  const sign = new Sign({ stderr, clean: io, now: () => clock.now });
  return { written, clock, sign, io: Object.assign(io, { sign }) };
}

it("`Sign` says after a second what adc-run waits for, and is gone before anything else", () => {
  const { written, clock, sign, io } = scene();
  sign.show(line`logging in at ${"gw.example.com\x1b[2J"}`);
  clock.now = 900;
  sign.draw();
  assert.deepEqual(written, []);
  clock.now = 3_100;
  sign.draw();
  // deno-lint-ignore no-control-regex
  assert.match(written.join(""), /^\r\x1b\[K\S logging in at gw\.example\.com… 3 s$/);
  written.length = 0;
  writeText(fixed("done"), io, "stderr");
  assert.deepEqual(written, ["\r\x1b[K", "done\n"]);
  sign.hide();
  clock.now = 9_000;
  sign.draw();
  assert.equal(written.length, 2);
});

it("`Sign` says nothing with --quiet, with --json, or where it takes two lines", () => {
  for (const options of [{ quiet: true }, { json: true }]) {
    const { written, clock, sign, io } = scene();
    createReporter(io, options);
    sign.show("x");
    clock.now = 5_000;
    sign.draw();
    assert.deepEqual(written, []);
  }
  const { written, clock, sign } = scene(10);
  sign.show("logging in at gw.example.com");
  clock.now = 5_000;
  sign.draw();
  assert.deepEqual(written, []);
  sign.hide();
});
