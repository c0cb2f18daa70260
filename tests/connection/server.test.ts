import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  addressSecrets,
  crossesInPlain,
  readServers,
  requireAllowedServers,
  urlOf,
} from "../../src/connection/server.ts";
import type { Origin } from "../../src/connection/origin.ts";
import { ConnectionError } from "../../src/errors.ts";

const FLAG = { kind: "flag", name: "--server" } as const;
const VARIABLE = { kind: "environment", name: "ADC_SERVER" } as const;

function read(value: string, { list = false } = {}) {
  return readServers({ value, origin: FLAG }, list);
}

function refusal(value: string, { list = false } = {}): ConnectionError {
  try {
    read(value, { list });
  } catch (error) {
    assert.ok(error instanceof ConnectionError, inspect(error));
    return error;
  }
  assert.fail(`${value} was taken`);
}

test("`readServers()` tells the base, the origin and what to show", () => {
  const cases: readonly [value: string, origin: string, display: string, routes: string][] = [
    ["http://localhost:9180", "http://localhost:9180", "http://localhost:9180", "/r"],
    ["https://h:443/", "https://h", "https://h", "/r"],
    ["HTTPS://Gateway.Example.COM:7443", "https://gateway.example.com:7443", "", "/r"],
    ["https://h:7443/prefix", "https://h:7443", "https://h:7443/prefix", "/prefix/r"],
    ["https://h:7443/a/b//", "https://h:7443", "https://h:7443/a/b", "/a/b/r"],
    ["http://[::1]:9180", "http://[::1]:9180", "http://[::1]:9180", "/r"],
  ];
  for (const [value, origin, display, path] of cases) {
    const [server, ...others] = read(value);
    assert.ok(server);
    assert.deepEqual(others, []);
    assert.equal(server.origin, origin, value);
    assert.equal(server.display, display || origin, value);
    assert.equal(urlOf(server, "/r").pathname, path, value);
    assert.equal(urlOf(server, "/r?q=1").search, "?q=1", value);
    assert.equal(server.authorization, undefined);
  }
});

