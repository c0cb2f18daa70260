import type { Connection } from "../../connection/connection.ts";
import { UTF_16 } from "../../connection/env_file.ts";
import type { Context } from "../../context.ts";
import { EXIT, reasonOf } from "../../errors.ts";
import { Secret, tokenPrefix } from "../../secret.ts";
import type { SourceAnswer, TokenSource } from "../sources.ts";
import { isBlank, trimToken, validateToken } from "../token_value.ts";

/**
 * Looks for `ADC_TOKEN`, then for `API_KEY`.
 *
 * `API_KEY` is the name in API7's documentation. Others use it too, so it counts only with a value that
 * starts as API7's tokens do.
 */
function findInVariables(
  get: (name: string) => string | undefined,
  place: string,
): SourceAnswer {
  const token = get("ADC_TOKEN");
  if (token !== undefined && !isBlank(token)) {
    return { status: "found", token: new Secret(token), detail: `ADC_TOKEN${place}` };
  }
  const key = get("API_KEY");
  if (key !== undefined && tokenPrefix(key.trim()) !== undefined) {
    return { status: "found", token: new Secret(key), detail: `API_KEY${place}` };
  }
  const empty = place === "" ? "empty (is the secret defined for this job?)" : "empty";
  const reason = `ADC_TOKEN${place} is ${token === undefined ? "not set" : empty}`;
  return {
    status: "absent",
    reason: key === undefined || isBlank(key)
      ? reason
      : `${reason}, and API_KEY${place} is not an API7 token: it starts with neither "a7ee-" nor "a7adm-"`,
  };
}

export function flagSource(): TokenSource {
  return {
    name: "flag",
    timeoutMs: 1_000,
    find: ({ connection }): Promise<SourceAnswer> => {
      const token = connection.args.tokens.at(-1);
      return Promise.resolve(
        token === undefined
          ? { status: "absent", reason: "no --token given" }
          : { status: "found", token, detail: "--token" },
      );
    },
  };
}

/** The source `env`: `ADC_TOKEN`, then `API_KEY` if it starts with `a7ee-` or `a7adm-`. */
export function envSource({ env }: Pick<Context, "env">): TokenSource {
  return {
    name: "env",
    timeoutMs: 1_000,
    find: () => Promise.resolve(findInVariables((name) => env[name], "")),
  };
}

/**
 * The source `dotenv`: `ADC_TOKEN` in `.env`, or in the file that the connection was resolved with, read
 * as ADC reads it; then `API_KEY` if it starts with `a7ee-` or `a7adm-`.
 */
export function dotenvSource(): TokenSource {
  return {
    name: "dotenv",
    timeoutMs: 1_000,
    find: ({ connection }) => Promise.resolve(findInFile(connection)),
  };
}

function findInFile({ envFile, backend }: Connection): SourceAnswer {
  const { name, unreadable } = envFile;
  if (unreadable !== undefined) {
    const fix = unreadable === UTF_16 ? "Save it as UTF-8" : "Make it readable";
    const suggestion = `${fix}, or skip this source with --source.`;
    return {
      status: "broken",
      reason: `${name} cannot be read: ${reasonOf(unreadable)}`,
      suggestion,
    };
  }
  if (!envFile.exists) return { status: "absent", reason: `no ${name} here` };
  const answer = findInVariables((each) => envFile.get(each), ` in ${name}`);
  const suggestion = envFile.ambiguous.get("ADC_TOKEN");
  // The other name is adc-run's to read alone: no ADC knows it. What is no token anyway is told as that.
  if (
    suggestion === undefined || answer.status !== "found" || answer.detail.startsWith("API") ||
    validateToken(trimToken(answer.token, backend.value), backend.value) !== undefined
  ) return answer;
  const reason = `not every ADC reads the same ADC_TOKEN in ${name}`;
  return { status: "broken", reason, suggestion, exitCode: EXIT.config };
}
