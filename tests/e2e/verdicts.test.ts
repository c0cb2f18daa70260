import assert from "node:assert/strict";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { startSandbox } from "../sandbox/sandbox.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { REFUSED } from "../support/windows.ts";

const REPORT = ["--adc", standIn("report.mjs")];
const PING = [...REPORT, "ping"];

/** What is wrong, and what adc-run has to say of it. */
interface Case {
  readonly verdict: string;
  readonly code: number;
  readonly message: RegExp;
  /** Breaks the fixture; answers the environment. */
  readonly arrange: (it: Fixture) => Record<string, string> | Promise<Record<string, string>>;
  /** @default ["ping"] */
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
    message: /[Nn]o token for/,
    arrange: () => ({}),
  },
  {
    verdict: "rejected",
    code: 77,
    message: /401:? "[^"]+"[\s\S]*Replace ADC_TOKEN/,
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
    message: /gateway group "mars" does not exist[\s\S]*"default", "venus"/,
    arrange: ({ sandbox, token }) => {
      sandbox.addGatewayGroup("venus");
      return { ADC_TOKEN: token, ADC_GATEWAY_GROUP: "mars" };
    },
    words: ["diff"],
  },
  ...([
    ["a page", { kind: "html" }, /an HTML page/],
    ["404", { kind: "status", status: 404 }, /answered 404/],
    ["another shape", { kind: "wrong-shape" }, /unexpected JSON/],
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
    message: /no response within 0.3 s[\s\S]*--timeout/,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", { kind: "slow-headers", ms: "never" });
      return { ADC_TOKEN: token };
    },
    words: ["ping", "--timeout", "300ms"],
  },
  {
    verdict: "unreachable",
    code: 69,
    message: REFUSED,
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
    message: /closed/,
    arrange: ({ sandbox, token }) => {
      sandbox.fault("/api", { kind: "reset", when: "before" });
      return { ADC_TOKEN: token };
    },
  },
];

for (const https of [false, true]) {
  for (const home of await testHomes(https ? "every engine" : "one home")) {
    describe(`verdicts over ${https ? "HTTPS" : "HTTP"} on ${home.name}`, () => {
      for (const { verdict, code, message, arrange, words = ["ping"] } of CASES) {
        it(`${verdict} (${message.source}) exits with ${code}`, async () => {
          await using it = await fixture({ https });
          const env = { ...it.env, ...await arrange(it) };
          // What is said of a verdict does not depend on the way to the server: as text here, as JSON there.
          const args = [...(https ? ["--json"] : []), ...REPORT, ...words];
          const ended = await adcRun(home, args, { env, cwd: it.folder.path });
          assert.equal(ended.code, code, ended.stderr);
          assert.equal(ended.stdout, "", "ADC was not started");
          assert.ok(!env.ADC_TOKEN || !ended.stderr.includes(env.ADC_TOKEN), "no token");
          if (!https) return assert.match(ended.stderr, message);
          const { error } = JSON.parse(ended.stderr);
          assert.equal(error.verdict ?? error.check.verdict, verdict);
          assert.match(`${error.message} ${error.suggestion}`, message);
        });
      }
    });
  }
}

