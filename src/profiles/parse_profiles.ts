import { findDefect } from "./find_defect.ts";
import { ProfileFileError } from "./profile_file_error.ts";
import type { StoredProfile } from "./profile_settings.ts";

/** What a file of profiles says. */
export interface ParsedProfiles {
  /** The profile that is used where none is named. */
  readonly use: string | undefined;
  /** The profiles by name, in the order of the file. */
  readonly profiles: ReadonlyMap<string, StoredProfile>;
}

/** Reads and checks the text of a file of profiles. */
export async function parseProfiles(
  text: string,
  { path, project }: { readonly path: string; readonly project: boolean },
): Promise<ParsedProfiles> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the error as its cause: that quotes the file.
    throw await syntaxError(text, path);
  }
  const defect = findDefect(value, { project });
  if (defect !== undefined) {
    const { placeOfDefect } = await import("./defect_place.ts");
    const { found, suggestion } = defect;
    throw new ProfileFileError(found, { path, suggestion, ...await placeOfDefect(text, defect) });
  }
  // No good file nests deeply, so this comes last.
  if (countKeys(text) !== keysIn(value)) {
    const { findDuplicateKey } = await import("./defect_place.ts");
    const duplicate = await findDuplicateKey(text);
    if (duplicate !== undefined) {
      const { key, place } = duplicate;
      throw new ProfileFileError(`"${key.slice(0, 80)}" stands here twice`, { path, ...place });
    }
  }
  const { use, profiles = {} } = value as {
    readonly use?: string;
    readonly profiles?: Readonly<Record<string, StoredProfile>>;
  };
  return { use, profiles: new Map(Object.entries(profiles)) };
}

async function syntaxError(text: string, path: string): Promise<ProfileFileError> {
  if (text.trim() === "") {
    return new ProfileFileError("it is empty", {
      path,
      suggestion: "Delete it, or write {} into it.",
    });
  }
  const { findSyntaxError } = await import("./defect_place.ts");
  const error = await findSyntaxError(text);
  return new ProfileFileError(
    error === undefined ? "it is no JSON" : `it is no JSON: ${error.found}`,
    {
      path,
      ...error?.place,
    },
  );
}

/** How many keys stand in a JSON text: each string before a colon is one. */
function countKeys(text: string): number {
  let count = 0;
  for (const [, colon] of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) {
    if (colon !== undefined) count++;
  }
  return count;
}

function keysIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  const inside = Object.values(value).reduce<number>((sum, each) => sum + keysIn(each), 0);
  return Array.isArray(value) ? inside : inside + Object.keys(value).length;
}
