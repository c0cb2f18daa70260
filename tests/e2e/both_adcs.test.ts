/**
 * There are two ADCs. What adc-run takes, both read alike behind it; what they read differently it refuses.
 *
 * @module
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { startSandbox } from "../sandbox/sandbox.ts";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { adcRun, collect, standIn } from "../support/adc_run.ts";
import { type Fixture, fixture, traces } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";

const PERSONALITIES = { TypeScript: "adc.mjs", Rust: "adc_rust.mjs" } as const;

interface SetUp {
  readonly sandbox?: SandboxOptions;
  /** The environment, beside `PATH` and `HOME`. */
  readonly env?: (it: Fixture) => Readonly<Record<string, string>>;
  /** The `.env`. */
  readonly file?: (it: Fixture) => string;
  /** Options of adc-run's own. */
  readonly options?: readonly string[];
  /** @default ["ping"] */
  readonly words?: readonly string[] | ((it: Fixture) => readonly string[]);
}

const given = ({ env, token }: Fixture) => ({ ...env, ADC_TOKEN: token });

/** A `.env` with all that leads to the server, each line through a change. */
function linesOf(it: Fixture, write: (name: string, value: string) => string): string {
  return Object.entries(given(it)).map(([name, value]) => write(name, value)).join("\n");
}

/** What both read alike, with what adc-run makes of it. */
const ALIKE: Readonly<Record<string, SetUp>> = {
  "the environment": { sandbox: { https: true }, env: given, words: ["sync", "-f", "adc.yaml"] },
  "flags": {
    sandbox: { https: true },
    env: ({ token }) => ({ ADC_TOKEN: token, ADC_SERVER: "http://127.0.0.1:1" }),
    words: ({ env }) => [
      ...["dump", "-o", "dumped.yaml", "--backend=api7ee", "--server", env.ADC_SERVER!],
      ...["--ca-cert-file", env.ADC_CA_CERT_FILE!, "--timeout", "1m 30s"],
    ],
  },
  "--token": { env: ({ env }) => env, words: ({ token }) => ["ping", "--token", token] },
  "ADC_TLS_SKIP_VERIFY=true": {
    sandbox: { https: true },
    env: ({ env: { ADC_CA_CERT_FILE: _, ...env }, token }) => ({
      ...env,
      ADC_TOKEN: token,
      ADC_TLS_SKIP_VERIFY: "true",
    }),
  },
  "ADC_TLS_SKIP_VERIFY=false, which is kept from both": {
    sandbox: { https: true },
    env: (it) => ({ ...given(it), ADC_TLS_SKIP_VERIFY: "false" }),
  },
  "a client certificate": {
    sandbox: { clientCertificate: true },
    env: (it) => ({
      ...given(it),
      ADC_TLS_CLIENT_CERT_FILE: it.sandbox.clientCert,
      ADC_TLS_CLIENT_KEY_FILE: it.sandbox.clientKey,
    }),
    words: ["diff", "-f", "adc.yaml"],
  },
  "`.env`": {
    sandbox: { https: true },
    file: (it) => linesOf(it, (name, value) => `${name}=${value}`),
  },
  "`.env` with quotes, comments, `export` and Windows' line ends": {
    sandbox: { https: true },
    file: (it) =>
      "\ufeff# it's mine\r\n\r\n" +
      linesOf(it, (name, value) => `export ${name} = '${value}' # "\r`) +
      "\r\nOTHER: $HOME\r\n",
    words: ["sync", "-f", "adc.yaml"],
  },
  "`.env` with white space around its values": {
    file: (it) =>
      linesOf(
        it,
        (name, value) => `${name}=${/TOKEN|SERVER/.test(name) ? `" ${value}\\n"` : value}`,
      ),
  },
  "a file of --env-file, which adc-run alone reads": {
    file: ({ env }) => `ADC_SERVER: ${env.ADC_SERVER}\nADC_BACKEND: api7ee\n`,
    env: ({ token }) => ({ ADC_TOKEN: token }),
    options: ["--env-file", "./.env"],
  },
  "a token with a line break, and a server with a blank": {
    env: (it) => ({ ...given(it), ADC_TOKEN: `${it.token}\n`, ADC_SERVER: ` ${it.sandbox.url} ` }),
  },
  "an APISIX": {
    sandbox: { backend: "apisix" },
    env: given,
    words: ["validate", "-f", "adc.yaml"],
  },
  "an APISIX without a key": {
    sandbox: { backend: "apisix", keyRequired: false },
    env: ({ env }) => env,
    options: ["--no-token"],
  },
  "standalone servers": {
    sandbox: { backend: "apisix-standalone" },
    env: (it) => ({ ...given(it), ADC_SERVER: `${it.sandbox.url}/, ${it.sandbox.url}` }),
    words: ["sync", "-f", "adc.yaml"],
  },
};

