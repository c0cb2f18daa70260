import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { realpath } from "node:fs/promises";
import { EXIT } from "../errors.ts";
import { USER_FILE } from "../profiles/profile_file.ts";
import type { Secret } from "../secret.ts";
import type { Spawner } from "../spawn.ts";
import { storeFolder } from "../store/folder.ts";
import { TOKEN_FILE } from "../store/token_file.ts";
import { filesWithTokens } from "./files_with_tokens.ts";
import type { FileWithToken } from "./files_with_tokens.ts";
import type { Found } from "./finding.ts";
import type { Place } from "./project_folder.ts";
import { trackedFiles } from "./tracked_files.ts";
import type { TrackedFiles } from "./tracked_files.ts";

/** What `checkFiles` looks at. */
export interface CheckFilesOptions extends Place {
  /** The environment file that was named. */
  readonly envFile: string | undefined;
  readonly tokens: readonly Secret[];
  /** Ends the check. */
  readonly signal: AbortSignal | undefined;
  /** How git is started. */
  readonly spawn: Spawner | undefined;
}

/**
 * Looks for tokens in the files of the working directory, the environment file, the file that
 * `ADC_TOKEN_FILE` names and adc-run's own, and whether git tracks them or others can read them.
 */
export async function checkFiles(options: CheckFilesOptions): Promise<readonly Found[]> {
  const { env, cwd, envFile, tokens } = options;
  const others = [
    ".env",
    envFile,
    env.ADC_TOKEN_FILE || undefined,
    join(storeFolder(env), USER_FILE),
    join(storeFolder(env), TOKEN_FILE),
  ].filter((name) => name !== undefined);
  const { files, cut } = await filesWithTokens(cwd, { others, tokens });
  const lists = new Map<string, TrackedFiles>();
  const findings: Found[] = [];
  for (const file of files) {
    const folder = dirname(file.path);
    if (!lists.has(folder)) lists.set(folder, await trackedFiles(folder, options));
    const list = lists.get(folder)!;
    if ("files" in list && list.files.has(file.path)) findings.push(trackedFinding(file));
    const open = await openness(file);
    if (open !== undefined) findings.push(open);
  }
  const failed = [...lists.values()].find((list) =>
    "none" in list && list.none !== "no repository"
  );
  if (failed !== undefined && "none" in failed) {
    const why = failed.none === "no git"
      ? "there is no git on PATH"
      : `git does not tell: ${failed.detail}`;
    findings.push({
      status: "warning",
      found: `whether git tracks a file with a token was not found out: ${why}`,
      suggestion: "Look by hand: git ls-files",
    });
  }
  if (cut) {
    findings.push({
      status: "warning",
      found: "there are more files here than were looked through for a token",
      suggestion: "Start the doctor in the folder that adc.yaml lies in.",
    });
  }
  if (findings.length > 0) return findings;
  const names = files.map(({ name }) => name).join(", ");
  return [{
    status: "ok",
    found: files.length === 0
      ? "no file here has a token in it"
      : `${names} with a token: not tracked by git, and nobody else's to read`,
    data: { files: files.map(({ name }) => name) },
  }];
}

function trackedFinding({ name, path }: FileWithToken): Found {
  return {
    status: "failed",
    found: `${name} has a token in it, and git tracks the file`,
    suggestion:
      "Whoever gets the repository gets the token. Take the file out (git rm --cached), name " +
      "it in .gitignore, and make a new token: the old one stays in git's history.",
    exitCode: EXIT.config,
    data: { path },
  };
}

/** Modes count where a way leads to the file: in a folder of mode 700, 644 opens it to nobody. */
async function openness({ name, path, stats }: FileWithToken): Promise<Found | undefined> {
  if (process.platform === "win32") return undefined;
  let mode = stats.mode & 0o077;
  for (let folder = await realpath(dirname(path)); mode !== 0; folder = dirname(folder)) {
    const way = (await stat(folder)).mode;
    if ((way & 0o010) === 0) mode &= ~0o070;
    if ((way & 0o001) === 0) mode &= ~0o007;
    if (dirname(folder) === folder) break;
  }
  if ((mode & 0o066) === 0) return undefined;
  const octal = (stats.mode & 0o777).toString(8).padStart(4, "0");
  const writable = (mode & 0o002) !== 0;
  return {
    status: writable ? "failed" : "warning",
    found: `${name} has a token in it, and others can ${
      writable ? "change" : "read"
    } the file: its mode is ${octal}`,
    suggestion: `Close it: chmod 600 ${name}`,
    ...(writable && { exitCode: EXIT.config }),
    data: { path, mode: octal },
  };
}
