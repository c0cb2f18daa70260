import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { startSandbox } from "../sandbox/sandbox.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

const PING = ["--adc", standIn("report.mjs"), "ping"];

/** What is wrong, and what adc-run has to say of it. */
interface Case {
  readonly verdict: string;
  readonly code: number;
  readonly message: RegExp;
  /** Breaks the fixture; answers the environment. */
  readonly arrange: (it: Fixture) => Record<string, string> | Promise<Record<string, string>>;
  readonly words?: readonly string[];
}

/** A port on which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const CASES: readonly Case[] = [
  {
    verdict: "no-token",
    code: 77,
    message: /no source has one/,
    arrange: () => ({}),
  },
  {
    verdict: "rejected",
    code: 77,
    message: /401: "[^"]+"[\s\S]*auth login/,
    arrange: () => ({ ADC_TOKEN: "a7ee-nobody-knows-this-one" }),
  },
  {
    verdict: "forbidden",
    code: 77,
    message: /403[\s\S]*role/,
    arrange: ({ sandbox }) => ({
      ADC_TOKEN: sandbox.addToken({ permissions: { gatewayGroups: false } }).value,
    }),
  },
  {
    verdict: "no-gateway-group",
    code: 78,
    message: /no gateway group "mars"[\s\S]*"default", "venus"/,
    arrange: ({ sandbox, token }) => {
      sandbox.addGatewayGroup("venus");
      return { ADC_TOKEN: token, ADC_GATEWAY_GROUP: "mars" };
    },
  },
  ...([
    ["a page", { kind: "html" }, /an HTML page/],
    ["404", { kind: "status", status: 404 }, /answered 404/],
    ["another shape", { kind: "wrong-shape" }, /JSON of another shape/],
    [
      "a redirect",
      { kind: "redirect", location: "https://elsewhere.example/login?x" },
      /elsewhere/,
    ],
  ] as const).map(([, fault, message]): Case => ({
    verdict: "wrong-server",
    code: 78,
    message,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", fault);
      return { ADC_TOKEN: token };
    },
  })),
  ...([500, 503, 429] as const).map((status): Case => ({
    verdict: "server-error",
    code: 69,
    message: new RegExp(`answered ${status}`),
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", { kind: "status", status });
      return { ADC_TOKEN: token };
    },
  })),
  {
    verdict: "timeout",
    code: 69,
    message: /no answer came within 0.3 s[\s\S]*--timeout/,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", { kind: "slow-headers", ms: "never" });
      return { ADC_TOKEN: token };
    },
    words: ["--timeout", "300ms"],
  },
  {
    verdict: "unreachable",
    code: 69,
    message: /connection was refused/,
    arrange: async ({ token, env }) => {
      const url = new URL(env.ADC_SERVER!);
      url.port = String(await freePort());
      url.hostname = "127.0.0.1";
      return { ADC_TOKEN: token, ADC_SERVER: url.origin };
    },
  },
  {
    verdict: "unreachable",
    code: 69,
    message: /cut off/,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", { kind: "reset", when: "before" });
      return { ADC_TOKEN: token };
    },
  },
];

for (const https of [false, true]) {
  for (const home of await testHomes(https ? "every engine" : "one home")) {
    describe(`verdicts over ${https ? "HTTPS" : "HTTP"} on ${home.name}`, () => {
      for (const { verdict, code, message, arrange, words = [] } of CASES) {
        it(`${verdict} (${message.source}) exits with ${code}`, async () => {
          await using it = await fixture({ https });
          const env = { ...it.env, ...await arrange(it) };
          const cwd = it.folder.path;
          const ended = await adcRun(home, [...PING, ...words], { env, cwd });
          assert.equal(ended.code, code, ended.stderr);
          assert.match(ended.stderr, message);
          assert.equal(ended.stdout, "", "ADC was not started");
          assert.ok(!env.ADC_TOKEN || !ended.stderr.includes(env.ADC_TOKEN), "no token");
          const json = await adcRun(home, ["--json", ...PING, ...words], { env, cwd });
          const { error } = JSON.parse(json.stderr);
          assert.equal(error.verdict ?? error.check.verdict, verdict);
        });
      }
    });
  }
}

for (const home of await testHomes()) {
  describe(`TLS on ${home.name}`, () => {
    for (
      const [name, options, env, message] of [
        ["a CA that is not known", { https: true }, "none", /CA that is not known/],
        ["another CA", { https: true }, "other", /CA that is not known|not accept/],
        ["an expired certificate", { expiredCertificate: true, https: true }, "ca", /has expired/],
        ["another name", { wrongName: true, https: true }, "ca", /for another name/],
        [
          "a client certificate that is missing",
          { clientCertificate: true },
          "ca",
          /client certificate|TLS handshake/,
        ],
      ] as const
    ) {
      it(`${name} is the verdict tls, and exits with 69`, async () => {
        await using it = await fixture(options);
        const { sandbox } = it;
        const ca = { none: undefined, other: sandbox.otherCa, ca: sandbox.ca }[env];
        const { ADC_CA_CERT_FILE: _, ...rest } = it.env;
        const ended = await adcRun(home, ["--json", ...PING], {
          env: { ...rest, ADC_TOKEN: it.token, ...(ca && { ADC_CA_CERT_FILE: ca }) },
          cwd: it.folder.path,
        });
        assert.equal(ended.code, 69, ended.stderr);
        const { error } = JSON.parse(ended.stderr);
        assert.equal(error.check.verdict, "tls");
        assert.match(error.message, message);
      });
    }

    it("a CA in NODE_EXTRA_CA_CERTS is trusted, as it is by ADC", async () => {
      await using it = await fixture({ https: true });
      const { ADC_CA_CERT_FILE, ...rest } = it.env;
      const ended = await adcRun(home, ["--adc", standIn("adc.mjs"), "ping"], {
        env: { ...rest, ADC_TOKEN: it.token, NODE_EXTRA_CA_CERTS: ADC_CA_CERT_FILE! },
        cwd: it.folder.path,
      });
      assert.equal(ended.code, 0, ended.stderr);
    });

    it("a client certificate and --tls-skip-verify get through, as they do in ADC", async () => {
      await using it = await fixture({ clientCertificate: true });
      const { sandbox, folder: { path: cwd } } = it;
      const { ADC_CA_CERT_FILE: _, ...rest } = it.env;
      const env = {
        ...rest,
        ADC_TOKEN: it.token,
        ADC_TLS_CLIENT_CERT_FILE: sandbox.clientCert,
        ADC_TLS_CLIENT_KEY_FILE: sandbox.clientKey,
      };
      const ended = await adcRun(
        home,
        ["--adc", standIn("adc.mjs"), "ping", "--tls-skip-verify"],
        { env, cwd },
      );
      assert.equal(ended.code, 0, ended.stderr);
    });
  });
}

for (const home of await testHomes("one home")) {
  describe(`APISIX on ${home.name}`, () => {
    it("an admin key passes for the backend apisix, and a wrong one is rejected", async () => {
      await using it = await fixture({ backend: "apisix" });
      const cwd = it.folder.path;
      const right = await adcRun(home, [...PING], { env: { ...it.env, ADC_TOKEN: it.token }, cwd });
      assert.equal(right.code, 0, right.stderr);
      const env = { ...it.env, ADC_TOKEN: "not-this-admin-key" };
      const wrong = await adcRun(home, [...PING], { env, cwd });
      assert.equal(wrong.code, 77);
      assert.match(wrong.stderr, /"failed to check token \(wrong apikey\)"/);
    });

    it("an API7 token at the backend apisix is told apart from a bad token", async () => {
      await using it = await fixture();
      sandboxWithoutRoutes(it);
      const env = { ADC_SERVER: it.sandbox.url, ADC_TOKEN: it.token };
      const ended = await adcRun(home, [...PING], { env, cwd: it.folder.path });
      assert.equal(ended.code, 78, ended.stderr);
      assert.match(ended.stderr, /API7 Enterprise's[\s\S]*--backend api7ee/);
    });

    it("each standalone server is asked with its own token, and one bad token is enough", async () => {
      await using it = await fixture({ backend: "apisix-standalone" });
      await using other = await startSandbox({ backend: "apisix-standalone" });
      const key = other.addToken().value;
      const cwd = it.folder.path;
      const env = { ...it.env, ADC_SERVER: `${it.sandbox.url},${other.url}` };
      const right = await adcRun(home, [...PING], {
        env: { ...env, ADC_TOKEN: `${it.token},${key}` },
        cwd,
      });
      assert.equal(right.code, 0, right.stderr);
      assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === it.token));
      assert.ok(other.requests.every(({ apiKey }) => apiKey === key));
      const wrong = await adcRun(home, [...PING], {
        env: { ...env, ADC_TOKEN: `${it.token},not-the-key` },
        cwd,
      });
      assert.equal(wrong.code, 77, wrong.stderr);
      assert.ok(wrong.stderr.includes(other.url), "the message names the server that refused");
    });
  });
}

/** API7 Enterprise without a gateway group in the query, as ADC's backend apisix asks. */
function sandboxWithoutRoutes({ sandbox }: Fixture): void {
  sandbox.fault("/apisix/admin/routes", { kind: "status", status: 404 });
}
