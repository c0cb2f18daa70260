import {
  judgeRawAnswer,
  openRawRequester,
  type RawAnswer,
  type RawRequester,
} from "../../admin_api/raw_request.ts";
import { findToken, tokensByServer } from "../../check/check_token.ts";
import type { Connection } from "../../connection/connection.ts";
import { requireAllowed } from "../../connection/origin.ts";
import { UsageError } from "../../errors.ts";
import { endWarning, explainRefusal, knownToken } from "../../lifecycle/expiry.ts";
import { createMask, type Mask } from "../../mask/mask.ts";
import { secretsOf } from "../../run/environment.ts";
import { isOneFile } from "../../run/child.ts";
import { releaseLease } from "../../run/run.ts";
import { type RunSignals, watchSignals } from "../../run/signals.ts";
import type { ResolvedToken } from "../../token/resolve.ts";
import { strayWarning } from "../../token/sources.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../manual/manual.ts";
import type { ApiOptions } from "../manual/other_commands.ts";
import { requireNoDryRun } from "../options.ts";
import { fixed } from "../output/out.ts";
import type { Reporter } from "../output/report.ts";
import { openConnection, type OwnConnection } from "../settings.ts";
import {
  allPages,
  type BodyStart,
  forTerminal,
  headOf,
  keepStart,
  notAList,
  pageFields,
  writePieces,
} from "./api_output.ts";
import {
  type ApiRequest,
  hasField,
  readApiRequest,
  readBody,
  readTarget,
  requireGroups,
  withFields,
  withGroup,
} from "./api_request.ts";

export async function api(call: OwnCall<ApiOptions>, io: Io): Promise<number> {
  const { options, reporter } = call;
  const request = readApiRequest(call.operands, options);
  const mayChange = !["GET", "HEAD"].includes(request.method);
  if (mayChange) requireNoDryRun(options, `api ${request.method}`);
  const connected = await openConnection(call, io, { mayAsk: mayChange });
  if (mayChange) requireAllowed(connected.connection.profile, "api");
  const watch = watchSignals(io.signals);
  const { interrupted: signal } = watch;
  try {
    return await sendRequest(request, { ...connected, reporter, io, watch, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    watch.stop();
  }
}

interface Surroundings extends OwnConnection {
  readonly reporter: Reporter;
  readonly io: Io;
  readonly watch: RunSignals;
  readonly signal: AbortSignal;
}

async function sendRequest(request: ApiRequest, surroundings: Surroundings): Promise<number> {
  const { connection, sources, reporter, io, watch, signal } = surroundings;
  // All that can be wrong on this side is, before a token is looked for.
  const target = readTarget(request.path, connection.servers);
  requireGroups(connection);
  const path = withFields(target.path, request.fields);
  if (request.paginate && hasField(path, "page")) {
    throw new UsageError("Cannot use --paginate: the path already has a page");
  }
  const { data, ...rest } = request;
  const body = data === undefined ? undefined : await readBody(data, io, { signal });
  const resolved = await findToken({ connection, sources, signal });
  try {
    warnOfToken(connection, { sources, reporter });
    const stray = strayWarning(connection, { ...resolved, env: io.env });
    if (stray !== undefined) reporter.warn(stray);
    const { server } = target;
    const tokens = tokensByServer(connection, resolved.token);
    const token = tokens[connection.servers.indexOf(server)]!;
    const requester = openRawRequester(connection, { server, token, resolved, signal });
    try {
      return await exchange({ ...rest, path, body }, { ...surroundings, requester, resolved });
    } finally {
      await requester.close();
    }
  } finally {
    await releaseLease(resolved.lease, { watch, onWarning: reporter.warn });
  }
}

type PreparedRequest = Omit<ApiRequest, "data"> & { readonly body: Uint8Array | undefined };

interface Exchange extends Surroundings {
  readonly requester: RawRequester;
  readonly resolved: ResolvedToken;
}

async function exchange(prepared: PreparedRequest, exchanging: Exchange): Promise<number> {
  const { connection, reporter, requester, resolved, io } = exchanging;
  const record = await knownToken(resolved.token, {
    connection,
    env: io.env,
    onWarning: reporter.warn,
  });
  const now = Date.now();
  const soon = endWarning(record, { connection, now });
  if (soon !== undefined) reporter.warn(soon);
  const path = await withGroup(prepared.path, exchanging);
  const { method, body } = prepared;
  const headers = body === undefined
    ? prepared.headers
    : { "content-type": "application/json", ...prepared.headers };
  const send = (fields: Parameters<typeof withFields>[1]) =>
    requester.send({ method, path: withFields(path, fields), headers, body });
  const failureOf = (answer: RawAnswer, start: BodyStart) =>
    judgeRawAnswer(answer, {
      start: start.text(),
      cut: start.cut(),
      connection,
      resolved,
      explain: (result) =>
        explainRefusal(result, { record, now, resolved, connection, env: io.env }),
    });

  const answer = await send(prepared.paginate ? pageFields(path, 1) : []);
  io.sign?.hide();
  const mask = createMask(prepared.mask ? secretsOf(connection, resolved, io.env) : []);
  if (prepared.paginate && isSuccess(answer)) {
    const next = async (page: number) => {
      const further = await send(pageFields(path, page));
      if (isSuccess(further)) return further;
      const start = keepStart(further.body);
      for await (const _ of start.body) {
        if (start.full()) break;
      }
      throw failureOf(further, start) ?? notAList(further, `the answer is ${further.status}`);
    };
    await show(allPages(answer, next), exchanging, { mask });
    return 0;
  }
  const start = keepStart(answer.body);
  const head = prepared.include ? headOf(answer) : undefined;
  await show(start.body, exchanging, { mask, head });
  const failure = failureOf(answer, start);
  if (failure !== undefined) {
    // The message begins on a line of its own.
    if (isOneFile(io.stdout, io.stderr) && !start.text().endsWith("\n")) {
      reporter.print("", "stderr");
    }
    return reporter.fail(failure);
  }
  if (/html/i.test(answer.header("content-type") ?? "")) {
    reporter.warn("The response is an HTML page, not an Admin API's JSON.");
  }
  return 0;
}

function isSuccess({ status }: RawAnswer): boolean {
  return status >= 200 && status < 300;
}

async function show(
  body: AsyncIterable<Uint8Array>,
  { io, reporter }: Surroundings,
  { mask, head }: { readonly mask: Mask; readonly head?: Uint8Array | undefined },
): Promise<void> {
  const shown = io.terminals.stdout ? forTerminal(body) : body;
  async function* pieces() {
    if (head !== undefined) yield head;
    yield* shown;
  }
  await writePieces(pieces(), io.stdout, { mask });
  if (mask.count > 0) {
    const often = mask.count === 1 ? "once" : `${mask.count} times`;
    reporter.info(fixed(`masked a secret ${often} in the response; --no-mask shows it`));
  }
}

function warnOfToken(
  { args }: Connection,
  { sources, reporter }: Pick<Surroundings, "sources" | "reporter">,
): void {
  if (args.tokens.length > 0 && !sources.some(({ name }) => name === "flag")) {
    reporter.warn('--token is ignored: the list of sources does not include "flag".');
  }
  if (args.tokens.at(-1)?.reveal().trim() === "") {
    reporter.warn("--token is empty and is ignored.");
  }
}
