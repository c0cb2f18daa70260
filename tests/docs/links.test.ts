import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { posix } from "node:path";
import { describe, it } from "node:test";
import { anchors, links, pages, repository } from "./markdown.ts";

/** Where packages, which hold the README alone, find a file of the repository. */
const RAW = "https://raw.githubusercontent.com/adc-run/adc-run/main/";

const all = await pages();

describe("the pages", () => {
  for (const { path, text } of all) {
    it(`${path} links to files and headings that are there`, () => {
      for (const link of links(text)) {
        const target = link.startsWith(RAW) ? `/${link.slice(RAW.length)}` : link;
        if (/^[a-z]+:/.test(target)) continue;
        const [file = "", anchor] = target.split("#");
        const resolved = file === ""
          ? path
          : posix.join(...file.startsWith("/") ? [file.slice(1)] : [posix.dirname(path), file]);
        assert.ok(existsSync(repository + resolved), `${link}: there is no ${resolved}`);
        if (anchor === undefined) continue;
        const page = all.find((each) => each.path === resolved);
        assert.ok(page !== undefined, `${link}: ${resolved} is no page`);
        assert.ok(anchors(page.text).has(anchor), `${link}: ${resolved} has no such heading`);
      }
    });
  }

  it("are all linked to from the README", () => {
    const linked = new Set(links(all.find(({ path }) => path === "README.md")!.text));
    for (const { path } of all) {
      if (path !== "README.md") assert.ok(linked.has(path), path);
    }
  });

  it("the README shows the picture from where npm and JSR find it", () => {
    const readme = all.find(({ path }) => path === "README.md")!;
    assert.ok(links(readme.text).includes(`${RAW}docs/session.svg`));
  });
});

describe("anchors()", () => {
  it("makes of a heading what GitHub makes of it", () => {
    const text = "# One two\n## `auth` login, first!\n## One two\n```\n# no heading\n```\n";
    assert.deepEqual([...anchors(text)], ["one-two", "auth-login-first", "one-two-1"]);
  });
});