for (const home of await testHomes()) {
  describe(`TLS on ${home.name}`, () => {
    for (
      const [name, options, env, message] of [
        ["a CA that is not known", { https: true }, "none", /unknown CA/],
        ["another CA", { https: true }, "other", /unknown CA|rejected the client certificate/],
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

    it("ADC's ping asks for no gateway group, and so does an admin key", async () => {
      await using it = await fixture();
      const cwd = it.folder.path;
      const admin = it.sandbox.addToken({ prefix: "a7adm-" }).value;
      for (const ADC_GATEWAY_GROUP of ["", "mars"]) {
        const env = { ...it.env, ADC_GATEWAY_GROUP };
        const ping = await adcRun(home, PING, { env: { ...env, ADC_TOKEN: it.token }, cwd });
        assert.equal(ping.code, 0, ping.stderr);
        const sync = [...REPORT, "sync"];
        const synced = await adcRun(home, sync, { env: { ...env, ADC_TOKEN: admin }, cwd });
        assert.equal(synced.code, 0, synced.stderr);
        const own = await adcRun(home, sync, { env: { ...env, ADC_TOKEN: it.token }, cwd });
        assert.equal(own.code, 78, own.stderr);
      }
    });

    it("more than one hit for the gateway group is worth a warning", async () => {
      await using it = await fixture({ groupsByName: false });
      it.sandbox.addGatewayGroup("prod-old");
      it.sandbox.addGatewayGroup("prod");
      const env = { ...it.env, ADC_TOKEN: it.token, ADC_GATEWAY_GROUP: "prod" };
      const ended = await adcRun(home, [...REPORT, "sync"], { env, cwd: it.folder.path });
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stderr, /warning: .*2 gateway groups.*ADC before 0\.21\.2/);
    });

    it("an API7 token that the backend apisix takes is worth a warning in each run", async () => {
      await using it = await fixture({ backend: "apisix", keyRequired: false });
      const env = { ...it.env, ADC_TOKEN: "a7ee-not-of-this-server" };
      for (const options of [[], ["--no-check"]]) {
        const ended = await adcRun(home, [...options, ...PING], { env, cwd: it.folder.path });
        assert.equal(ended.code, 0, ended.stderr);
        assert.match(
          ended.stderr,
          /warning: The token starts with "a7ee-".*Did you mean --backend api7ee/,
        );
      }
    });

    it("a run, \`api\` and \`auth login --with-token\` say the same of allow_admin", async () => {
      for (const backend of ["apisix", "apisix-standalone"] as const) {
        await using it = await fixture({ backend, allowAdmin: false });
        const options = { env: { ...it.env, ADC_TOKEN: it.token }, cwd: it.folder.path };
        const login = ["auth", "login", "--with-token", "--storage", "file"];
        for (const words of [PING, ["api", "/apisix/admin/routes"], login, ["auth", "status"]]) {
          const ended = await adcRun(home, words, { ...options, input: `${it.token}\n` });
          assert.equal(ended.code, 77, `${words}: ${ended.stderr}`);
          const said = ended.stdout + ended.stderr;
          assert.match(said, /allow_admin/);
          assert.doesNotMatch(said, /did not come from an Admin API/);
        }
      }
    });

    it("a run and \`api\` say the same of what nginx says of TLS", async () => {
      await using it = await fixture({ backend: "apisix", clientCertificate: true });
      const options = { env: { ...it.env, ADC_TOKEN: it.token }, cwd: it.folder.path };
      for (const words of [PING, ["api", "/apisix/admin/routes"]]) {
        const ended = await adcRun(home, words, options);
        assert.equal(ended.code, 69, `${words}: ${ended.stderr}`);
        assert.match(ended.stderr, /No required SSL certificate[\s\S]*--tls-client-cert-file/);
      }
    });

    it("a viewer's key is good for what reads, and forbidden for what writes", async () => {
      await using it = await fixture({ backend: "apisix" });
      const token = it.sandbox.addToken({ permissions: { write: false } }).value;
      const options = { env: { ...it.env, ADC_TOKEN: token }, cwd: it.folder.path };
      const login = ["auth", "login", "--with-token", "--storage", "file"];
      for (const words of [PING, [...REPORT, "diff"], ["api", "/apisix/admin/routes"], login]) {
        const ended = await adcRun(home, words, { ...options, input: `${token}\n` });
        assert.equal(ended.code, 0, `${words}: ${ended.stderr}`);
      }
      const writing = [
        [...REPORT, "sync"],
        [...REPORT, "validate"],
        ["api", "-X", "DELETE", "/apisix/admin/routes/1"],
      ];
      for (const words of writing) {
        const ended = await adcRun(home, words, options);
        assert.equal(ended.code, 77, `${words}: ${ended.stderr}`);
        assert.match(ended.stderr, /viewer key, which can only read/);
        assert.doesNotMatch(ended.stderr, /wrong, expired or revoked/);
      }
    });

    it("standalone \`validate\` asks the first server alone, as ADC does", async () => {
      await using it = await fixture({ backend: "apisix-standalone" });
      const closed = `http://127.0.0.1:${await freePort()}`;
      const env = { ...it.env, ADC_TOKEN: it.token, ADC_SERVER: `${it.sandbox.url},${closed}` };
      const cwd = it.folder.path;
      const validate = await adcRun(home, [...REPORT, "validate"], { env, cwd });
      assert.equal(validate.code, 0, validate.stderr);
      const diff = await adcRun(home, [...REPORT, "diff"], { env, cwd });
      assert.equal(diff.code, 69, diff.stderr);
    });

    it("version 2 of the Admin API is named, and ping goes on", async () => {
      await using it = await fixture({ backend: "apisix", adminApiVersion: "v2" });
      const options = { env: { ...it.env, ADC_TOKEN: it.token }, cwd: it.folder.path };
      const diff = await adcRun(home, [...REPORT, "diff"], options);
      assert.equal(diff.code, 78, diff.stderr);
      assert.match(diff.stderr, /admin_api_version: v3/);
      const ping = await adcRun(home, PING, options);
      assert.equal(ping.code, 0, ping.stderr);
      assert.match(ping.stderr, /warning: .*admin_api_version: v3/);
    });

    it("says in plain English how many tokens and servers there are", async () => {
      await using it = await fixture({ backend: "apisix-standalone" });
      const env = { ...it.env, ADC_TOKEN: `${it.token},another-key` };
      const ended = await adcRun(home, PING, { env, cwd: it.folder.path });
      assert.match(ended.stderr, /2 tokens for 1 server: ADC uses the first\./);
    });

    it("--no-token sends no key, and gives ADC a word instead of one", async () => {
      for (const backend of ["apisix", "apisix-standalone"] as const) {
        await using it = await fixture({ backend, keyRequired: false });
        await it.folder.write(".env", "ADC_TOKEN=a-token-of-the-env-file\n");
        const cwd = it.folder.path;
        const words = ["--no-token", ...REPORT, "sync", "--print-token"];
        const env = { ...it.env, ADC_TOKEN: "a-token-of-the-environment" };
        for (const each of [it.env, env]) {
          const ended = await adcRun(home, words, { env: each, cwd });
          assert.equal(ended.code, 0, ended.stderr);
          assert.equal(JSON.parse(ended.stdout).env.ADC_TOKEN.value, "unused");
          assert.match(ended.stderr, /^adc-run: http\S+ · no token$/m);
          assert.doesNotMatch(ended.stderr, /masked/);
        }
        // A runner would hide the word wherever it is printed.
        const inActions = { ...env, GITHUB_ACTIONS: "true", ADC_RUN_ACTION: "true" };
        const runner = await adcRun(home, words, { env: inActions, cwd });
        assert.equal(runner.code, 0, runner.stderr);
        assert.doesNotMatch(runner.stderr, /add-mask::/);
        const json = await adcRun(home, ["--json", ...words], { env, cwd });
        assert.deepEqual(JSON.parse(json.stderr).token, { source: "none", detail: "--no-token" });
        const dry = await adcRun(home, ["--dry-run", ...words], { env, cwd });
        assert.match(dry.stdout, /^token +none +--no-token$/m);
        const { ADC_TOKEN: _, ...byVariable } = { ...env, ADC_RUN_NO_TOKEN: "true" };
        const other = await adcRun(home, words.slice(1), { env: byVariable, cwd });
        assert.equal(JSON.parse(other.stdout).env.ADC_TOKEN.value, "unused", other.stderr);
        assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === undefined));
      }
    });

    it("--no-token is for several targets as well", async () => {
      await using it = await fixture({ backend: "apisix", keyRequired: false });
      await using other = await startSandbox({ backend: "apisix", keyRequired: false });
      const config = await temporaryFolder({
        "config.json": JSON.stringify({
          profiles: {
            one: { backend: "apisix", server: it.sandbox.url },
            two: { backend: "apisix", server: other.url },
          },
        }),
      });
      await using _ = config;
      const env = { ADC_RUN_CONFIG_DIR: config.path };
      const words = ["--no-token", "-p", "one,two", ...REPORT, "sync"];
      const ended = await adcRun(home, words, { env, cwd: it.folder.path });
      assert.equal(ended.code, 0, ended.stderr);
      assert.doesNotMatch(ended.stderr, /the same token|masked/);
      assert.match(ended.stderr, / · no token$/m);
    });

    it("a server that asks for a key says so to --no-token, and is named where there is none", async () => {
      await using it = await fixture({ backend: "apisix" });
      const options = { env: it.env, cwd: it.folder.path };
      const asked = await adcRun(home, ["--no-token", ...PING], options);
      assert.equal(asked.code, 77, asked.stderr);
      assert.match(asked.stderr, /missing apikey[\s\S]*The server requires a key/);
      assert.doesNotMatch(asked.stderr, /unused|wrong, expired/);
      const none = await adcRun(home, PING, options);
      assert.equal(none.code, 77);
      assert.match(none.stderr, /admin_key_required: false\).*--no-token/);
    });

    it("--no-token goes with nothing that says where a token comes from", async () => {
      await using it = await fixture({ backend: "apisix", keyRequired: false });
      const cwd = it.folder.path;
      const api7ee = { ...it.env, ADC_BACKEND: "api7ee" };
      for (
        const [options, words, env] of [
          [[], ["--token", "x-of-argv"], it.env],
          [["--source", "env"], [], it.env],
          [["--ephemeral"], [], it.env],
          [["--ephemeral=5m"], [], it.env],
          [[], [], api7ee],
        ] as const
      ) {
        const args = ["--no-token", ...options, ...PING, ...words];
        const ended = await adcRun(home, args, { env, cwd });
        assert.equal(ended.code, 64, `${args}: ${ended.stderr}`);
        assert.match(ended.stderr, /cannot use --no-token with/);
      }
      const login = await adcRun(home, ["--no-token", "auth", "status"], { env: it.env, cwd });
      assert.equal(login.code, 64);
      assert.match(login.stderr, /--no-token has no effect with "adc-run auth status"/);
      const variable = { ...it.env, ADC_RUN_SOURCE: "env" };
      const ended = await adcRun(home, ["--no-token", ...PING], { env: variable, cwd });
      assert.equal(ended.code, 0, ended.stderr);
      assert.deepEqual(it.sandbox.requests.map(({ apiKey }) => apiKey), [undefined]);
    });

    it("an API7 token at the backend apisix is told apart from a bad token", async () => {
      await using it = await fixture();
      sandboxWithoutRoutes(it);
      const env = { ADC_SERVER: it.sandbox.url, ADC_TOKEN: it.token };
      const ended = await adcRun(home, [...PING], { env, cwd: it.folder.path });
      assert.equal(ended.code, 78, ended.stderr);
      assert.match(ended.stderr, /for API7 Enterprise[\s\S]*--backend api7ee/);
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
      // The version is asked for without a token, of the first server alone.
      const keys = it.sandbox.requests.map(({ apiKey }) => apiKey);
      assert.deepEqual(keys, [undefined, it.token]);
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
