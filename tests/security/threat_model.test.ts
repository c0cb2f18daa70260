import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { repository } from "../support/tarball.ts";

const text = await readFile(join(repository, "SECURITY.md"), "utf8");
const [, model = ""] = /\n## Attackers and defenses\n([\s\S]*?)\n## /.exec(text) ?? [];

/** A line of the model, with the tests that it names. */
interface Claim {
  readonly claim: string;
  readonly tests: readonly (readonly [file: string, name: string])[];
}

function readClaims(part: string): readonly Claim[] {
  return part.split(/\n- /).slice(1).map((item) => {
    const claim = item.replaceAll(/\s+/g, " ").trim();
    const pointers = claim.matchAll(/`(tests\/[^`]*\.test\.ts)`((?:, "[^"]*")+)/g);
    return {
      claim,
      tests: [...pointers].flatMap(([, file, names]) =>
        [...names!.matchAll(/"([^"]*)"/g)].map(([, name]) => [file!, name!] as const)
      ),
    };
  });
}

describe("the threat model in SECURITY.md", () => {
  const boundaries = model.split(/^### /m).slice(1);

  it("says at each boundary who attacks, and what holds", () => {
    assert.ok(boundaries.length >= 7, `${boundaries.length} boundaries`);
    for (const boundary of boundaries) {
      const [title = "", who = ""] = boundary.split("\n\n");
      assert.match(who, /^[^-].*\.$/s, `"${title}" does not say who attacks`);
      assert.ok(readClaims(boundary).length > 0, `"${title}" does not say what holds`);
    }
  });

  it("names a test for everything that holds", () => {
    for (const { claim, tests } of readClaims(model)) {
      assert.ok(tests.length > 0, `no test shows: ${claim}`);
      const named = claim.match(/tests\/[\w/]*\.test\.ts/g)?.length;
      assert.equal(
        new Set(tests.map(([file]) => file)).size,
        named,
        `a file without a test: ${claim}`,
      );
    }
  });

  it("names tests that are there", async () => {
    for (const { tests } of readClaims(model)) {
      for (const [file, name] of tests) {
        const code = (await readFile(join(repository, file), "utf8")).replaceAll("\\`", "`");
        const begun = code.split(/\b(?:it|test|fuzz)\(\s*["`]/).slice(1);
        assert.ok(begun.some((rest) => rest.startsWith(name)), `${file} has no test "${name}"`);
      }
    }
  });
});
