import type { Connection } from "../connection/connection.ts";
import { AdcRunError, EXIT, messageOf } from "../errors.ts";
import type { SourceAnswer, TokenSource } from "./source.ts";
import { isBlank, tokenDefect } from "./token_value.ts";

/** Asks one source within its time limit, and judges the token that it gives. */
export async function askSource(
  source: TokenSource,
  connection: Connection,
  { signal }: { readonly signal: AbortSignal | undefined },
): Promise<SourceAnswer> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  let late = false;
  const ended = new Promise<SourceAnswer>((resolve, reject) => {
    timer = setTimeout(() => {
      late = true;
      resolve({
        status: "broken",
        reason: `it did not answer within ${source.timeout / 1000} s`,
        ...(source.whenSlow !== undefined && { suggestion: source.whenSlow }),
      });
      limit.abort();
    }, source.timeout);
    abort = () => {
      reject(signal?.reason);
      limit.abort(signal?.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
  });
  // Asynchronous, so that a source which throws is as broken as one which rejects.
  const found = (async () => await source.find({ connection, signal: limit.signal }))().catch((
    error,
  ): SourceAnswer => ({
    status: "broken",
    reason: messageOf(error),
    cause: error,
    // What adc-run itself found out has a code and a remedy of its own: a server that is down, say.
    ...(error instanceof AdcRunError && {
      exitCode: error.exitCode,
      ...(error.suggestion !== undefined && { suggestion: error.suggestion }),
    }),
  }));
  try {
    const answer = await Promise.race([found, ended]);
    const judged = judge(answer, connection);
    if (answer.status === "found" && judged.status !== "found") {
      await answer.lease?.release().catch(() => {});
    }
    return judged;
  } finally {
    // Given up: what the source had begun is undone before anything else happens.
    if ((late || signal?.aborted) && source.grace !== undefined) await settled(found, source.grace);
    clearTimeout(timer);
    if (abort !== undefined) signal?.removeEventListener("abort", abort);
  }
}

/** Waits for an answer that is of no use any more, and gives back a token that came too late. */
async function settled(found: Promise<SourceAnswer>, grace: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), grace);
  });
  const answer = await Promise.race([found, limit]);
  clearTimeout(timer);
  if (answer?.status !== "found") return;
  await answer.lease?.release().catch(() => {});
}

function judge(answer: SourceAnswer, connection: Connection): SourceAnswer {
  if (answer.status !== "found") return answer;
  if (isBlank(answer.token.reveal())) {
    return { status: "absent", reason: `${answer.detail} is blank` };
  }
  const defect = tokenDefect(answer.token, connection.backend.value === "apisix-standalone");
  if (defect === undefined) return answer;
  return {
    status: "broken",
    reason: `the token in ${answer.detail} is malformed: ${defect}`,
    suggestion: "Copy it once more, without quotes, spaces and line breaks.",
    exitCode: EXIT.data,
  };
}
