import type { HttpResponse } from "../http/http_client.ts";

/** The server's words in `error_msg` or `message`, as they came. */
export function wordsOf(response: HttpResponse): string {
  const value = parseObject(response.body);
  const message = value?.error_msg ?? value?.message;
  if (typeof message !== "string" || message === "") return "";
  const details = typeof value?.description === "string" ? ` (${value.description})` : "";
  return message + details;
}

/** Makes a server's words safe for a terminal, which they must not draw on. */
export function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}

/** Whether the body is JSON, as far as its start tells. */
export function isJson(response: HttpResponse): boolean {
  return parseObject(response.body) !== undefined ||
    (response.cut && response.body.trimStart().startsWith("{"));
}

/** Reads a JSON object. */
export function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Cuts what is quoted, for a server's words must not fill the terminal. Secrets are masked before: half
 * of one would not be recognised.
 */
export function shorten(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

/** Says what kind of body came instead of the one expected. */
export function describeBody(response: HttpResponse): string {
  const type = response.header("content-type") ?? "";
  if (/html/i.test(type) || /^\s*<(!doctype|html)/i.test(response.body)) return "an HTML page";
  if (response.body.trim() === "") return "nothing";
  return isJson(response) ? "JSON of another shape" : "something that is no JSON";
}
