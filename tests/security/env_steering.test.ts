/**
 * What `.env` does to the requests of ADC's own libraries, `dotenv` and `axios`, in a child that has what
 * adc-run hands over: no name that changes where a request goes is unknown to adc-run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { resolveConnection } from "../../src/connection/connection.ts";
import { untrustedOverride } from "../../src/connection/pinned_target.ts";
import { ConnectionError } from "../../src/errors.ts";
import { childEnvironment } from "../../src/run/environment.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Who heard of a request, by name. */
async function listen(name: string): Promise<string> {
  const server = createServer((_, response) => void response.end(name)).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const [server, thief] = [await listen("server"), await listen("thief")];

/** What ADC does: it loads `.env`, and asks the server that its environment names. */
const PROGRAM = fileURLToPath(new URL("ask_with_axios.mjs", import.meta.url));

const NAMES = [
  ...["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy", "NO_PROXY"],
  ...["npm_config_proxy", "npm_config_http_proxy", "NPM_CONFIG_PROXY", "npm_config_no_proxy"],
  ...["Http_Proxy", "PROXY", "UPSTREAM", "NODE_ENV", "axios_proxy", "GLOBAL_AGENT_HTTP_PROXY"],
];

test("no name in .env that changes where ADC's library sends a request is unknown to adc-run", async () => {
  const heard: Record<string, string> = {};
  for (const name of NAMES) {
    await using folder = await temporaryFolder({
      ".env": `${name}=${thief}\n`,
      "adc.mjs": PROGRAM,
    });
    const cwd = folder.path;
    const env = { ADC_SERVER: server, ADC_TOKEN: "a7ee-example", PATH: process.env.PATH };
    const connection = await resolveConnection({ env, cwd });
    const child = { ...childEnvironment(connection, env), ADC_TOKEN: "a7ee-example" };
    const { stdout } = await promisify(execFile)("node", [PROGRAM], { cwd, env: child });
    heard[name] = stdout.trim();
    // The check goes the same way as ADC.
    assert.equal(heard[name] === "thief", connection.proxies[0] !== undefined, name);
    // With a token from elsewhere, or a pinned target, what leads to the thief is refused.
    if (heard[name] !== "thief") continue;
    assert.ok(untrustedOverride(connection), name);
    await assert.rejects(
      resolveConnection({ env: { ...env, ADC_RUN_ALLOWED_SERVERS: server }, cwd }),
      ConnectionError,
    );
  }
  const led = Object.keys(heard).filter((name) => heard[name] === "thief");
  assert.deepEqual(led, ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"]);
});
