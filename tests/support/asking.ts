/**
 * What the tests of token sources have in common: a connection, one source asked, and fake sources.
 *
 * @module
 */

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type Connection, resolveConnection } from "../../src/connection/connection.ts";
import type { Environment } from "../../src/context.ts";
import { SourceError } from "../../src/errors.ts";
import { NoTokenError, type ResolvedToken, resolveToken } from "../../src/token/resolve.ts";
import type { TokenSource } from "../../src/token/sources.ts";

/** Makes a connection from ADC's words, apart by spaces. */
export function connect(
  line: string,
  { env = {}, cwd = "/nowhere" }: { readonly env?: Environment; readonly cwd?: string } = {},
): Promise<Connection> {
  return resolveConnection({ args: line.split(" "), env, cwd });
}

/** Asks these sources; the connection is ADC's default unless one is given. */
export async function find(
  sources: readonly TokenSource[],
  { connection, signal }: {
    readonly connection?: Connection | undefined;
    readonly signal?: AbortSignal;
  } = {},
): Promise<ResolvedToken> {
  return await resolveToken({ connection: connection ?? await connect("sync"), sources, signal });
}

/** Asks a source that has no token, and gives its reason. */
export async function absence(source: TokenSource, connection?: Connection): Promise<string> {
  const error = await failure(find([source], { connection }));
  assert.ok(error instanceof NoTokenError, inspect(error));
  assert.equal(error.exitCode, 77);
  assert.equal(error.trail.length, 1);
  assert.deepEqual([error.trail[0]?.source, error.trail[0]?.status], [source.name, "absent"]);
  return error.trail[0]?.detail ?? "";
}

/** Asks a source that is broken, and gives the error. */
export async function breakage(source: TokenSource, connection?: Connection): Promise<SourceError> {
  const error = await failure(find([source], { connection }));
  assert.ok(error instanceof SourceError, inspect(error));
  assert.equal(error.source, source.name);
  const start = `Cannot get a token from source "${source.name}": `;
  assert.ok(error.message.startsWith(start), error.message);
  return error;
}

async function failure(promise: Promise<ResolvedToken>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  assert.fail("A token was found");
}

/** All that a person could get to see of an error, with its causes, but for its stack. */
export function visible(error: Error): string {
  return inspect(error, { depth: 9, showHidden: true });
}
