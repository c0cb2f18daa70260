import { AdminApi } from "../admin_api/admin_api.ts";
import { AdminApiError } from "../admin_api/admin_api_error.ts";
import type { Credentials } from "../admin_api/session.ts";
import type { NewToken, TokenInfo, User } from "../admin_api/shapes.ts";
import type { Connection } from "../connection/connection.ts";
import { adcRunCommand, shellWord } from "../connection/origin.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT, messageOf, UsageError } from "../errors.ts";
import type { Secret } from "../secret.ts";
import { requireConsent } from "./credentials.ts";
import { DAY, endOf, hasEnded, lifetimeOf, readLifetime } from "./expiry.ts";
import { type Consumer, type HandOver, openConsumer } from "./hand_over.ts";
import { requireTokenName } from "./mint_token.ts";
import { type Session, withApi, withSession } from "./open_session.ts";
import { checkOf } from "./stored_token.ts";
import { describeEntries, findStoredToken, openTokenStores } from "./token_stores.ts";
import {
  findState,
  requireNoRival,
  rotatedElsewhere,
  temporaryName,
  type WorkflowState,
} from "./workflow_state.ts";

/**
 * A workflow that lives elsewhere and has a token of its own, such as a pipeline.
 * @category Workflows
 */
export interface Workflow {
  /** Its name, which is its token's on the server: at most 40 characters. */
  readonly name: string;
  /**
   * How long its token lives, such as `90d`, or `never`.
   * @default as long as the one before was to live; 90d for the first
   */
  readonly expiresIn?: string | undefined;
  /** How it gets its token. */
  readonly handOver: HandOver;
}

/**
 * What {@linkcode createWorkflowToken} and {@linkcode rotateWorkflowTokens} look at.
 * @category Workflows
 */
export interface WorkflowOptions extends Context {
  /** The token that creates the others, a user's own; or else `credentials`. */
  readonly token?: Secret | undefined;
  /** Who logs in to create them; or else `token`. */
  readonly credentials?: Credentials | undefined;
  /**
   * Whether the password may be sent though only a file of the working directory, such as `.env`, says where,
   * through which proxy, or whom to trust.
   * @default false
   */
  readonly consent?: boolean | undefined;
  /** Whether a new token is checked before it is handed over. @default true */
  readonly check?: boolean | undefined;
  /** Told what a command printed that was handed a token, a line each, masked. */
  readonly onOutput?: ((line: string) => void) | undefined;
}

/**
 * Options for {@linkcode rotateWorkflowTokens}.
 * @category Workflows
 */
export interface RotateWorkflowsOptions extends WorkflowOptions {
  /**
   * Rotates only tokens that expire within this time, such as `14d`, and those that were not finished.
   * @default undefined: all of them
   */
  readonly due?: string | undefined;
  /** Whether nothing is done but told what would be. @default false */
  readonly dryRun?: boolean | undefined;
}

/**
 * A token that a workflow has; its value is nowhere but there.
 * @category Workflows
 */
export interface WorkflowToken {
  /** The workflow's name, and the token's. */
  readonly name: string;
  /** The token's id on the server. */
  readonly id: string;
  /** When it expires, in Unix seconds; `undefined` for never. */
  readonly expiresAt: number | undefined;
  /** The ids of the tokens that were revoked in its favor. */
  readonly revoked: readonly string[];
}

/**
 * What became of a workflow's token.
 * @category Workflows
 */
export interface WorkflowResult {
  /** The workflow's name. */
  readonly name: string;
  /** What was done; `would rotate` in a dry run, `not due` if it expires later. */
  readonly outcome: "rotated" | "would rotate" | "not due" | "failed";
  /** When its token expires, in Unix seconds; `undefined` for never, and where that is not known. */
  readonly expiresAt?: number | undefined;
  /** Why it failed. */
  readonly error?: unknown;
}

export interface WorkflowTerms
  extends Pick<Context, "env" | "cwd" | "keychain" | "dispatcher" | "signal" | "onWarning"> {
  readonly connection: Connection;
  readonly check: (token: Secret) => Promise<void>;
  readonly onOutput?: ((line: string) => void) | undefined;
  readonly now: () => number;
}

