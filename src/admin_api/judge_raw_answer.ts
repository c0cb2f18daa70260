import { isJson, judgeStatus, oneLine, shorten } from "../check/response.ts";
import { CheckError, type CheckResult } from "../check/verdict.ts";
import type { Connection } from "../connection/connection.ts";
import { addressSecrets } from "../connection/server.ts";
import type { AdcRunError } from "../errors.ts";
import type { HttpResponse } from "../http/http_client.ts";
import { createMask } from "../mask/mask.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { splitTokens } from "../token/token_value.ts";
import { AdminApiError } from "./admin_api_error.ts";
import type { RawAnswer } from "./raw_request.ts";

export interface RawJudgementOptions {
  /** The first part of its body, as text. */
  readonly start: string;
  /** Whether there is more. */
  readonly cut: boolean;
  /** The backend that was expected there, and the servers, whose passwords an answer can repeat. */
  readonly connection: Pick<Connection, "backend" | "servers">;
  readonly resolved: ResolvedToken;
  /** Adds to a refusal what else is known of the token. */
  readonly explain: (result: CheckResult) => CheckResult;
}

/** Judges an answer by its status. */
export function judgeRawAnswer(
  answer: RawAnswer,
  { start, cut, connection, resolved, explain }: RawJudgementOptions,
): AdcRunError | undefined {
  const backend = connection.backend.value;
  const { status, tried } = answer;
  if (status === 304) return undefined;
  const response: HttpResponse = {
    status,
    header: answer.header,
    setCookies: [],
    body: start,
    cut,
  };
  const mask = createMask([
    ...splitTokens(resolved.token, backend),
    ...connection.servers.flatMap(addressSecrets),
  ]);
  const quote = (words: string) => shorten(oneLine(mask.text(words)));
  const judgement = judgeStatus(response, backend, { quote });
  if (judgement === undefined) return undefined;
  const { verdict, found, suggestion } = judgement;
  if (verdict === "wrong-server" && status === 404 && isJson(response)) {
    return new CheckError({
      verdict,
      tried,
      status,
      found: `not found: ${found}`,
      suggestion: "Look at the path and the id in it. Or it is no Admin API of the backend " +
        `"${backend}" that answers there: look at --server (ADC_SERVER) and --backend.`,
    }, { resolved });
  }
  if (verdict === "wrong-server" && status > 404) {
    return new AdminApiError({ failure: "bad-request", tried, found, status });
  }
  if (status === 400) return new AdminApiError({ failure: "bad-request", tried, found, status });
  const result = { verdict, tried, found, status, suggestion };
  return new CheckError(explain(result), { resolved });
}
