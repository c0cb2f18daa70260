import { Secret, tokenPrefix } from "../../secret.ts";
import type { SourceAnswer } from "../source.ts";
import { isBlank } from "../token_value.ts";

/**
 * Looks for `ADC_TOKEN`, then for `API_KEY`.
 *
 * `API_KEY` is the name in API7's documentation. Others use it too, so it counts only with a value that
 * starts as API7's tokens do.
 */
export function findInVariables(
  get: (name: string) => string | undefined,
  place: string,
): SourceAnswer {
  const token = get("ADC_TOKEN");
  if (token !== undefined && !isBlank(token)) {
    return { status: "found", token: new Secret(token), detail: `ADC_TOKEN${place}` };
  }
  const key = get("API_KEY");
  if (key !== undefined && tokenPrefix(key) !== undefined) {
    return { status: "found", token: new Secret(key), detail: `API_KEY${place}` };
  }
  const reason = `ADC_TOKEN${place} is ${token === undefined ? "not set" : "blank"}`;
  return {
    status: "absent",
    reason: key === undefined || isBlank(key)
      ? reason
      : `${reason}, and API_KEY${place} is no token of API7's: it starts with neither "a7ee-" nor "a7adm-"`,
  };
}