/** What each reads in its own way, and how adc-run ends. */
const DIFFERENT: Readonly<Record<string, SetUp & { readonly code: 64 | 78 }>> = {
  ...Object.fromEntries(
    ["5000", "1.5s"].map((text) => [`--timeout ${text}`, {
      env: given,
      words: ["ping", "--timeout", text],
      code: 64,
    }]),
  ),
  ...Object.fromEntries(
    ["", "1"].map((text) => [`ADC_TLS_SKIP_VERIFY=${text}`, {
      env: (it: Fixture) => ({ ...given(it), ADC_TLS_SKIP_VERIFY: text }),
      code: 78,
    }]),
  ),
  "an option twice": {
    env: given,
    words: ({ env }) => ["ping", "--backend=apisix", `--backend=${env.ADC_BACKEND}`],
    code: 64,
  },
  "a value that looks like an option": {
    env: given,
    words: ["ping", "--gateway-group", "-blue"],
    code: 64,
  },
  "half a client pair": {
    env: (it) => ({ ...given(it), ADC_TLS_CLIENT_CERT_FILE: "adc.yaml" }),
    code: 78,
  },
  "a list of servers for one": {
    env: (it) => ({ ...given(it), ADC_SERVER: `${it.sandbox.url},http://127.0.0.1:1` }),
    code: 78,
  },
  "a name and a colon in `.env`": {
    file: (it) => linesOf(it, (name, value) => `${name}: ${value}`),
    code: 78,
  },
  "an open quote above": {
    file: (it) => "X=don't\n" + linesOf(it, (...pair) => pair.join("=")),
    code: 78,
  },
  "an open quote in a comment above": {
    file: (it) => "X=1  # don't\n" + linesOf(it, (...pair) => pair.join("=")),
    code: 78,
  },
  "a value twice": {
    file: (it) => "ADC_SERVER=http://127.0.0.1:1\n" + linesOf(it, (...pair) => pair.join("=")),
    code: 78,
  },
  "a variable in a value": {
    env: (it) => ({ ...given(it), HOST: it.sandbox.url, ADC_SERVER: undefined! }),
    file: () => "ADC_SERVER=$HOST\n",
    code: 78,
  },
  "a server in backticks": {
    env: ({ token }) => ({ ADC_TOKEN: token }),
    file: ({ env }) => `ADC_BACKEND=api7ee\nADC_SERVER=\`${env.ADC_SERVER}\`\n`,
    code: 78,
  },
  "a server that one alone finds": {
    env: ({ token }) => ({ ADC_TOKEN: token, ADC_BACKEND: "api7ee" }),
    file: ({ env }) => `X=\`\nADC_SERVER=${env.ADC_SERVER}\n\`\n`,
    code: 78,
  },
};

async function prepare({ sandbox, env, file }: SetUp) {
  const it = await fixture(sandbox);
  if (file !== undefined) await it.folder.write(".env", file(it));
  const variables = Object.entries(env?.(it) ?? {}).filter(([, value]) => value !== undefined);
  return { it, cwd: it.folder.path, variables: Object.fromEntries(variables) };
}

