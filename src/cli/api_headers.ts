import { UsageError } from "../errors.ts";

/** Headers that stay as they are, and why. */
const RESERVED: readonly (readonly [names: readonly string[], reason: string])[] = [
  [
    ["x-api-key", "authorization", "proxy-authorization", "cookie"],
    "adc-run says who asks, with the token that it found",
  ],
  [["host"], "the token is sent to the connection's own server alone"],
  [
    [
      "content-length",
      "transfer-encoding",
      "connection",
      "proxy-connection",
      "keep-alive",
      "upgrade",
      "http2-settings",
      "te",
      "trailer",
      "expect",
    ],
    "it says where a request ends, or what becomes of the connection",
  ],
  [["accept-encoding"], "the token could not be masked in an answer that is compressed"],
];

/** Reads headers. */
export function readHeaders(
  written: readonly string[],
): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = Object.create(null);
  for (const line of written) {
    const colon = line.indexOf(":");
    const name = colon === -1 ? "" : line.slice(0, colon);
    // The value is not shown: it may well be a token.
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
      throw new UsageError(`Cannot use a header: it is not of the form "Name: value"`, {
        suggestion: `Write it like -H "If-Match: abc".`,
      });
    }
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    if (!/^[\t\x20-\x7e]*$/.test(value)) {
      throw new UsageError(
        `Cannot set header "${name}": its value has a character outside printable ASCII`,
      );
    }
    const plain = name.toLowerCase();
    // Servers behind CGI and the like take an underscore for a dash.
    const reserved = RESERVED.find(([names]) => names.includes(plain.replaceAll("_", "-")));
    if (reserved !== undefined) {
      throw new UsageError(`Cannot set header "${name}": ${reserved[1]}`);
    }
    (headers[plain] ??= []).push(value);
  }
  return headers;
}
