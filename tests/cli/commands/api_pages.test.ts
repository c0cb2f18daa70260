import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { RawAnswer } from "../../../src/admin_api/raw_request.ts";
import { allPages, pageFields } from "../../../src/cli/commands/api_output.ts";

function answerOf(body: string): RawAnswer {
  async function* bytes() {
    yield await Promise.resolve(Buffer.from(body));
  }
  return {
    status: 200,
    reason: "",
    headers: [],
    header: () => undefined,
    request: "GET http://x/list",
    body: bytes(),
  };
}

/** Reads pages as a server would give them, and tells which were asked for. */
async function read(...pages: readonly string[]) {
  const asked: number[] = [];
  let text = "";
  const next = (page: number) => {
    asked.push(page);
    return Promise.resolve(answerOf(pages[Math.min(page, pages.length) - 1]!));
  };
  for await (const piece of allPages(answerOf(pages[0]!), next)) text += Buffer.from(piece);
  return { text, asked };
}

test("`allPages()` makes one list of all pages, each item as it was written", async () => {
  assert.deepEqual(
    await read(
      '{"list":[ {"n":12345678901234567890}, 2 ],"total":3}',
      '{ "total" : 3, "list" : [3.0] }',
    ),
    { text: '{"list":[{"n":12345678901234567890}, 2,3.0],"total":3}\n', asked: [2] },
  );
});

test("`allPages()` ends with the total, an empty page, or a page that comes again", async () => {
  for (
    const [pages, text, asked] of [
      [['{"list":[1],"total":1}'], '{"list":[1],"total":1}\n', []],
      [['{"list":[],"total":0}'], '{"list":[],"total":0}\n', []],
      [['{"list":null,"total":0}'], '{"list":[],"total":0}\n', []],
      [['{"list":{},"total":0}'], '{"list":[],"total":0}\n', []],
      [['{"list":[1]}', '{"list":[2]}', '{"list":[]}'], '{"list":[1,2],"total":2}\n', [2, 3]],
      [['{"list":[1]}', '{"list":[1]}'], '{"list":[1],"total":1}\n', [2]],
      [['{"list":[1],"total":9}', '{"list":[],"total":9}'], '{"list":[1],"total":9}\n', [2]],
      [['{"list":[1],"total":2}', '{"list":[2],"total":2}'], '{"list":[1,2],"total":2}\n', [2]],
    ] as const
  ) {
    assert.deepEqual(await read(...pages), { text, asked }, pages[0]);
  }
});

test("`allPages()` refuses what is no list", async () => {
  for (
    const body of [
      '{"value":{}}',
      "[]",
      "{}",
      '"list"',
      '{"list":"x"}',
      '{"list":{"a":1}}',
      '{"list":[],"total":"1"}',
      '{"list":[1',
      "<html>",
      "",
    ]
  ) {
    await assert.rejects(read(body), {
      exitCode: 65,
      message: /page by page: the response is not a list/,
    });
  }
});

test("`pageFields()` leaves a page size that was given alone", () => {
  assert.deepEqual(pageFields("/x", 2), [["page", "2"], ["page_size", "100"]]);
  assert.deepEqual(pageFields("/x?page_size=7", 2), [["page", "2"]]);
});
