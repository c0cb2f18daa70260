/**
 * What the action and the GitLab component download.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** For a shell. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}

/** A `curl` that notes how it was called, and brings what the folder `release` has, or half of it. */
const CURL = `#!/bin/sh
printf '%s\\n' "$@" >> "$HOME/curl.log"
while [ "$1" != --output ]; do shift; done
cat "$HOME/release/\${3##*/}" > "$2" || exit 22
[ "\${3##*/}" != "$CURL_FAILS" ] || exit 22
`;

/**
 * Puts a release of adc-run there, and a `curl` for it.
 *
 * @param folder The home of what calls `curl`.
 * @param adcRun What stands in for adc-run: words, or a script's.
 * @returns The folder of that `curl`.
 */
export async function withRelease(
  folder: TemporaryFolder,
  adcRun: string | readonly string[],
): Promise<string> {
  await chmod(await folder.write("programs/curl", CURL), 0o755);
  const program = `#!/bin/sh\nexec ${typeof adcRun === "string" ? adcRun : quoted(adcRun)} "$@"\n`;
  const sum = createHash("sha256").update(program).digest("hex");
  const sums: string[] = [];
  for (
    const system of [
      "linux-x64",
      "linux-x64-musl",
      "linux-arm64",
      "darwin-arm64",
      "windows-x64.exe",
    ]
  ) {
    await folder.write(`release/adc-run-${system}`, program);
    sums.push(`${sum}  adc-run-${system}\n`);
  }
  await folder.write("release/SHA256SUMS", sums.join(""));
  return join(folder.path, "programs");
}

/**
 * Has the system look like Alpine Linux: musl's `ldd` fails when it is asked for its version, and BusyBox's
 * `sha256sum` has no long options.
 */
export async function withMusl(folder: TemporaryFolder): Promise<void> {
  const ldd = '#!/bin/sh\necho "musl libc (x86_64)" >&2\nexit 1\n';
  await chmod(await folder.write("programs/ldd", ldd), 0o755);
  const sums = '#!/bin/sh\ncase "$*" in *--*) exit 1 ;; esac\nexec /usr/bin/sha256sum "$@"\n';
  await chmod(await folder.write("programs/sha256sum", sums), 0o755);
}

/** Stands in for adc-run: prints its words and the variables that it was given. */
export const RECORDER = `node -e '
  const { env, argv } = process;
  const names = Object.keys(env).filter((name) => /^(ADC_|INPUT_)/.test(name));
  console.log(JSON.stringify({ words: argv.slice(1), cwd: process.cwd(), env: Object.fromEntries(names.map((name) => [name, env[name]])) }));
' --`;
