/**
 * `adc-run auth login --with-token`: checks a token, then stores it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { checkToken, tokensByServer } from "../../check/check_token.ts";
import { CheckError } from "../../check/verdict.ts";
import type { Connection } from "../../connection/connection.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { surveyTokens } from "../../token/resolve.ts";
import type { TokenSource } from "../../token/source.ts";
import {
  isBlank,
  MOST_TOKEN_BYTES,
  tokenDefect,
  withoutTrailingNewline,
} from "../../token/token_value.ts";
import { canAsk } from "../io.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeOwner, findOwner } from "../owner.ts";
import type { Reporter } from "../report.ts";
import { describeEntries, storeTokens } from "../stored_token.ts";

/**
 * Stores a token in the keychain, if the server takes it.
 *
 * @param call The command's words.
 * @param io The process.
 * @returns The exit code.
 */
export async function authLogin(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter } = await readOwnCommand<{ withToken?: boolean }>(
    call,
    io,
    { name: "auth login", options: ["--with-token"] },
  );
  if (connection.args.tokens.length > 0) {
    throw new UsageError(
      "Cannot take the token from --token: any user of this machine can read it there",
      {
        suggestion: "Use --with-token, which reads it from standard input.",
      },
    );
  }
  if (!options.withToken) {
    throw new UsageError("Cannot log in: --with-token is missing", {
      suggestion: "Make a token in the Dashboard under Organization → Tokens, then: " +
        "adc-run auth login --with-token < token.txt",
    });
  }
  const token = await readToken(connection, io);
  if (options.check) {
    const checked = await checkToken(token, { connection });
    // Without the named gateway group the token still works, for another one.
    if (checked.verdict === "no-gateway-group") reporter.warn(checked.found);
    else if (checked.verdict !== "valid") throw new CheckError(checked);
  }
  const tokens = new Map<string, Secret>();
  for (const [index, each] of tokensByServer(connection, token).entries()) {
    tokens.set(connection.servers[index]!.origin, each);
  }
  await storeTokens(tokens, io.keychain);
  const owner = options.check ? await findOwner(connection, token, { reporter }) : undefined;
  await warnOfOthers(connection, sources, reporter);
  if (options.json) {
    const { warnings } = reporter;
    const { redacted, fingerprint } = token;
    const accounts = [...tokens.keys()];
    reporter.print(
      JSON.stringify({ stored: "keychain", accounts, redacted, fingerprint, owner, warnings }),
    );
    return 0;
  }
  const whose = owner === undefined ? "" : ` of ${describeOwner(owner)}`;
  reporter.info(`stored token ${token}${whose} in ${describeEntries(tokens.keys())}`);
  return 0;
}

async function readToken(connection: Connection, io: Io): Promise<Secret> {
  const text = canAsk(io) ? await askForToken(connection, io) : await readInput(io);
  const token = new Secret(withoutTrailingNewline(text));
  if (isBlank(token.reveal())) {
    throw new AdcRunError("Cannot log in: standard input holds no token", EXIT.data, {
      suggestion: "Pipe it in: adc-run auth login --with-token < token.txt",
    });
  }
  const list = connection.backend.value === "apisix-standalone";
  const defect = tokenDefect(token, list);
  if (defect !== undefined) {
    throw new AdcRunError(`Cannot use the token on standard input: ${defect}`, EXIT.data, {
      suggestion: "Copy it once more, without quotes, spaces and line breaks.",
    });
  }
  return token;
}

async function readInput(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MOST_TOKEN_BYTES) {
      throw new AdcRunError(
        `Cannot use standard input: it is longer than ${MOST_TOKEN_BYTES} bytes`,
        EXIT.data,
      );
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function askForToken(connection: Connection, io: Io): Promise<string> {
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({
    message: `Token for ${connection.backend.value} at ${connection.server.value}`,
    input: io.stdin,
    output: io.stderr,
  });
  if (isCancel(answer)) throw new AdcRunError("Given up", EXIT.interrupted);
  return answer ?? "";
}

/** A token in the environment wins over the keychain, which surprises whoever has just stored one. */
async function warnOfOthers(
  connection: Connection,
  sources: readonly TokenSource[],
  reporter: Reporter,
): Promise<void> {
  const at = sources.findIndex(({ name }) => name === "keychain");
  const before = sources.slice(0, at === -1 ? sources.length : at)
    // A helper command may ask for a password, or take its time.
    .filter(({ name }) => name !== "command");
  const { trail } = await surveyTokens({ connection, sources: before });
  for (const { source, status, detail } of trail) {
    if (status === "absent") continue;
    reporter.warn(`Source "${source}" comes before the keychain and still wins: ${detail}`);
  }
}
