import assert from "node:assert/strict";
import { test } from "node:test";
import { CookieJar } from "../../src/http/cookie_jar.ts";
import { readServers } from "../../src/connection/server.ts";

/** What a jar sends to paths, after it took lines from a path. */
function after(
  lines: readonly string[],
  {
    url = "https://gw.example.com:7443",
    from = "/api/login",
    to = ["/api/me"],
    now = (): number => 0,
  } = {},
) {
  const [server] = readServers({ value: url, origin: { kind: "default" } }, false);
  const jar = new CookieJar(server!, now);
  const taken = jar.take(lines, new URL(from, url));
  return { jar, taken, sent: to.map((path) => jar.headerFor(new URL(path, url))?.reveal()) };
}

test("`CookieJar` sends back every cookie, and the newest value of a name", () => {
  const lines = ["a=1; Path=/", "session=one; Path=/", "b=x=y; Path=/", "session=two; Path=/"];
  const { sent, taken } = after(lines);
  assert.deepEqual(sent, ["a=1; session=two; b=x=y"]);
  assert.equal(taken.kept, 4);
  assert.deepEqual((after([])).sent, [undefined]);
});

test("`CookieJar` keeps a cookie to its path, the longer one first", () => {
  const lines = ["a=1; Path=/", "b=2; Path=/api/tokens", "c=3", "d=4; Path=/api/"];
  const to = ["/api/tokens", "/api/tokens/1", "/api/tokensx", "/api", "/", "/other"];
  assert.deepEqual((after(lines, { to })).sent, [
    "b=2; d=4; c=3; a=1",
    "b=2; d=4; c=3; a=1",
    "d=4; c=3; a=1",
    "c=3; a=1",
    "a=1",
    "a=1",
  ]);
});

test("`CookieJar` drops what the server ends", () => {
  const ended = [
    "session=; Max-Age=0; Path=/",
    "session=gone; Max-Age=-1; Path=/",
    "session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
    "session=x; Max-Age=0; Expires=Thu, 01 Jan 2099 00:00:00 GMT; Path=/",
  ];
  for (const line of ended) {
    const { sent } = after(["session=live; Path=/", line], { now: () => 1e12 });
    assert.deepEqual(sent, [undefined], line);
  }
  // Another path is another cookie.
  const { sent } = after(["session=live; Path=/", "session=; Max-Age=0; Path=/api"]);
  assert.deepEqual(sent, ["session=live"]);
});

test("`CookieJar` sends no cookie whose time is over", () => {
  let now = 1e12;
  const lines = [
    "a=1; Max-Age=10; Path=/",
    `b=2; Expires=${new Date(1e12 + 20_000).toUTCString()}; Path=/`,
    `c=3; Max-Age=30; Expires=${new Date(1e12 + 5_000).toUTCString()}; Path=/`,
    "d=4; Expires=nonsense; Path=/",
  ];
  const { jar } = after(lines, { now: () => now });
  const sent = () => jar.headerFor(new URL("https://gw.example.com/api/me"))?.reveal();
  assert.equal(sent(), "a=1; b=2; c=3; d=4");
  now += 10_000;
  assert.equal(sent(), "b=2; c=3; d=4");
  now += 10_000;
  assert.equal(sent(), "c=3; d=4");
  now += 10_000;
  assert.equal(sent(), "d=4");
});

test("`CookieJar` keeps a Secure cookie to https, and to this machine", () => {
  const lines = ["plain=1; Path=/", "session=two; Path=/; Secure"];
  const cases: readonly [url: string, sent: string, insecure: number][] = [
    ["https://gw.example.com", "plain=1; session=two", 0],
    ["http://gw.example.com", "plain=1", 1],
    ["http://localhost:9180", "plain=1; session=two", 0],
    ["http://127.0.0.1:9180", "plain=1; session=two", 0],
    ["http://[::1]:9180", "plain=1; session=two", 0],
  ];
  for (const [url, expected, insecure] of cases) {
    const { sent, taken } = after(lines, { url });
    assert.deepEqual(sent, [expected], url);
    assert.equal(taken.insecure, insecure, url);
  }
});

test("`CookieJar` keeps a cookie for its server, whatever domain it names", () => {
  for (const domain of ["gw.example.com", ".example.com", "other.example.com"]) {
    const { sent } = after([`a=1; Domain=${domain}; Path=/`, `a=2; Path=/`]);
    assert.deepEqual(sent, ["a=2"], domain);
  }
});

test("`CookieJar` passes over what is no cookie that could be sent", () => {
  const { sent, taken } = after(["a=\x01", "b=\u00e9; Path=/", "=; Path=/", "c=1; Path=/"]);
  assert.deepEqual(sent, ["c=1"]);
  assert.equal(taken.kept, 1);
});

test("`CookieJar.seen` has every long value for masks, also after `clear()`", () => {
  const lines = [
    "lang=en; Path=/",
    "s=first-value; Path=/",
    "s=second-value",
    "x=refused-value; Domain=z",
  ];
  const { jar } = after(lines);
  jar.clear();
  assert.equal(jar.headerFor(new URL("https://gw.example.com/api/me")), undefined);
  assert.deepEqual(jar.seen.map((each) => each.reveal()), [
    "first-value",
    "second-value",
    "refused-value",
  ]);
});
