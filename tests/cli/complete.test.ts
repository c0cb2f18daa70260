import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
import { it } from "node:test";
import { complete } from "../../src/cli/completion/complete.ts";
import { fakeIo } from "../support/fake_io.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** What is answered to a shell, or to words. */
async function answer(
  words: readonly string[],
  more: { readonly input?: string; readonly cwd?: string; readonly config?: string } = {},
): Promise<string> {
  const { input, cwd = "/nowhere", config = "/nowhere" } = more;
  const stdin = Readable.from(input === undefined ? [] : [Buffer.from(input)]);
  const io = fakeIo({ stdin, cwd, env: { ADC_RUN_CONFIG_DIR: config } });
  assert.equal(await complete(words, io), 0);
  assert.deepEqual(io.err, []);
  return io.out.join("");
}

it("`complete()` reads each shell's own form of the line", async () => {
  const expected = /^logout\t.*\n:none\n$/;
  const words = ["auth", "logo"];
  assert.match(await answer(["--", ...words]), expected);
  assert.match(await answer(["bash"], { input: 'adc-run "auth" logo' }), expected);
  assert.match(await answer(["zsh"], { input: "auth\0logo\0" }), expected);
  assert.match(await answer(["fish"], { input: "auth\0logo\0" }), expected);
  const base64 = Buffer.from("auth\0logo").toString("base64");
  assert.match(await answer(["powershell"], { input: `${base64}\r\n` }), expected);
});

it("`complete()` offers the profiles of both files, and what they lead to", async () => {
  await using folder = await temporaryFolder({
    "adc-run.json": '{"version":1,"profiles":{"shared":{"server":"https://a.example"},"own":{}}}',
  });
  const profiles = { own: { backend: "api7ee", server: "https://b.example" } };
  await using config = await temporaryFolder({
    "config.json": JSON.stringify({ version: 1, profiles }),
  });
  const place = { cwd: folder.path, config: config.path };
  assert.equal(
    await answer(["--", "-p", ""], place),
    "own\tapi7ee https://b.example\nshared\thttps://a.example\n:none\n",
  );
});

it("`complete()` offers no profiles where a file is broken, and says nothing of it", async () => {
  await using folder = await temporaryFolder({ "adc-run.json": '{"version":1,"profiles":' });
  assert.equal(await answer(["--", "-p", ""], { cwd: folder.path }), ":none\n");
});

it("`complete()` gives up on a line without an end", async () => {
  const input = "x\0".repeat(1 << 16);
  assert.equal(await answer(["zsh"], { input }), ":none\n");
});