test("`readServers()` splits a list at its commas for a backend that takes lists", () => {
  const servers = read("http://a:1, https://b:2/x,http://a:1", { list: true });
  assert.deepEqual(servers.map(({ display }) => display), [
    "http://a:1",
    "https://b:2/x",
    "http://a:1",
  ]);
  assert.match(refusal("http://a:1,", { list: true }).message, /the server's address is empty/);
  assert.match(
    refusal("http://a:1,b:2", { list: true }).message,
    /"b:2" is not an http or https URL/,
  );
});

test("`readServers()` takes no list for the other backends", () => {
  for (const value of ["http://a:1,http://b:2", "http://a/x,y", "http://u:a,b@c", "http://a,"]) {
    assert.match(refusal(value).message, /contains a comma, and only apisix-standalone/);
  }
});

test("`readServers()` refuses what is not an http or https URL, and says what would be", () => {
  const cases: readonly [value: string, found: RegExp, suggestion: RegExp][] = [
    ["", /--server: the server's address is empty$/, /^Use an address such as "https:/],
    ["   ", /the server's address is empty$/, /^Use an address such as/],
    ["http://h:1 ", /contains whitespace$/, /^Use an address such as/],
    ["\ufeffhttp://h:1", /contains whitespace$/, /^Use an address such as/],
    ["http://h\x01/x", /contains whitespace$/, /^Use an address such as/],
    [
      "http:127.0.0.1:1",
      /"http:127.0.0.1:1" is not an http/,
      /^Did you mean "http:\/\/127.0.0.1:1"/,
    ],
    ["//127.0.0.1:1", /is not an http/, /^Did you mean "https:\/\/127.0.0.1:1"/],
    ["http:/127.0.0.1:1", /is not an http/, /^Did you mean "http:\/\/127.0.0.1:1"/],
    ["http//127.0.0.1:1", /is not an http/, /^Did you mean "http:\/\/127.0.0.1:1"/],
    ["https.example", /is not an http/, /^Did you mean "https:\/\/https.example"/],
    ["http:///127.0.0.1:1", /is not an http/, /^Did you mean "http:\/\/127.0.0.1:1"/],
    ["http:\\\\127.0.0.1:1", /contains a backslash$/, /^Use an address such as/],
    ["http://127.0.0.1:1\\x", /contains a backslash$/, /^Use an address such as/],
    ["https://h/?", /has a query or a fragment$/, /^Use an address such as/],
    ["https://h/#", /has a query or a fragment$/, /^Use an address such as/],
    ["https://h?", /has a query or a fragment$/, /^Use an address such as/],
    ["https://h/x?a=1", /has a query or a fragment$/, /^Use an address such as/],
    ["https://h/x#b", /has a query or a fragment$/, /^Use an address such as/],
    ["http://a b", /contains whitespace$/, /^Use an address such as/],
    ["http://a\n.example", /contains whitespace$/, /^Use an address such as/],
    [
      "localhost:9180",
      /"localhost:9180" is not an http/,
      /^Did you mean "https:\/\/localhost:9180"\?$/,
    ],
    ["10.0.0.1:9180", /"10.0.0.1:9180" is not an http/, /"https:\/\/10.0.0.1:9180"/],
    ["gateway", /"gateway" is not an http/, /^Did you mean "https:\/\/gateway"\?$/],
    ["ftp://h", /"ftp:\/\/h" is not an http/, /^Use an address such as/],
    ["unix:///run/x.sock", /is not an http/, /^Use an address such as/],
    ["http://", /"http:\/\/" is not an http/, /^Use an address such as/],
    ["https://h:99999", /is not an http/, /^Use an address such as/],
    ["javascript:alert(1)", /is not an http/, /./],
  ];
  for (const [value, found, suggestion] of cases) {
    const error = refusal(value);
    assert.equal(error.exitCode, 64);
    assert.match(error.message, found);
    assert.match(error.suggestion ?? "", suggestion);
  }
});

test("`readServers()` leaves out the white space around an address, wherever it may stand", () => {
  const origins = (value: string, origin: Origin, list = false) =>
    readServers({ value, origin }, list).map((server) => server.origin);
  for (const value of [" http://h:1", "\t\nhttp://h:1", "http://h:1\n", "http://h:1\r\n\t"]) {
    assert.deepEqual(origins(value, FLAG), ["http://h:1"], JSON.stringify(value));
    assert.deepEqual(origins(value, VARIABLE), ["http://h:1"], JSON.stringify(value));
  }
  // Of what is not a flag, ADC gets to see the address without it.
  for (const value of ["http://h:1 ", "\ufeffhttp://h:1", "\u00a0http://h:1\u00a0"]) {
    assert.deepEqual(origins(value, VARIABLE), ["http://h:1"], JSON.stringify(value));
  }
  assert.deepEqual(origins(" http://a, http://b\n", VARIABLE, true), ["http://a", "http://b"]);
  assert.match(refusal("http://a ,http://b", { list: true }).message, /contains whitespace$/);
});

test("`readServers()` has exit code 78 for an address that is not from a flag", () => {
  for (
    const origin of [VARIABLE, { kind: "env-file", name: "ADC_SERVER", file: ".env" }] as const
  ) {
    assert.throws(
      () => readServers({ value: "nowhere", origin }, false),
      (error) => error instanceof ConnectionError && error.exitCode === 78,
    );
  }
});

test("`readServers()` never shows the user name and password in an address", () => {
  const cases = [
    "ftp://zoe:hunter2@h",
    "zoe:hunter2@h:1",
    "http://zoe:hunter2@",
    "http://zoe:hunter2@h:99999",
    "http://zoe:hunter2/x@h",
    "http://zoe:hunter2?x@h",
    "http://zoe:x@hunter2@h:99999",
    "http://zoe:hunter2 @h",
    "://zoe:hunter2@h",
    "//zoe:hunter2@h",
  ];
  for (const value of cases) {
    const error = refusal(value);
    const text = `${error.message} ${error.suggestion} ${inspect(error)}`.replaceAll(
      / {4}at .*/g,
      "",
    );
    assert.ok(!/zoe|hunter2/.test(text), text);
  }
  const [server] = read("https://zoe:hunter2@h:1/x");
  assert.ok(!/zoe|hunter2/.test(inspect(server, { depth: 9, showHidden: true })));
  assert.ok(!/zoe|hunter2/.test(JSON.stringify(server)));
});

test("`readServers()` makes a user name and password an Authorization header, as axios does", () => {
  const basic = (text: string) => `Basic ${btoa(text)}`;
  const cases = {
    "https://zoe:hunter2@h": basic("zoe:hunter2"),
    "https://zoe@h": basic("zoe:"),
    "https://:hunter2@h": basic(":hunter2"),
    "https://a%40b:c%3Ad@h": basic("a@b:c:d"),
  };
  for (const [value, header] of Object.entries(cases)) {
    const [server] = read(value);
    assert.equal(server?.authorization?.reveal(), header);
    assert.equal(server.base.href, "https://h/");
  }
});

test("`readServers()` takes a percent sign in a password that encodes nothing", () => {
  const [server] = read("https://zoe:100%zz@h");
  assert.equal(server?.authorization?.reveal(), `Basic ${btoa("zoe:100%zz")}`);
});

test("`crossesInPlain()` tells plain http to another machine from all else", () => {
  const plain = [
    "http://h",
    "http://10.0.0.1:9180",
    "http://localhost.example.com",
    "http://[::2]",
  ];
  const safe = [
    "https://h",
    "http://localhost:9180",
    "http://LOCALHOST",
    "http://adc.localhost",
    "http://127.0.0.1:1",
    "http://127.8.9.10",
    "http://[::1]:1",
  ];
  for (const value of plain) assert.equal(read(value).every(crossesInPlain), true, value);
  for (const value of safe) assert.equal(read(value).some(crossesInPlain), false, value);
});

test("`requireAllowedServers()` lets listed origins pass, whatever their path and case", () => {
  const value = read("https://a.example:7443/x,http://b", { list: true });
  const setting = { value, origin: FLAG };
  requireAllowedServers(setting, {});
  for (
    const list of [
      "https://a.example:7443,http://b",
      " https://A.example:7443/other \n http://b:80/ ",
      "http://c,,http://b , https://a.example:7443",
    ]
  ) requireAllowedServers(setting, { ADC_RUN_ALLOWED_SERVERS: list });
});

test("`requireAllowedServers()` refuses a server that is not listed", () => {
  const servers = read("http://a:1,http://zoe:hunter2@b:2", { list: true });
  const cases: readonly [list: string, suggestion: RegExp][] = [
    ["http://a:1", /^It lists http:\/\/a:1\. No token was sent\.$/],
    ["http://a:1 http://b:3 https://b:2 http://bb:2", /^It lists /],
    ["http://a:1 http://b http://b:22", /^It lists /],
    ["", /^It lists nothing/],
    [" , ", /^It lists nothing/],
  ];
  for (const [list, suggestion] of cases) {
    for (const [origin, exitCode] of [[FLAG, 64], [VARIABLE, 78]] as const) {
      assert.throws(
        () => requireAllowedServers({ value: servers, origin }, { ADC_RUN_ALLOWED_SERVERS: list }),
        (error) => {
          assert.ok(error instanceof ConnectionError);
          assert.equal(error.exitCode, exitCode);
          assert.match(
            error.message,
            /ADC_RUN_ALLOWED_SERVERS does not list "http:\/\/[ab]:[12]"$/,
          );
          assert.match(error.suggestion ?? "", suggestion);
          assert.ok(!inspect(error).includes("hunter2"));
          return true;
        },
      );
    }
  }
});

test("`requireAllowedServers()` refuses a list that holds something else than origins", () => {
  const setting = { value: read("http://a:1"), origin: FLAG };
  for (const entry of ["a:1", "localhost", "*", "file:///etc", "zoe:hunter2@a"]) {
    const list = `http://a:1,${entry}`;
    assert.throws(
      () => requireAllowedServers(setting, { ADC_RUN_ALLOWED_SERVERS: list }),
      (error) => {
        assert.ok(error instanceof ConnectionError);
        assert.equal(error.exitCode, 78);
        assert.match(
          error.message,
          /^Cannot use ADC_RUN_ALLOWED_SERVERS: "[^"]+" is not an origin$/,
        );
        assert.ok(!inspect(error).includes("hunter2"));
        return true;
      },
    );
  }
});

test("`addressSecrets()` gives the password as it is written and as it is sent, unless it is a mere word", () => {
  const secrets = (address: string) => addressSecrets(address).map((secret) => secret.reveal());
  assert.deepEqual(secrets("https://h"), []);
  const sent = `Basic ${btoa("zoe:a:b@c")}`;
  assert.deepEqual(secrets("https://zoe:a:b%40c@h"), [sent, "a:b%40c", "a%3Ab%40c", "a:b@c"]);
  for (const pair of ["zoe:", "zoe:abc"]) {
    assert.deepEqual(secrets(`https://${pair}@h`), [`Basic ${btoa(pair)}`]);
  }
  assert.ok(secrets("http://u:100%pure@h").includes("100%pure"));
  assert.ok(secrets("http://u:q1%2FZk+7v@h").includes("q1%2FZk+7v"));
  assert.deepEqual(secrets("u:p4ssw0rd@proxy:3128"), ["p4ssw0rd"]);
  assert.ok(secrets("http://a-token-alone@proxy").includes("a-token-alone"));
});
