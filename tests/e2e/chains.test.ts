import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { badChains, type Chain, goodChains, serveTls } from "../support/chains.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "a7ee-canary-of-chains";
const PASSWORD = "canary-of-passwords";

const ANSWER = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 29\r\n\r\n" +
  '{"list":[{"name":"default"}]}';

const LOG_IN = ["auth", "login", "--username", "ci", "--password-stdin", "--storage", "file"];

/** Words that send a secret, and whether it is in the environment. */
const SENDERS: readonly (readonly [words: readonly string[], env: Record<string, string>])[] = [
  [["exec", "--", "true"], { ADC_TOKEN: TOKEN }],
  [["api", "/api/users"], { ADC_TOKEN: TOKEN }],
  [["auth", "list"], { ADC_TOKEN: TOKEN }],
  [["--adc", standIn("adc.mjs"), "doctor"], { ADC_TOKEN: TOKEN }],
  [LOG_IN, {}],
];

for (const home of await testHomes()) {
  const run = async (
    words: readonly string[],
    { ca, url, env = {} }: Pick<Chain, "ca"> & {
      readonly url: string;
      readonly env?: Record<string, string>;
    },
  ) => {
    await using folder = await temporaryFolder({ "ca.pem": ca });
    return await adcRun(home, words, {
      env: {
        ADC_BACKEND: "api7ee",
        ADC_SERVER: url,
        ADC_CA_CERT_FILE: "ca.pem",
        ADC_RUN_CONFIG_DIR: `${folder.path}/config`,
        ...env,
      },
      cwd: folder.path,
      input: `${PASSWORD}\n`,
    });
  };

  describe(`chains of certificates on ${home.name}`, () => {
    for (const { name, cert, key, ca, found } of badChains()) {
      it(`nothing is sent over ${name}, nor to a proxy`, async () => {
        await using server = await serveTls({ cert, key }, ANSWER);
        const all = name.startsWith("a leaf is version 1") ? SENDERS : SENDERS.slice(0, 1);
        for (const [words, env] of all) {
          for (
            const target of [
              { url: server.url, env },
              {
                url: "https://gateway.example",
                env: { ...env, ALL_PROXY: server.url.replace("//", "//bob:canary@") },
              },
            ]
          ) {
            const ended = await run(words, { ca, ...target });
            assert.equal(ended.code, 69, ended.stderr);
            assert.match(ended.stderr + ended.stdout, found);
            assert.equal(server.received, 0, words.join(" "));
          }
        }
      });
    }

    it("those that a CA file vouches for pass", async () => {
      for (const { name, cert, key, ca } of goodChains()) {
        await using server = await serveTls({ cert, key }, ANSWER);
        const env = { ADC_TOKEN: TOKEN };
        const ended = await run(["exec", "--", "true"], { ca, url: server.url, env });
        assert.equal(ended.code, 0, `${name}: ${ended.stderr}`);
      }
    });
  });
}