function wordsOf({ words = ["ping"] }: SetUp, it: Fixture): readonly string[] {
  return typeof words === "function" ? words(it) : words;
}

const [home] = await testHomes("one home");

describe(`both ADCs behind adc-run on ${home.name}`, () => {
  for (const [personality, program] of Object.entries(PERSONALITIES)) {
    for (const [name, setUp] of Object.entries(ALIKE)) {
      it(`the ${personality} one goes where the check went: ${name}`, async () => {
        const { it, cwd, variables: env } = await prepare(setUp);
        await using _ = it;
        const words = ["--adc", standIn(program), ...wordsOf(setUp, it)];
        const ended = await adcRun(home, [...setUp.options ?? [], ...words], { env, cwd });
        const shown = ended.stderr + ended.stdout;
        // ADC ends with 0 where it reached a server that takes the token, and there is only this one.
        assert.equal(ended.code, 0, shown);
        assert.match(shown, /success/);
        assert.ok(!traces(it.token).some((trace) => shown.includes(trace)), shown);
        const keys = new Set(it.sandbox.requests.map(({ apiKey }) => apiKey));
        // One sends the placeholder where no key is used, and one asks for the version without.
        keys.delete(undefined);
        keys.delete("unused");
        const isKeyless = setUp.options?.includes("--no-token");
        assert.deepEqual([...keys], isKeyless ? [] : [it.token]);
      });
    }
  }

  for (const [name, { code, ...setUp }] of Object.entries(DIFFERENT)) {
    it(`what they read differently is refused: ${name}`, async () => {
      const { it, cwd, variables: env } = await prepare(setUp);
      await using _ = it;
      const words = wordsOf(setUp, it);
      const ended = await adcRun(home, ["--adc", standIn("adc.mjs"), ...words], { env, cwd });
      assert.equal(ended.code, code, ended.stderr);
      assert.deepEqual(it.sandbox.requests, []);
      const shown = ended.stderr + ended.stdout;
      assert.ok(!traces(it.token).some((trace) => shown.includes(trace)), shown);
      const readings = [];
      for (const program of Object.values(PERSONALITIES)) {
        const before = it.sandbox.requests.length;
        const alone = await collect(["node", standIn(program), ...words], { env, cwd });
        const keys = it.sandbox.requests.slice(before).map(({ apiKey }) => apiKey);
        readings.push(JSON.stringify([alone.code === 0, ...keys]));
      }
      assert.notEqual(readings[0], readings[1], "both read it alike");
    });
  }

  it("standalone servers get each its own token from both", async () => {
    await using it = await fixture({ backend: "apisix-standalone" });
    await using second = await startSandbox({ backend: "apisix-standalone" });
    const tokens = [it.token, second.addToken().value];
    const env = {
      ...it.env,
      ADC_SERVER: `${it.sandbox.url}, ${second.url}`,
      ADC_TOKEN: tokens.join(" ,"),
    };
    for (const program of Object.values(PERSONALITIES)) {
      const args = ["--adc", standIn(program), "sync", "-f", "adc.yaml"];
      const ended = await adcRun(home, args, { env, cwd: it.folder.path });
      assert.equal(ended.code, 0, ended.stderr + ended.stdout);
    }
    for (const [index, { requests }] of [it.sandbox, second].entries()) {
      const keys = new Set(requests.map(({ apiKey }) => apiKey).filter((key) => key !== undefined));
      assert.deepEqual([...keys], [tokens[index]]);
    }
  });

  it("`server` and `ingress-server` need no token, and get ADC's own answer", async () => {
    await using it = await fixture();
    const options = { env: it.env, cwd: it.folder.path };
    for (const word of ["server", "ingress-server"]) {
      for (const [program, code] of [["adc.mjs", 1], ["adc_rust.mjs", 0]] as const) {
        const ended = await adcRun(home, ["--adc", standIn(program), word], options);
        assert.equal(ended.code, code, ended.stderr);
      }
    }
    assert.deepEqual(it.sandbox.requests, []);
  });
});
