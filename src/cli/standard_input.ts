import { Buffer, isUtf8 } from "node:buffer";
import { AdcRunError, EXIT } from "../errors.ts";
import { MOST_TOKEN_BYTES, withoutTrailingNewline } from "../token/token_value.ts";
import type { Io } from "./io.ts";

/** Reads standard input to its end. */
export async function readStandardInput(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > MOST_TOKEN_BYTES) {
      throw new AdcRunError(
        `Cannot use standard input: it is longer than ${MOST_TOKEN_BYTES} bytes`,
        EXIT.data,
      );
    }
    chunks.push(bytes);
  }
  const bytes = Buffer.concat(chunks);
  // Other bytes would be replaced, and a password that nobody typed sent.
  if (!isUtf8(bytes)) {
    throw new AdcRunError("Cannot use standard input: it is not valid UTF-8", EXIT.data);
  }
  return withoutTrailingNewline(bytes.toString("utf8"));
}
