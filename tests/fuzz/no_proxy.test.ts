import fc from "fast-check";
import assert from "node:assert/strict";
import { proxyFor } from "../../src/connection/proxy.ts";
import { readServers } from "../../src/connection/server.ts";
import { fuzz } from "./fuzz.ts";

const GROUPS = fc.array(fc.integer({ min: 1, max: 0xffff }), { minLength: 8, maxLength: 8 });
const LETTERS = fc.stringMatching(/^[a-z]{1,8}$/);

/** A host as a server's address has it, and the ways to write it in NO_PROXY. */
const HOSTS = fc.oneof(
  fc.ipV4().filter((ip) => !/^(127|0)\./.test(ip)).map((ip) => ({ host: ip, spelled: [ip] })),
  GROUPS.map((groups) => {
    const short = groups.map((group) => group.toString(16)).join(":");
    const long = groups.map((group) => group.toString(16).padStart(4, "0").toUpperCase()).join(":");
    return { host: `[${short}]`, spelled: [short, long, `[${short}]`, `[${long}]`] };
  }),
  fc.tuple(LETTERS, LETTERS).map(([name, domain]) => {
    const host = `${name}.${domain}.example`;
    return {
      host,
      spelled: [host, `${host}.`, host.toUpperCase(), `${domain}.example`, `.${domain}.example`],
    };
  }),
);

function isDirect(address: string, NO_PROXY: string): boolean {
  const [server] = readServers({ value: address, origin: { kind: "default" } }, false);
  const env = { HTTP_PROXY: "http://proxy:1", NO_PROXY };
  return proxyFor(server!, { env, files: [] }) === undefined;
}

fuzz(
  "requests go past a proxy for every spelling of the server's host, and for no other port or host",
  fc.tuple(HOSTS, HOSTS, fc.integer({ min: 81, max: 65_535 })),
  ([one, other, port]) => {
    fc.pre(one.host !== other.host);
    const address = `http://${one.host}:${port}`;
    for (const name of one.spelled) {
      assert.ok(isDirect(address, name), name);
      assert.ok(isDirect(address, `other.test, ${name}`), name);
      // Without brackets a port is one more part of such an address.
      if (name.includes(":") && !name.startsWith("[")) continue;
      assert.ok(isDirect(address, `${name}:${port}`), name);
      assert.ok(!isDirect(address, `${name}:${port - 1}`), name);
    }
    assert.ok(!isDirect(address, other.host), other.host);
  },
);