interface RotationTerms extends WorkflowTerms {
  /** How near a token's end has to be, in milliseconds; `undefined` where that is no matter. */
  readonly due: number | undefined;
  readonly dryRun: boolean;
}

/** How long the first token of a workflow lives: what API7's documentation advises. */
const FIRST_LIFETIME = 90 * DAY;

export async function createToken(
  session: Session,
  workflow: Workflow,
  terms: WorkflowTerms,
): Promise<WorkflowToken> {
  const { api, user } = session;
  const name = requireTokenName(workflow.name);
  const state = await findState(session, name, terms);
  if (state.current === undefined) {
    return (await replaceTokens(session, workflow, { ...terms, state })).made;
  }
  throw new AdminApiError({
    failure: "name-taken",
    request: `Cannot create the token "${name}" at ${api.origin}`,
    reason: `${user.username} already has a token with that name`,
    suggestion: `Rotate it with: ${commandFor("rotate", workflow, terms)}`,
  });
}

/** Where the token goes is said again, but for a workflow of config.json; of a command no words, which may be secret. */
function commandFor(
  verb: "create" | "rotate",
  { name, handOver }: Workflow,
  { connection }: WorkflowTerms,
): string {
  const to = typeof handOver === "function"
    ? " --print"
    : "toFile" in handOver
    ? ` --to-file ${shellWord(handOver.toFile)}`
    : handOver.cwd === undefined
    ? " --to-command …"
    : "";
  return adcRunCommand(`auth ${verb} ${shellWord(name)}${to}`, connection);
}

async function rotateToken(
  session: Session,
  workflow: Workflow,
  { due, dryRun, ...terms }: RotationTerms,
): Promise<{ readonly result: WorkflowResult; readonly token?: Secret }> {
  const { api, user } = session;
  const name = requireTokenName(workflow.name);
  const state = await findState(session, name, terms);
  const { current, unfinished } = state;
  if (current === undefined && unfinished.length === 0) {
    throw new AdminApiError({
      failure: "not-found",
      request: `Cannot rotate the token "${name}" at ${api.origin}`,
      reason: `${user.username} has no token with that name`,
      suggestion: `Create it with: ${commandFor("create", workflow, terms)}, or delete its entry ` +
        'in "workflows" of config.json.',
    });
  }
  const expiresAt = current?.expiresAt;
  const isDue = due === undefined || unfinished.length > 0 ||
    hasEnded(expiresAt, terms.now() + api.clockSkewMs + due);
  if (!isDue) return { result: { name, outcome: "not due", expiresAt } };
  if (current !== undefined) await refuseStored(current, terms);
  if (dryRun) return { result: { name, outcome: "would rotate", expiresAt } };
  const { made, token } = await replaceTokens(session, workflow, { ...terms, state });
  return { result: { name, outcome: "rotated", expiresAt: made.expiresAt }, token };
}

/** Whoever rotated the token by its name that is stored here would be left with a revoked one. */
async function refuseStored({ id, name }: TokenInfo, terms: WorkflowTerms): Promise<void> {
  const stores = openTokenStores(terms);
  const known = (await stores.state.list()).find((record) => record.id === id);
  const stored = known && await findStoredToken(known.account, stores);
  if (stored?.record?.id !== id) return;
  const { account, storage } = stored.record;
  const place = describeEntries([account], { storage, folder: stores.folder });
  throw new UsageError(`Cannot rotate "${name}" for a workflow: it is the token in ${place}`, {
    suggestion: 'Rotate that with "adc-run auth rotate", or give the workflow a name of its own.',
  });
}

/**
 * Makes a token of a temporary name, tries it, hands it over, revokes those that it replaces, and gives it their
 * name.
 *
 * Until the token is handed over a failure revokes it. One that was left by a run that was killed may have been
 * handed over, or not: it is revoked only once another has taken its place.
 */
