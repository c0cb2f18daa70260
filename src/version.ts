/** This package's version; `deno.json` holds the same and a test compares them. */
export const VERSION = "0.2.0";
