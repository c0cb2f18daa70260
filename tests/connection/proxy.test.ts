import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import { EnvFile } from "../../src/connection/env_file.ts";
import { proxyFor } from "../../src/connection/proxy.ts";
import type { Proxy } from "../../src/connection/proxy.ts";
import { readServers } from "../../src/connection/server.ts";
import { ConnectionError } from "../../src/errors.ts";
import type { Environment } from "../../src/context.ts";

function find(server: string, env: Environment, inFile: Record<string, string> = {}) {
  const [each] = readServers({ value: server, origin: { kind: "default" } }, false);
  return proxyFor(each!, { env, files: [new EnvFile(".env", inFile)] });
}

function nameOf(proxy: Proxy | undefined): string | undefined {
  const origin = proxy?.host.origin;
  return origin === undefined || origin.kind === "default" ? undefined : origin.name;
}

test("`proxyFor()` picks the variable for the server's scheme, lower case first", () => {
  const p = "http://p:3128";
  const cases: readonly [server: string, env: Environment, name: string | undefined][] = [
    ["http://h", {}, undefined],
    ["http://h", { HTTP_PROXY: p }, "HTTP_PROXY"],
    ["http://h", { HTTPS_PROXY: p }, undefined],
    ["https://h", { HTTP_PROXY: p }, undefined],
    ["https://h", { HTTPS_PROXY: p, HTTP_PROXY: p }, "HTTPS_PROXY"],
    ["https://h", { HTTPS_PROXY: p, https_proxy: p }, "https_proxy"],
    ["https://h", { HTTPS_PROXY: p, https_proxy: "" }, "HTTPS_PROXY"],
    ["https://h", { ALL_PROXY: p }, "ALL_PROXY"],
    ["http://h", { all_proxy: p, ALL_PROXY: p }, "all_proxy"],
    ["http://h", { all_proxy: p, HTTP_PROXY: p }, "HTTP_PROXY"],
    ["http://h", { HTTP_PROXY: "", http_proxy: "", ALL_PROXY: "" }, undefined],
  ];
  for (const [server, env, name] of cases) {
    const proxy = find(server, env);
    assert.equal(nameOf(proxy), name, inspect(env));
    assert.equal(proxy?.host.value, name === undefined ? undefined : "p:3128");
  }
});

test("`proxyFor()` refuses two spellings that say different things, of which each ADC prefers another", () => {
  const p = "http://p:3128";
  for (const upper of ["http://other:1", ""]) {
    for (const env of [{ http_proxy: p, HTTP_PROXY: upper }, { all_proxy: p, ALL_PROXY: upper }]) {
      assert.throws(
        () => find("http://h", env),
        (error) => error instanceof ConnectionError && /has another value/.test(error.message),
        inspect(env),
      );
      assert.equal(find("http://h", { ...env, NO_PROXY: "h" }), undefined);
      assert.equal(find("https://h", { ...env, HTTPS_PROXY: p })?.host.value, "p:3128");
    }
  }
});

test("`proxyFor()` looks into `.env` as well, which ADC loads before it connects", () => {
  const file = { HTTP_PROXY: "http://file:1", NO_PROXY: "in.example" };
  assert.deepEqual(find("http://h", {}, file)?.host, {
    value: "file:1",
    origin: { kind: "env-file", name: "HTTP_PROXY", file: ".env" },
  });
  assert.equal(find("http://in.example", {}, file), undefined);
  const env = { HTTP_PROXY: "http://env:1", no_proxy: "out.example" };
  assert.equal(find("http://h", env, file)?.host.value, "env:1");
  assert.equal(find("http://out.example", env, file), undefined);
  // The Rust ADC reads NO_PROXY before no_proxy, axios the other way round.
  assert.equal(find("http://in.example", env, file), undefined);
  assert.equal(find("http://other.example", env, file)?.host.value, "env:1");
  assert.equal(find("http://h", { HTTP_PROXY: "" }, file), undefined);
});

test("`proxyFor()` gives an address without a scheme the server's", () => {
  assert.equal(find("http://h", { HTTP_PROXY: "p:3128" })?.url.reveal(), "http://p:3128");
  assert.equal(find("https://h", { ALL_PROXY: "p:3128" })?.url.reveal(), "https://p:3128");
});

test("`resolveConnection()` warns of a proxy without a scheme, with which not every ADC speaks TLS", async () => {
  const proxy = "zoe:hunter2@p:3128/path";
  const cases: readonly [server: string, env: Environment, name: string | undefined][] = [
    ["https://h", { HTTPS_PROXY: proxy }, "HTTPS_PROXY"],
    ["https://h", { all_proxy: proxy }, "all_proxy"],
    ["http://127.0.0.1", { HTTP_PROXY: proxy }, undefined],
    ["https://h", { HTTPS_PROXY: `http://${proxy}` }, undefined],
    ["https://h", { HTTPS_PROXY: `https://${proxy}` }, undefined],
    ["https://h", { HTTPS_PROXY: proxy, NO_PROXY: "h" }, undefined],
    ["https://h", { HTTPS_PROXY: "" }, undefined],
  ];
  for (const [server, env, name] of cases) {
    const { warnings } = await resolveConnection({ server, env, cwd: "/nowhere" });
    assert.deepEqual(
      warnings,
      name === undefined ? [] : [
        `${name} has no scheme: one ADC uses TLS to the proxy, another does not. ` +
        "Set it to http://p:3128, or https://p:3128 if the proxy itself uses TLS.",
      ],
      inspect(env),
    );
  }
});

