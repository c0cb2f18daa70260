/**
 * The sandbox by hand: `deno run -A tests/sandbox/serve.ts --backend api7ee --https`.
 *
 * Prints one line of JSON: the address, the CA's file, a file that holds a token, and a user who can
 * log in (password `dev-password`; the Super Admin is `admin`, `admin`). Ends on SIGINT and SIGTERM.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type SandboxOptions, startSandbox } from "./sandbox.ts";

const { values } = parseArgs({
  options: {
    "backend": { type: "string", default: "api7ee" },
    "https": { type: "boolean", default: false },
    "no-license": { type: "boolean", default: false },
    "client-certificate": { type: "boolean", default: false },
    "port": { type: "string", default: "0" },
    "version": { type: "string" },
    "token-path": { type: "string", default: "/api/tokens" },
    "expired-certificate": { type: "boolean", default: false },
    "wrong-name": { type: "boolean", default: false },
  },
});

const sandbox = await startSandbox(
  {
    backend: oneOf(["api7ee", "apisix", "apisix-standalone"], values.backend),
    https: values.https,
    license: !values["no-license"],
    clientCertificate: values["client-certificate"],
    port: Number(values.port),
    tokenPath: oneOf(["/api/tokens", "/api/settings/tokens"], values["token-path"]),
    expiredCertificate: values["expired-certificate"],
    wrongName: values["wrong-name"],
    ...(values.version === undefined ? {} : { version: values.version }),
  } satisfies SandboxOptions,
);

sandbox.addUser({ username: "admin", password: "admin", superAdmin: true });
sandbox.addUser({ username: "dev", password: "dev-password" });
const tokenFile = join(sandbox.certDir, "token");
const token = sandbox.addToken(values.backend === "api7ee" ? { user: "dev" } : {});
await writeFile(tokenFile, `${token.value}\n`, { mode: 0o600 });

const { url, ca, clientCert, clientKey } = sandbox;
const report = { url, ca, tokenFile, username: "dev", clientCert, clientKey };
process.stdout.write(`${JSON.stringify(report)}\n`);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void sandbox.close().then(() => process.exit(0)));
}

function oneOf<const Choice extends string>(choices: readonly Choice[], value: string): Choice {
  const choice = choices.find((each) => each === value);
  if (choice === undefined) throw new Error(`"${value}" is none of ${choices.join(", ")}`);
  return choice;
}
