import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startSandbox } from "../sandbox/sandbox.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

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
  });
}