async function replaceTokens(
  session: Session,
  { name, expiresIn, handOver }: Workflow,
  { state, ...terms }: WorkflowTerms & { readonly state: WorkflowState },
): Promise<{ readonly made: WorkflowToken; readonly token: Secret }> {
  const { api } = session;
  const { signal } = terms;
  const { current, unfinished, atWork } = state;
  if (atWork.length > 0) throw rotatedElsewhere(name);
  const isEndless = current !== undefined && current.expiresAt === undefined;
  const lifetime = expiresIn !== undefined
    ? await readLifetime(expiresIn, "--expires-in")
    : isEndless
    ? undefined
    : lifetimeOf(current ?? {}, FIRST_LIFETIME);
  const again = current !== undefined || unfinished.length > 0;
  const consumer = await openConsumer(handOver, { ...terms, again });
  const fresh = await api.createToken({
    name: await temporaryName(name),
    expiresAt: endOf(lifetime, terms.now() + api.clockSkewMs),
    isUnique: true,
  }, { signal });
  try {
    signal?.throwIfAborted();
    await requireNoRival(session, fresh, { ...terms, name, current });
    await terms.check(fresh.token);
    signal?.throwIfAborted();
    await consumer.take(fresh.token, signal);
  } catch (error) {
    throw await takeBack(session, fresh, { error, consumer, name, onWarning: terms.onWarning });
  }
  const revoked = await finish(session.user, fresh, { ...terms, name });
  const { id, expiresAt, token } = fresh;
  return { made: { name, id, expiresAt, revoked }, token };
}

async function takeBack(
  { api }: Session,
  fresh: NewToken,
  { error, consumer, name, onWarning }: {
    readonly error: unknown;
    readonly consumer: Consumer;
    readonly name: string;
    readonly onWarning: WorkflowTerms["onWarning"];
  },
): Promise<unknown> {
  try {
    await api.revokeToken(fresh.id);
  } catch (reason) {
    onWarning?.(
      `The new token "${fresh.name}" could not be revoked (${messageOf(reason)}): the next ` +
        `"adc-run auth rotate ${name}" does it.`,
    );
  }
  if (!consumer.begun()) return error;
  const held = `The new token was revoked; "${consumer.label}" may have kept a copy of it`;
  if (!(error instanceof AdcRunError)) {
    onWarning?.(`${held}. Rotate "${name}" once more.`);
    return error;
  }
  const { message, exitCode, suggestion, cause = error } = error;
  return new AdcRunError(message, exitCode, {
    suggestion: [suggestion, `${held}.`].filter(Boolean).join(" "),
    cause,
  });
}

/**
 * The consumer has the new token, and from here on nothing is undone. The new token does the rest itself: the one
 * that it was made with may be among those that go.
 */
async function finish(
  user: User,
  { id, token, name: temporary }: NewToken,
  { name, connection, dispatcher, now }: WorkflowTerms & { readonly name: string },
): Promise<readonly string[]> {
  const revoked: string[] = [];
  try {
    await withApi(connection, { token, dispatcher }, async (api) => {
      const { current, unfinished } = await findState({ api, user }, name, { now });
      for (const old of [...unfinished, ...current === undefined ? [] : [current]]) {
        if (old.id === id) continue;
        await api.revokeToken(old.id);
        revoked.push(old.id);
      }
      await api.renameToken(id, name);
    });
    return revoked;
  } catch (cause) {
    throw new AdcRunError(
      `The new token of "${name}" was handed over, and works; what it replaces could not be ` +
        `revoked: ${messageOf(cause)}`,
      cause instanceof AdcRunError ? cause.exitCode : EXIT.unavailable,
      {
        suggestion:
          `It is called "${temporary}" for now. Call "adc-run auth rotate ${name}" again.`,
        cause,
      },
    );
  }
}

