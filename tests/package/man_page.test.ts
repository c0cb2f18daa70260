import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { manPage } from "../../scripts/man_page.ts";
import { GLOBAL_OPTIONS } from "../../src/cli/global_options.ts";
import { COMMANDS } from "../../src/cli/manual/manual.ts";
import { TOPICS } from "../../src/cli/manual/topics.ts";
import { skipWithoutPrograms } from "../support/required.ts";

const page = manPage({ version: "1.2.3", date: new Date(Date.UTC(2026, 10, 24)) });

/** The programs that show manual pages: what each is asked, so that it finds fault. */
const READERS = {
  mandoc: ["-T", "lint", "-W", "warning"],
  groff: ["-ww", "-man", "-T", "utf8", "-z"],
} as const;

describe("the man page", () => {
  it("has the version and the date, and every command, option and topic", () => {
    const plain = page.replaceAll("\\-", "-").replaceAll("\\(aq", "'");
    assert.match(plain, /^\.TH ADC-RUN 1 2026-11-24 "adc-run 1\.2\.3"/);
    for (const { name } of COMMANDS) assert.ok(plain.includes(`\n.SS adc-run ${name}\n`), name);
    for (const { flags } of GLOBAL_OPTIONS) assert.ok(plain.includes(`\n.B ${flags}\n`), flags);
    const sections = [...TOPICS.map(({ name }) => name), "exit status", "files"];
    for (const name of sections) {
      assert.equal(plain.split(`\n.SH ${name.toUpperCase()}\n`).length, 2, name);
    }
    assert.equal(plain.split("\n.B 78\n").length, 2);
  });

  for (const [name, args] of Object.entries(READERS)) {
    it(`has nothing that ${name} warns of`, {
      skip: skipWithoutPrograms("man", [name]),
    }, () => {
      const { status, stdout, stderr } = spawnSync(name, args, { input: page, encoding: "utf8" });
      assert.deepEqual([stdout, stderr, status], ["", "", 0]);
    });
  }
});
