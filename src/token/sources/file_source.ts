import { realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import process from "node:process";
import { type Context, isPipeline } from "../../context.ts";
import { codeOf, EXIT, reasonOf } from "../../errors.ts";
import { Secret } from "../../secret.ts";
import { isUtf16, letGoOfPipe, readAtMost } from "../../system/files.ts";
import type { SourceAnswer, TokenSource } from "../sources.ts";
import { MAX_TOKEN_BYTES } from "../token_value.ts";

/**
 * The source `file`: the file that `ADC_TOKEN_FILE` names, as secrets are mounted in containers.
 *
 * The variable is not taken from `.env`: a cloned repository could have any file sent to its server.
 */
export function fileSource(
  { env, cwd, onWarning }: Pick<Context, "env" | "cwd" | "onWarning">,
): TokenSource {
  return {
    name: "file",
    timeoutMs: 5_000,
    find: async ({ signal }): Promise<SourceAnswer> => {
      const path = env.ADC_TOKEN_FILE;
      if (path === undefined) return { status: "absent", reason: "ADC_TOKEN_FILE is not set" };
      if (path === "") return { status: "absent", reason: "ADC_TOKEN_FILE is empty" };
      const full = resolve(cwd, path);
      const suggestion = "ADC_TOKEN_FILE must name a readable file that holds only the token.";
      const giveUp = () => letGoOfPipe(full);
      signal.addEventListener("abort", giveUp, { once: true });
      try {
        const bytes = await readAtMost(full, MAX_TOKEN_BYTES);
        if (bytes === undefined) {
          const reason = `"${full}" is larger than ${MAX_TOKEN_BYTES} bytes`;
          return { status: "broken", reason, suggestion };
        }
        if (isUtf16(bytes)) {
          return {
            status: "broken",
            reason: `"${full}" is UTF-16 text`,
            suggestion: "Save it as UTF-8; Windows PowerShell writes UTF-16 with > and Out-File.",
            exitCode: EXIT.data,
          };
        }
        if (!isPipeline(env) && isReadByOthers(full)) {
          onWarning?.(`Others can read the token in "${full}" (ADC_TOKEN_FILE): chmod 600 it.`);
        }
        const token = new Secret(bytes.toString("utf8"));
        return { status: "found", token, detail: `"${full}" (ADC_TOKEN_FILE)` };
      } catch (error) {
        const code = codeOf(error);
        // What does not look like a path may be the token itself.
        const isPath = isAbsolute(path) || /^[a-z_./\\-]{1,30}$/i.test(path);
        const shown = isPath ? `"${full}"` : "that it names";
        const reason = code === "ENOENT"
          ? `there is no file ${shown}`
          : `${isPath ? shown : `the file ${shown}`} cannot be read: ${reasonOf(code)}`;
        return { status: "broken", reason, suggestion, ...isPath && { cause: error } };
      } finally {
        signal.removeEventListener("abort", giveUp);
      }
    },
  };
}

/**
 * Tells whether another user can read a file. Who mounts a secret decides on its mode, and so does the runner
 * of a pipeline.
 */
function isReadByOthers(path: string): boolean {
  if (process.platform === "win32") return false;
  const stats = statSync(path);
  const { mode, dev } = stats;
  // A pipe is nobody else's.
  if (!stats.isFile()) return false;
  const real = realpathSync(path);
  const isMounted = /^(\/var)?\/run\/secrets\//.test(real) || dev !== statSync(dirname(real)).dev ||
    // Kubernetes' links lead through a folder such as "..2026_11_27_10_00_00.123".
    /\/\.\.[^/]/.test(real);
  return !isMounted && (mode & 0o044) !== 0;
}
