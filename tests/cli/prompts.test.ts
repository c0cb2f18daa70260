import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { askCredentials } from "../../src/cli/prompts.ts";
import { resolveConnection } from "../../src/connection/connection.ts";
import { fakeIo } from "../support/fake_io.ts";

test("`askCredentials()` asks no target after somebody gave up, however late it comes", async () => {
  const stdin = new PassThrough();
  const io = fakeIo({ stdin });
  const server = "http://127.0.0.1:1";
  const connection = await resolveConnection({ backend: "api7ee", server, env: {}, cwd: "." });
  const ask = () => askCredentials(io, () => "")(connection, {});
  const asked = ask();
  stdin.write("\x03");
  await assert.rejects(asked, { message: "Cancelled" });
  const shown = io.err.length;
  assert.match(io.err.join(""), /No token for http:\S+\. Log in now\?/);
  const late = ask();
  stdin.write("\x03");
  await assert.rejects(late, { message: "Cancelled" });
  assert.equal(io.err.length, shown, "it asks no more");
});