test("`proxyFor()` keeps the proxy's password to itself", () => {
  const proxy = find("http://h", { HTTP_PROXY: "http://bob:hunter2@p:3128" });
  assert.equal(proxy?.url.reveal(), "http://bob:hunter2@p:3128");
  assert.ok(!inspect(proxy, { depth: 9, showHidden: true }).includes("hunter2"));
  assert.ok(!JSON.stringify(proxy).includes("hunter2"));
});

test("`proxyFor()` refuses an address that is not an http or https URL, and does not show it", () => {
  for (
    const value of [
      "socks5://bob:hunter2@p:1080",
      "http://bob:hunter2@",
      "http://:hunter2",
      "ftp://p",
    ]
  ) {
    assert.throws(
      () => find("http://h", { HTTP_PROXY: value }),
      (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.equal(error.exitCode, 78);
        assert.equal(
          error.message,
          "Cannot use HTTP_PROXY: the proxy's address is not an http or https URL",
        );
        assert.ok(!inspect(error).includes("hunter2"));
        return true;
      },
    );
  }
});

test("`proxyFor()` goes past the proxy where any ADC would, by axios' rules or reqwest's", () => {
  const cases: readonly [noProxy: string, server: string, direct: boolean][] = [
    ["*", "http://h.example", true],
    ["h.example", "http://h.example", true],
    ["h.example", "http://api.h.example", true],
    ["h.example", "http://myh.example", false],
    ["0.0.1", "http://127.0.0.1", false],
    [".h.example", "http://api.h.example", true],
    [".h.example", "http://h.example", true],
    [".h.example", "http://myh.example", false],
    ["*.h.example", "http://api.h.example", true],
    ["*h.example", "http://myh.example", true],
    ["h.example:80", "http://h.example", true],
    ["h.example:80", "https://h.example", false],
    ["h.example:7443", "https://h.example:7443", true],
    ["a.example, h.example", "http://h.example", true],
    ["a.example h.example", "http://h.example", true],
    ["H.Example.", "http://h.example", true],
    ["localhost", "http://127.0.0.1:9180", true],
    ["127.0.0.1", "http://localhost:9180", true],
    ["::1", "http://[::1]:9180", true],
    ["[::1]:9180", "http://[::1]:9180", true],
    ["[::1]:9181", "http://[::1]:9180", false],
    ["::ffff:127.0.0.1", "http://127.0.0.1:9180", true],
    ["127.0.0.1", "http://[::ffff:127.0.0.1]:9180", true],
    ["10.0.0.5", "http://[::ffff:10.0.0.5]", true],
    ["0:0:0:0:0:0:0:1", "http://[::1]:9180", true],
    ["[0:0:0:0:0:0:0:1]", "http://[::1]:9180", true],
    ["[0:0:0:0:0:0:0:1]:9180", "http://[::1]:9180", true],
    ["[0:0:0:0:0:0:0:1]:9181", "http://[::1]:9180", false],
    ["127.0.0.1:09180", "http://127.0.0.1:9180", true],
    ["127.0.0.1:0", "http://127.0.0.1:9180", true],
    ["127.0.0.1:9181", "http://127.0.0.1:9180", false],
    ["*:1]", "http://[::1]:9180", true],
    ["*]:9180", "http://[::1]:9180", true],
    ["[::1]:x", "http://[::1]:9180", true],
    ["[::2]:x", "http://[::1]:9180", false],
    ["::1:9180", "http://[::1]:9180", true],
    ["::1:9181", "http://[::1]:9180", false],
    ["10.0.0.0/8", "http://10.1.2.3", true],
    ["10.0.0.0/8", "http://11.1.2.3", false],
    ["10.0.0.0/99", "http://10.1.2.3", false],
    ["10.0.0.0/8", "http://10.example", false],
    ["fd00::/8", "http://[fd12::1]", true],
    ["fd00::/8", "http://10.1.2.3", false],
    ["::ffff:10.0.0.0/104", "http://10.1.2.3", true],
    ["::ffff:10.0.0.0/104", "http://11.1.2.3", false],
    [".example.", "http://h.example", true],
    ["*.h.example.", "http://api.h.example", true],
    ["*Ü.example", "http://ü.example", true],
    ["*localhost", "http://127.0.0.1:9180", true],
    ["[::1]]:9180", "http://[::1]:9180", true],
    ["::/8", "http://[::ffff:127.0.0.1]", true],
    ["10.0.0.0/", "http://10.1.2.3", false],
    ["/", "http://h.example", false],
    [".", "http://h.example", false],
    ["localhost", "http://h.example", false],
    ["", "http://h.example", false],
  ];
  for (const [noProxy, server, direct] of cases) {
    const env = { HTTP_PROXY: "http://p:1", HTTPS_PROXY: "http://p:1", NO_PROXY: noProxy };
    assert.equal(find(server, env) === undefined, direct, `${noProxy} and ${server}`);
  }
});
