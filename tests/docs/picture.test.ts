import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { sessionPicture } from "../../scripts/picture/session_picture.ts";
import { terminalSkip } from "../support/in_terminal.ts";
import { keychainSkip } from "../support/keychain_session.ts";
import { repository } from "./markdown.ts";

describe("docs/session.svg", () => {
  it("shows what adc-run says today", { skip: terminalSkip() || keychainSkip() }, async () => {
    const kept = await readFile(`${repository}docs/session.svg`, "utf8");
    assert.equal(kept, await sessionPicture(), "run: deno task picture");
  });

  it("shows no token, and nothing of the machine that it was made on", async () => {
    const kept = await readFile(`${repository}docs/session.svg`, "utf8");
    assert.doesNotMatch(kept, /a7(ee|adm)-[^*]|localhost|127\.0\.0\.1|\/tmp\/|\/root\//);
  });
});
