import type { Io } from "../io.ts";
import type { Candidate } from "./complete_option.ts";

/** What a profile says about its target may be somebody else's work, and is shown in a terminal. */
const PRINTABLE = /^[\w.:/@-]{1,80}$/;

/** Reads the profiles' names. A file that cannot be read has none. */
export async function profileCandidates({ env, cwd }: Io): Promise<readonly Candidate[]> {
  const { readProjectProfiles, readUserProfiles } = await import("../../profiles/profile_file.ts");
  const files = await Promise.allSettled([readUserProfiles(env), readProjectProfiles(cwd)]);
  const found = new Map<string, Candidate>();
  for (const file of files) {
    if (file.status === "rejected") continue;
    for (const [name, { backend = "", server = "" }] of file.value.profiles) {
      if (found.has(name)) continue;
      const text = [backend, server].filter((each) => PRINTABLE.test(each)).join(" ");
      found.set(name, { value: name, text });
    }
  }
  return [...found.values()];
}
