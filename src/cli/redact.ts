/**
 * The last look at what adc-run itself is about to say.
 *
 * @module
 */

import type { Environment } from "../connection/origin.ts";
import { SHORTEST_SECRET } from "../secret.ts";

/**
 * Takes tokens out of a message that should not have any.
 *
 * No message is made with a token in it. People put tokens into the wrong variable, though, and the
 * message that says what is wrong with `ADC_SERVER` quotes its value.
 *
 * @param text The message, or JSON.
 * @param env The environment: its tokens are known even where they look like nothing.
 * @returns The text without tokens.
 */
export function redact(text: string, env: Environment): string {
  const known = [env.ADC_TOKEN, env.API_KEY, env.API7_PASSWORD]
    .filter((value) => value !== undefined && value.length >= SHORTEST_SECRET);
  return known
    .reduce<string>((masked, value) => masked.replaceAll(value!, "***"), text)
    .replace(/(a7(?:ee|adm)-)\w[^\s"'`,)]*/g, "$1***");
}