/**
 * Creates a token for a workflow and hands it over. It has a temporary name until then; where the hand-over fails
 * it is revoked. Nothing is stored here.
 *
 * @category Workflows
 * @param connection The server, of API7 Enterprise.
 * @param workflow Its name, how long its token lives, and how it gets it.
 * @param options The token or the password that creates it, and what differs from this process.
 * @returns What is known of the token.
 * @throws {AdminApiError} There is a token of that name already, or the server did not create one.
 * @throws {CheckError} The new token does not work.
 * @throws {AdcRunError} It could not be handed over; it is revoked then.
 * @throws {UsageError} The name is longer than 40 characters, or the lifetime is not a duration.
 *
 * @example
 * ```ts
 * import { createWorkflowToken, resolveConnection, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const connection = await resolveConnection({ backend: "api7ee", server: "http://127.0.0.1:1" });
 * const made = createWorkflowToken(connection, {
 *   name: "github-actions",
 *   expiresIn: "90d",
 *   handOver: { toCommand: ["gh", "secret", "set", "ADC_TOKEN", "--repo", "acme/gateway"] },
 * }, { token: new Secret("a7ee-example"), env: {}, cwd: "/nowhere" });
 * // Nothing listens there.
 * await assert.rejects(made, { name: "AdminApiError", failure: "unreachable" });
 * ```
 */
export async function createWorkflowToken(
  connection: Connection,
  workflow: Workflow,
  options: WorkflowOptions,
): Promise<WorkflowToken> {
  const terms = termsOf(connection, options);
  return await withSession(
    connection,
    options,
    (session) => createToken(session, workflow, terms),
  );
}

/**
 * Rotates the tokens of workflows: creates a new one, checks it, hands it over, then revokes the old one, one
 * workflow after the other. One that fails does not keep the others from theirs. Killed at any point, one token
 * that was handed over works, and the next call finishes.
 *
 * @category Workflows
 * @param connection The server, of API7 Enterprise.
 * @param workflows The workflows.
 * @param options The token or the password that creates them, which of them are due, and what differs from this
 * process.
 * @returns What became of each, in order; a failure is a result, not an error.
 * @throws {AdminApiError} The server cannot be reached, or rejects the token or the password.
 * @throws {UsageError} `due` is not a duration.
 *
 * @example
 * ```ts
 * import { resolveConnection, rotateWorkflowTokens, Secret } from "@adc-run/adc-run";
 * import assert from "node:assert/strict";
 *
 * const connection = await resolveConnection({ backend: "api7ee", server: "http://127.0.0.1:1" });
 * const rotated = rotateWorkflowTokens(connection, [
 *   { name: "github-actions", handOver: { toFile: "/srv/actions/token" } },
 *   { name: "gitlab", handOver: async (token) => await store(token.reveal()) },
 * ], { token: new Secret("a7ee-example"), due: "14d", env: {}, cwd: "/nowhere" });
 * // Nothing listens there.
 * await assert.rejects(rotated, { name: "AdminApiError", failure: "unreachable" });
 *
 * async function store(_token: string): Promise<void> {}
 * ```
 */
export async function rotateWorkflowTokens(
  connection: Connection,
  workflows: readonly Workflow[],
  options: RotateWorkflowsOptions,
): Promise<readonly WorkflowResult[]> {
  const due = options.due === undefined ? undefined : await readLifetime(options.due, "due");
  const terms = { ...termsOf(connection, options), due, dryRun: options.dryRun ?? false };
  return await withSession(connection, options, (session) => rotateEach(session, workflows, terms));
}

export async function rotateEach(
  session: Session,
  workflows: readonly Workflow[],
  terms: RotationTerms,
): Promise<readonly WorkflowResult[]> {
  const { connection, dispatcher, signal } = terms;
  const results: WorkflowResult[] = [];
  let { api } = session;
  for (const workflow of workflows) {
    signal?.throwIfAborted();
    try {
      const { result, token } = await rotateToken({ ...session, api }, workflow, terms);
      results.push(result);
      if (token === undefined) continue;
      // The token that asked may have been the one that was replaced: a workflow can renew its own.
      if (api !== session.api) await api.close();
      api = await AdminApi.open(connection, { token, dispatcher });
    } catch (error) {
      signal?.throwIfAborted();
      results.push({ name: workflow.name, outcome: "failed", error });
    }
  }
  if (api !== session.api) await api.close();
  return results;
}

function termsOf(connection: Connection, options: WorkflowOptions): WorkflowTerms {
  const { credentials, consent, now = Date.now } = options;
  if (credentials !== undefined) requireConsent(connection, consent);
  return { ...options, now, connection, check: checkOf(connection, options) };
}
