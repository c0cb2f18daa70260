import process from "node:process";
import { type Environment, variableIn, variableName } from "../context.ts";
import type { EnvFile } from "./env_file.ts";

/** Which way requests take, and what looks up names and loads files in ADC's own process. */
type Effect = "proxy" | "runtime";

/**
 * What a variable does beyond ADC's own settings: ADC loads all of `.env` into its own process before it
 * connects. `proxy` is what axios and reqwest ask, older ones npm's names too; `runtime` is what libc asks at
 * the first look-up of a name, and what Node.js, OpenSSL or a loader may ask later than at the start. Never
 * `NODE_ENV`, which ADC itself reads.
 */
const EFFECTS: Readonly<Record<Effect, RegExp>> = {
  proxy:
    /^((HTTPS?|ALL|NO)_PROXY|(https?|all|no)_proxy|NPM_CONFIG_((HTTPS?|NO)_)?PROXY|npm_config_((https?|no)_)?proxy)$/,
  runtime:
    /^(LOCALDOMAIN|RES_OPTIONS|HOSTALIASES|GCONV_PATH|NODE_(OPTIONS|EXTRA_CA_CERTS|TLS_REJECT_UNAUTHORIZED|USE_ENV_PROXY)|(RESOLV|SSL_CERT|OPENSSL|LD|DYLD)_\w*)$/,
};

export function effectOf(name: string, platform: string = process.platform): Effect | undefined {
  const sameCase = variableName(name, platform);
  return (Object.keys(EFFECTS) as Effect[]).find((effect) => EFFECTS[effect].test(sameCase));
}

/** Only old versions of ADC's HTTP library ask for npm's names. */
export function isNpmProxy(name: string): boolean {
  return effectOf(name) === "proxy" && /^npm_/i.test(name);
}

/**
 * What a loader or a runtime reads as a program starts, and takes for files to load or programs to run, and
 * what makes ADC read another file; with all of `runtime`.
 */
const AT_START =
  /^(LD_|DYLD_|NODE_(?!ENV$)|BUN_|DENO_|PATH$|PATHEXT$|COMSPEC$|SYSTEMROOT$|WINDIR$|BASH_ENV$|ENV$|SHELLOPTS$|IFS$|PYTHON|PERL5?|RUBY|JAVA_TOOL_OPTIONS$|GIT_|OPENSSL_|SSL_CERT_|GCONV_PATH$|ADC_RUN_|DOTENV_)/i;

/**
 * Tells whether a variable decides what a program loads as it starts. ADC loads `.env` when it is running,
 * and so such a variable has no effect there; in the environment that a program is started with it would.
 */
export function actsAtStart(name: string): boolean {
  return AT_START.test(name) || effectOf(name) === "runtime";
}

/**
 * The names that ADC will take from the `.env` in the working directory: those that are not in its
 * environment, where those of a file that `--env-file` names are too.
 */
export function namesFromDotEnv(
  { dotEnv, envFile, env }: {
    readonly dotEnv: EnvFile;
    readonly envFile: EnvFile;
    readonly env: Environment;
  },
  platform: string = process.platform,
): readonly string[] {
  const isThere = (name: string) =>
    variableIn(env, name, platform) !== undefined ||
    (envFile !== dotEnv && envFile.get(name) !== undefined && !actsAtStart(name));
  const names = [...dotEnv.entries()].map(([name]) => name);
  return [...new Set([...names, ...dotEnv.ambiguous.keys()])].filter((name) => !isThere(name));
}
