import assert from "node:assert/strict";
import { test } from "node:test";
import { hasField, readTarget, withFields } from "../../../src/cli/commands/api_request.ts";
import { readServers } from "../../../src/connection/server.ts";
import { UsageError } from "../../../src/errors.ts";

function serversOf(value: string) {
  return readServers({ value, origin: { kind: "default" } }, true);
}

const SERVER = "https://gw.example.com:7443";

test("`readTarget()` takes a path with and without its slash, and an address on the server", () => {
  for (
    const [written, path, server = SERVER] of [
      ["/api/users", "/api/users"],
      ["api/users", "/api/users"],
      ["/", "/"],
      ["?a=b", "/?a=b"],
      ["/api/users?a=b&c=%20d", "/api/users?a=b&c=%20d"],
      ["/a b", "/a%20b"],
      ["/ü", "/%C3%BC"],
      ["/a//b/", "/a//b/"],
      ["/a%2Fb", "/a%2Fb"],
      ["/a..b/...", "/a..b/..."],
      ["/x?next=../../y\\z", "/x?next=../../y\\z"],
      ["/x?to=http://evil/", "/x?to=http://evil/"],
      ["/a:b@c", "/a:b@c"],
      ["https://gw.example.com:7443/api", "/api"],
      ["HTTPS://GW.example.com:7443/api?x=1", "/api?x=1"],
      ["https://gw.example.com:7443", "/"],
      ["https://gw.example.com:7443?x", "/?x"],
      ["/api", "/api", `${SERVER}/base`],
      ["https://gw.example.com:7443/base/api", "/api", `${SERVER}/base/`],
      ["https://gw.example.com:7443/base", "/", `${SERVER}/base`],
      ["https://gw.example.com/api", "/api", "https://gw.example.com:443"],
    ] as const
  ) {
    const servers = serversOf(server);
    const target = readTarget(written, servers);
    assert.equal(target.path, path, written);
    assert.equal(target.server, servers[0], written);
  }
});

test("`readTarget()` finds the server of an address among several", () => {
  const servers = serversOf("http://one:1,http://two:2");
  assert.equal(readTarget("http://two:2/x", servers).server, servers[1]);
  assert.equal(readTarget("/x", servers).server, servers[0]);
});

test("`readTarget()` refuses all that leads elsewhere, or could", () => {
  for (
    const written of [
      "",
      "  ",
      "//evil.example",
      "///evil.example",
      "/%2fevil.example",
      "%2Fevil.example",
      "%2f%2fevil.example/x",
      "/%252fevil.example",
      "https://gw.example.com:7443/%2fevil.example",
      "/\\evil.example",
      "\\\\evil.example",
      "/\t/evil.example",
      "/\n/evil.example",
      "\u0000/x",
      "/x\r\nX-Evil: 1",
      "/x?a=\r\nb",
      "/x?a=\tb",
      "/x\u007f",
      "/x\u0085",
      " /x",
      "/x ",
      "http://evil.example/",
      "http://gw.example.com:7443/",
      "https://gw.example.com/",
      "https://gw.example.com:7443.evil.example/",
      "https://gw.example.com:7443@evil.example/",
      "https://user:pw@gw.example.com:7443/api",
      "https://@gw.example.com:7443/api",
      "https:gw.example.com:7443/api",
      "https:/gw.example.com:7443/api",
      "https:\\\\gw.example.com:7443/api",
      "https://gw.example.com:7443\\@evil.example/",
      "https://gw.example.com:7443//evil.example",
      "https:///evil.example",
      "https://",
      "https://[::1/",
      "ftp://gw.example.com:7443/",
      "file:///etc/passwd",
      "javascript:x",
      "data:,x",
      "C:/Program Files/Git/api/users",
      "/api/../x",
      "..",
      ".",
      "/./x",
      "/a/..",
      "/a/%2e%2e/x",
      "/a/.%2E/x",
      "/a/..%2fx",
      "/a%2f..%2fx",
      "/a/%252e%252e/x",
      "/a/..;/x",
      "/a/..%5cx",
      "/a%5c..",
      "/a%00",
      "/a%0d%0aX-Evil:%201",
      "/a%250a",
      "/x#fragment",
      "#",
    ]
  ) {
    assert.throws(() => readTarget(written, serversOf(SERVER)), (error: unknown) => {
      assert.ok(error instanceof UsageError, written);
      assert.equal(error.exitCode, 64);
      // deno-lint-ignore no-control-regex
      assert.doesNotMatch(error.message, /[\x00-\x1f]|user:pw/, written);
      return true;
    }, JSON.stringify(written));
  }
});

test("`readTarget()` refuses an address beside the server's own path", () => {
  const servers = serversOf(`${SERVER}/base`);
  for (
    const written of [`${SERVER}/other`, `${SERVER}/`, `${SERVER}/basement`, `${SERVER}/base/../x`]
  ) {
    assert.throws(() => readTarget(written, servers), UsageError, written);
  }
});

test("`readTarget()` shows both origins", () => {
  assert.throws(() => readTarget("https://other.example/x?a7ee-canary", serversOf(SERVER)), {
    message:
      "Cannot use the path: it is on https://other.example, but the connection's server is https://gw.example.com:7443",
  });
});

test("`withFields()` adds to the query, encoded", () => {
  const fields = [["a b", "c&d=e"], ["ü", "+"], ["x", ""]] as const;
  const query = "a%20b=c%26d%3De&%C3%BC=%2B&x=";
  assert.equal(withFields("/p", fields), `/p?${query}`);
  assert.equal(withFields("/p?q", fields), `/p?q&${query}`);
  assert.equal(withFields("/p?", fields), `/p?${query}`);
  assert.equal(withFields("/p?q&", fields), `/p?q&${query}`);
  assert.equal(withFields("/p", []), "/p");
});

test("`hasField()` finds a field in the query alone", () => {
  assert.equal(hasField("/p?a=1&page", "page"), true);
  assert.equal(hasField("/p?%70age=1", "page"), true);
  assert.equal(hasField("/page=1?mypage=1", "page"), false);
});
