import type { Stats } from "node:fs";
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { throwIfNotCapable } from "../errors.ts";
import { SHORTEST_SECRET } from "../secret.ts";
import type { Secret } from "../secret.ts";

/** A longer file is no configuration, in bytes. */
const MOST_BYTES = 1024 * 1024;

/** So many files are looked at. */
const MOST_FILES = 1_000;

/** So much is read of all of them, in bytes. */
const MOST_IN_ALL = 64 * MOST_BYTES;

/** What API7's tokens look like; shorter ones are placeholders. */
const TOKEN = /\ba7(?:ee|adm)-([\w-]{16,})/g;

export interface FileWithToken {
  readonly name: string;
  /** The absolute path, without symbolic links. */
  readonly path: string;
  /** What the system says of it. */
  readonly stats: Stats;
}

/** What a search came to. */
export interface TokenSearch {
  /** The files with a token in them, the named ones first. */
  readonly files: readonly FileWithToken[];
  /** Whether there were more files than are looked at. */
  readonly cut: boolean;
}

/** Names that files with a token often have; they are looked at first. */
const LIKELY = /^\.env|\.env$|^adc|token|secret/i;

/** Looks for tokens in the files of a folder, and in others that are named. */
export async function filesWithTokens(
  folder: string,
  { others, tokens }: { readonly others: readonly string[]; readonly tokens: readonly Secret[] },
): Promise<TokenSearch> {
  const secrets = tokens.map((token) => token.reveal()).filter((each) =>
    each.length >= SHORTEST_SECRET
  );
  const found = new Map<string, FileWithToken>();
  const names = [...others, ...await namesIn(folder)];
  let left = MOST_IN_ALL;
  for (const name of names.slice(0, MOST_FILES)) {
    const { size, file } = await look(resolve(folder, name), { secrets, left });
    left -= size;
    if (file !== undefined && !found.has(file.path)) found.set(file.path, { ...file, name });
  }
  return { files: [...found.values()], cut: names.length > MOST_FILES || left < MOST_BYTES };
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    const names = (await readdir(folder)).sort();
    return [
      ...names.filter((name) => LIKELY.test(name)),
      ...names.filter((name) => !LIKELY.test(name)),
    ];
  } catch (error) {
    throwIfNotCapable(error);
    return [];
  }
}

/** Reads one file, unless it is no regular one, empty, or more than is to be read. */
async function look(
  name: string,
  { secrets, left }: { readonly secrets: readonly string[]; readonly left: number },
): Promise<{ readonly size: number; readonly file?: Omit<FileWithToken, "name"> }> {
  try {
    const stats = await stat(name);
    const { size } = stats;
    if (!stats.isFile() || size === 0 || size > Math.min(MOST_BYTES, left)) return { size: 0 };
    const text = await readFile(name, "latin1");
    if (!holdsToken(text, secrets) && !await setsToken(name, text)) return { size };
    // Of a link git keeps the link alone; what counts is the file that it leads to.
    return { size, file: { path: await realpath(name), stats } };
  } catch (error) {
    throwIfNotCapable(error);
    // A link that leads nowhere, or a file that only others can read.
    return { size: 0 };
  }
}

function holdsToken(text: string, secrets: readonly string[]): boolean {
  if (secrets.some((secret) => text.includes(secret))) return true;
  // "a7ee-xxxxxxxxxxxxxxxx" and "a7ee-your-token-goes-here" are no tokens.
  return [...text.matchAll(TOKEN)].some(([, value]) =>
    /\d/.test(value!) && new Set(value).size >= 8
  );
}

/** A key of Apache APISIX looks like nothing in particular; the variable's name tells. */
async function setsToken(file: string, text: string): Promise<boolean> {
  if (!/^\.env($|\.)|\.env$/.test(basename(file)) || !text.includes("ADC_TOKEN")) return false;
  const { parse } = await import("dotenv");
  const { ADC_TOKEN: token = "" } = parse(text);
  return token.trim().length >= SHORTEST_SECRET && !/[\s$<>{}]/.test(token);
}
