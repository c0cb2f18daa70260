import { createHash, randomBytes } from "node:crypto";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { NewToken, TokenInfo, User } from "../admin_api/shapes.ts";
import type { Context } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { isAlive, ownIdentity, type ProcessIdentity } from "../store/process_identity.ts";
import { MAX_TOKEN_NAME_LENGTH } from "./mint_token.ts";
import type { Session } from "./open_session.ts";

/** Longer than a run takes from a token's making to its name, in milliseconds. */
const MAX_RUN = 10 * 60_000;

/** How long a run waits for another that began in the same second, in milliseconds. */
const MAX_WAIT = 90_000;

/**
 * A user's tokens of one workflow. All that is known of them is on the server: whoever comes next may have another
 * home.
 */
export interface WorkflowState {
  readonly current: TokenInfo | undefined;
  /** Those that have a temporary name yet. */
  readonly unfinished: readonly TokenInfo[];
  /** Those of them whose run may be under way. */
  readonly atWork: readonly TokenInfo[];
}

interface FindOptions extends Pick<Context, "signal"> {
  readonly now: () => number;
}

export async function findState(
  { api, user }: Pick<Session, "api" | "user">,
  name: string,
  { signal, now }: FindOptions,
): Promise<WorkflowState> {
  const tokens = ownTokens(await api.tokens({ signal }), user);
  const self = await ownIdentity();
  const oldest = (now() + api.clockSkewMs - MAX_RUN) / 1000;
  const unfinished: TokenInfo[] = [];
  const atWork: TokenInfo[] = [];
  for (const token of tokens) {
    const owner = ownerOf(token.name, name);
    if (owner === undefined) continue;
    unfinished.push(token);
    if ((token.createdAt ?? 0) < oldest) continue;
    const isElsewhere = owner.host !== hostKey(self);
    if (isElsewhere || await isAlive({ ...self, pid: owner.pid, started: undefined }) !== false) {
      atWork.push(token);
    }
  }
  return { current: tokens.find((token) => token.name === name), unfinished, atWork };
}

/** A server may show another user's tokens to whoever has the right to see them. */
export function ownTokens(tokens: readonly TokenInfo[], user: User): readonly TokenInfo[] {
  return tokens.filter(({ userId }) => userId === undefined || userId === user.id);
}

/**
 * Of two runs at once one goes on: the other's hand-over could come last, with a token that this one revokes.
 * Both have made their token before they look, so that one of them, at least, sees the other.
 */
export async function requireNoRival(
  session: Session,
  fresh: NewToken,
  { name, current, ...options }: FindOptions & Pick<WorkflowState, "current"> & {
    readonly name: string;
  },
): Promise<void> {
  const begun = performance.now();
  const ownTime = fresh.createdAt ?? 0;
  for (;;) {
    const state = await findState(session, name, options);
    const rivals = state.atWork.filter(({ id, createdAt = 0 }) =>
      id !== fresh.id && createdAt <= ownTime
    );
    const isFirst = rivals.every(({ id, createdAt = 0 }) => createdAt === ownTime && id > fresh.id);
    const isRenewed = state.current?.id !== current?.id;
    if (!isFirst || isRenewed || performance.now() - begun > MAX_WAIT) throw rotatedElsewhere(name);
    if (rivals.length === 0) return;
    // The server counts in seconds: one that began in this one gives up, or comes to its end.
    await sleep(250, undefined, { signal: options.signal });
  }
}

export function rotatedElsewhere(name: string): AdcRunError {
  return new AdcRunError(
    `Cannot replace the token "${name}": another run is replacing it`,
    EXIT.unavailable,
    { suggestion: `Try again when it has ended, in ${MAX_RUN / 60_000} minutes at the latest.` },
  );
}

/** `NAME~` and what tells for which workflow, where and by which process it was made. */
const TEMPORARY = /^(.*)~([0-9a-f]{4})([0-9a-f]{4})[0-9a-f]{4}([0-9a-z]{1,6})$/s;

/** Whether a token has the name that a workflow's has until it has taken the place of the one before. */
export function isUnfinished({ name }: Pick<TokenInfo, "name">): boolean {
  return TEMPORARY.test(name);
}

export async function temporaryName(name: string): Promise<string> {
  const random = randomBytes(2).toString("hex");
  const host = hostKey(await ownIdentity());
  const ending = `~${digest(name)}${host}${random}${process.pid.toString(36)}`;
  return [...name].slice(0, MAX_TOKEN_NAME_LENGTH - ending.length).join("") + ending;
}

function ownerOf(
  temporary: string,
  name: string,
): { readonly host: string; readonly pid: number } | undefined {
  const [, start, workflow, host = "", pid = ""] = TEMPORARY.exec(temporary) ?? [];
  if (start === undefined || !name.startsWith(start) || workflow !== digest(name)) return undefined;
  return { host, pid: parseInt(pid, 36) };
}

function hostKey({ host, machine, boot, pidNamespace }: ProcessIdentity): string {
  return digest(JSON.stringify([boot === undefined ? host : "", machine, boot, pidNamespace]));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 4);
}
