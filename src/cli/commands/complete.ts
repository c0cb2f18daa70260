import { Buffer } from "node:buffer";
import { completeWords } from "../completion/complete_words.ts";
import { formatCompletion } from "../completion/format_completion.ts";
import { profileCandidates } from "../completion/profile_candidates.ts";
import { splitLine } from "../completion/shell_line.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";

/** A longer line is not completed. */
const LONGEST_LINE = 1 << 16;

/**
 * Prints what may stand at the end of a line.
 *
 * The words stand behind `--`; else they come on standard input, in the form that the script of the named
 * shell sends. Nothing that goes wrong is reported: it would land in the middle of what is being typed.
 */
export async function complete(call: Pick<OwnCall, "words">, io: Io): Promise<number> {
  try {
    const [first, ...rest] = call.words;
    const words = first === "--" ? rest : readWords(first, await readInput(io));
    const profiles = await profileCandidates(io);
    io.stdout.write(formatCompletion(completeWords(words, profiles)));
  } catch {
    io.stdout.write(":none\n");
  }
  return 0;
}

function readWords(shell: string | undefined, input: string): readonly string[] {
  switch (shell) {
    case "bash":
      return splitLine(input).slice(1);
    case "powershell":
      return Buffer.from(input, "base64").toString("utf8").split("\0");
    default:
      return input.split("\0").slice(0, -1);
  }
}

async function readInput(io: Io): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array | string>) {
    const bytes = Buffer.from(chunk as Uint8Array);
    length += bytes.length;
    if (length > LONGEST_LINE) throw new RangeError("The line is too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}
