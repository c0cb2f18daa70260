import type { Environment } from "../connection/origin.ts";
import { SHORTEST_SECRET } from "../secret.ts";

/**
 * Takes tokens out of a message that should not have any.
 *
 * No message is made with a token in it. People put tokens into the wrong variable, though, and the
 * message that says what is wrong with `ADC_SERVER` quotes its value.
 */
export function redact(text: string, env: Environment): string {
  const known = ["ADC_TOKEN", "API_KEY", "API7_PASSWORD"].map((name) => valueOf(name, env))
    .filter((value) => value !== undefined && value.length >= SHORTEST_SECRET);
  return known
    .reduce<string>((masked, value) => masked.replaceAll(value!, "***"), text)
    .replace(/(a7(?:ee|adm)-)\w[^\s"'`,)]*/g, "$1***");
}

/** Takes the user and the password out of addresses that are shown. */
export function withoutPassword(text: string): string {
  return text.replace(/(\/\/)[^/@\s]*@/g, "$1***@");
}

/**
 * Deno throws where a variable is not valid UTF-8, with the value in its words. Such a value is in no
 * text of ours.
 */
function valueOf(name: string, env: Environment): string | undefined {
  try {
    return env[name];
  } catch {
    return undefined;
  }
}
