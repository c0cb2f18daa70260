import assert from "node:assert/strict";
import { test } from "node:test";
import {
  readApiRequest as readRequest,
  readHeaders,
} from "../../../src/cli/commands/api_request.ts";
import type { ApiRequest } from "../../../src/cli/commands/api_request.ts";
import { OTHER_COMMANDS } from "../../../src/cli/manual/other_commands.ts";
import type { ApiOptions } from "../../../src/cli/manual/other_commands.ts";
import { readCommandLine } from "../../../src/cli/options.ts";
import { readCommand } from "../../../src/cli/read_command.ts";
import { UsageError } from "../../../src/errors.ts";
import { fakeIo } from "../../support/fake_io.ts";

function readApiRequest(words: readonly string[]): ApiRequest {
  const spec = OTHER_COMMANDS.find(({ name }) => name === "api")!;
  const line = { words, options: readCommandLine([]).options };
  const { operands, options } = readCommand<ApiOptions>(spec, line, fakeIo())!;
  return readRequest(operands, options);
}

test("`readApiRequest()` finds method, path, body, fields and headers", () => {
  for (
    const [words, method, path] of [
      [["/x"], "GET", "/x"],
      [["DELETE", "/x"], "DELETE", "/x"],
      [["-X", "PUT", "/x"], "PUT", "/x"],
      [["PUT", "/x", "-X", "PUT"], "PUT", "/x"],
      [["/x", "-d", "{}"], "POST", "/x"],
      [["/x", "-d", ""], "POST", "/x"],
      [["PATCH", "/x", "-d", "{}"], "PATCH", "/x"],
      [["--", "/x"], "GET", "/x"],
      [["USERS"], "GET", "USERS"],
    ] as const
  ) {
    const request = readApiRequest(words);
    assert.deepEqual([request.method, request.path], [method, path], words.join(" "));
  }
  const words = [
    "x",
    "-f",
    "a=b=c",
    "-f",
    "d=",
    "-H",
    "If-Match: a",
    "-H",
    "if-match:b",
    "-d",
    "-",
  ];
  const { fields, headers, data } = readApiRequest(words);
  assert.deepEqual(fields, [["a", "b=c"], ["d", ""]]);
  assert.deepEqual({ ...headers }, { "if-match": ["a", "b"] });
  assert.equal(data, "-");
});

test("`readApiRequest()` refuses what makes no request", () => {
  for (
    const [words, message] of [
      [[], /No path/],
      [["GET"], /No path/],
      [["GET", "/x", "/y"], /[Tt]oo many arguments/],
      [["get", "/x"], /capital letters/],
      [["-X", "get", "/x"], /capital letters/],
      [["-X", "GET /evil HTTP/1.1\r\nX: y", "/x"], /capital letters/],
      [["-X", "PUT", "GET", "/x"], /a method before the path already/],
      [["TRACE", "/x"], /the method TRACE/],
      [["-X", "connect", "/x"], /the method CONNECT/],
      [["/x", "-d", "a", "-d", "b"], /twice/],
      [["/x", "-f", "a"], /"key=value"/],
      [["/x", "-f", "=b"], /"key=value"/],
      [["/x", "--frob"], /Unknown option "--frob"/],
      [["/x", "-H"], /no value/],
      [["POST", "/x", "--paginate"], /the method POST/],
      [["GET", "/x", "--paginate", "-d", "x"], /-d/],
      [["/x", "--paginate", "-i"], /-i/],
      [["/x", "--paginate", "-f", "page=2"], /-f page/],
    ] as const
  ) {
    assert.throws(() => readApiRequest(words), (error: unknown) => {
      assert.ok(error instanceof UsageError, words.join(" "));
      assert.match(error.message, message);
      return true;
    }, words.join(" "));
  }
});

test("`readHeaders()` refuses headers that are not the caller's to set", () => {
  for (
    const name of [
      "X-API-KEY",
      "x_api_key",
      "Authorization",
      "Proxy-Authorization",
      "COOKIE",
      "Host",
      "Content-Length",
      "content_length",
      "Transfer-Encoding",
      "Connection",
      "Keep-Alive",
      "Upgrade",
      "TE",
      "Expect",
      "Accept-Encoding",
    ]
  ) {
    assert.throws(() => readHeaders([`${name}: a7ee-canary`]), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, new RegExp(`header "${name}"`));
      assert.doesNotMatch(error.message, /canary/);
      return true;
    });
  }
});

test("`readHeaders()` refuses what could end a header and begin another", () => {
  for (
    const line of [
      "A: b\r\nX-API-KEY: c",
      "A: b\nC: d",
      "A: b\r",
      "A: b\0",
      "A\r\nB: c",
      "A B: c",
      "A : c",
      ": c",
      "",
      "no colon",
      "A: é",
      "A: \u2028",
      "Ä: b",
      "A: \x7f",
    ]
  ) {
    assert.throws(() => readHeaders([line]), UsageError, JSON.stringify(line));
  }
  assert.deepEqual({ ...readHeaders(["A:", "B:  x\ty  ", "__proto__: z"]) }, {
    a: [""],
    b: ["x\ty"],
    ["__proto__"]: ["z"],
  });
});
