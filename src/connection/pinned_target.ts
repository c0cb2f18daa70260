import process from "node:process";
import { ADC_SETTINGS } from "../adc/settings.ts";
import { type Environment, variableIn, variableName } from "../context.ts";
import { DEFAULT_BACKEND } from "./backends.ts";
import type { Connection } from "./connection.ts";
import type { EnvFile } from "./env_file.ts";
import {
  describeOrigin,
  isFromProject,
  type Layers,
  lookUp,
  type Origin,
  type Profile,
  profileValue,
  readSetting,
  requireUnambiguous,
  type Setting,
  wrongValue,
} from "./origin.ts";
import { readServers, withoutUserinfo } from "./server.ts";
import type { Tls } from "./tls.ts";

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

function inDotEnv(name: string): Origin & { readonly kind: "env-file" } {
  return { kind: "env-file", name, file: ".env" };
}

/**
 * What the `.env` in the working directory would have ADC do with a token: which proxy carries it, and whom to
 * believe that he is the server. A project's profile may name a CA, which its users agree to when they log in,
 * but not that anybody will do.
 */
export function overridesOf(
  names: readonly string[],
  { skipVerify, caCertFile }: Tls,
): readonly Origin[] {
  const unverified = skipVerify.value ? skipVerify.origin : undefined;
  return [
    ...names.filter((name) => effectOf(name) === "proxy").map(inDotEnv),
    ...[unverified, caCertFile?.origin].filter((origin) => origin !== undefined).filter((origin) =>
      (origin.kind === "env-file" && origin.file === ".env") ||
      (origin === unverified && isFromProject(origin))
    ),
  ];
}

/**
 * What libc, the runtime or a loader acts on is not for a file to say that came along with a folder; and of
 * proxies it may say only what every ADC reads alike.
 */
export function refuseEffects(names: readonly string[], dotEnv: EnvFile): void {
  for (const name of names) {
    if (effectOf(name) === "proxy") requireUnambiguous(inDotEnv(name), dotEnv);
  }
  const name = names.find((each) => effectOf(each) === "runtime");
  if (name === undefined) return;
  throw wrongValue(
    inDotEnv(name),
    "ADC would load it into its own process, which could then reach or trust another server",
    { suggestion: "Remove it from .env; export it if you need it. No token was sent." },
  );
}

/**
 * Where the servers are pinned, by `ADC_RUN_ALLOWED_SERVERS` or by a profile of the user's own, what came
 * along with a cloned repository must not lead the token past them: through a proxy of its own, or to
 * whoever shows a certificate that it vouches for.
 */
export function refuseUntrustedOverrides({ env, profile, tls, overrides }: {
  readonly env: Environment;
  readonly profile: Profile | undefined;
  readonly tls: Tls;
  readonly overrides: readonly Origin[];
}): void {
  const pin = env.ADC_RUN_ALLOWED_SERVERS !== undefined
    ? "ADC_RUN_ALLOWED_SERVERS is set"
    : profile !== undefined && pinsServer(profile)
    ? `profile "${profile.name}" pins its server`
    : undefined;
  if (pin === undefined) return;
  const origins = [...overrides, tls.skipVerify.origin, tls.caCertFile?.origin];
  for (const origin of origins) {
    if (origin === undefined || !isFromProject(origin)) continue;
    throw wrongValue(origin, `${pin}, and a file may not override that`, {
      suggestion: wayOut(origin, profile),
    });
  }
}

/**
 * Why a token that neither the environment nor a flag nor `.env` itself has must not be used: it was kept for
 * the server, and `.env` decides who else sees it.
 */
export function untrustedOverride(
  { overrides: [origin], profile }: Pick<Connection, "overrides" | "profile">,
): { readonly reason: string; readonly suggestion: string } | undefined {
  return origin && {
    reason: `${describeOrigin(origin)} would decide who sees the token`,
    suggestion: wayOut(origin, profile),
  };
}

function wayOut(origin: Origin, profile: Profile | undefined): string {
  const key = origin.kind === "env-file" &&
    (["caCertFile", "tlsSkipVerify"] as const).find((each) =>
      ADC_SETTINGS[each].variable === origin.name
    );
  const flag = key && `${ADC_SETTINGS[key].flag}${key === "caCertFile" ? " FILE" : ""}`;
  const way = key === undefined
    ? ", set it in the environment."
    : profile?.project === false
    ? `: adc-run profile set ${profile.name} ${flag}`
    : ", set it in the environment, as a flag, or in your own profile.";
  return `No token was sent. To allow it${way}`;
}

function pinsServer({ server, project }: Profile): boolean {
  return server !== undefined && !project;
}

const DEFAULTS = { server: undefined, backend: DEFAULT_BACKEND, gatewayGroup: "default" } as const;

interface TargetSettings {
  readonly backend: Setting<string> | undefined;
  readonly server: Setting<string> | undefined;
  readonly gatewayGroup: Setting<string> | undefined;
  readonly profile: Profile | undefined;
  readonly layers: Layers;
  readonly warnings: readonly string[];
}

/**
 * Finds out which target is meant.
 *
 * A flag may differ from the profile; where it names another server, the profile is no longer in force for
 * the token. A `.env` file may not, nor may the environment where the profile was named for this run. A
 * profile that is merely used by default gives way to a server in the environment.
 */
export function readTarget(layers: Layers): TargetSettings {
  const { profile } = layers;
  if (profile !== undefined && isElsewhere(profile, layers)) {
    return {
      ...readTarget({ ...layers, profile: undefined }),
      warnings: [
        `Profile "${profile.name}" is ignored: ADC_SERVER is a different server from its ${profile.server}.`,
      ],
    };
  }
  const server = readPinned("server", layers);
  const moved = profile?.server !== undefined && server !== undefined &&
    !isSameServer(server.value, profile.server);
  return {
    server,
    backend: readPinned("backend", layers),
    gatewayGroup: readPinned("gatewayGroup", layers),
    profile: moved ? undefined : profile,
    layers,
    warnings: moved
      ? [
        `--server is not the server of profile "${profile.name}" (${profile.server}), so that ` +
        "profile's tokens are not used.",
      ]
      : [],
  };
}

function readPinned(
  key: "server" | "backend" | "gatewayGroup",
  layers: Layers,
): Setting<string> | undefined {
  const setting = readSetting(key, layers);
  const { profile } = layers;
  if (profile === undefined || setting === undefined) return setting;
  const { origin } = setting;
  const own = profile[key] ??
    // What a profile of one's own does not name is ADC's default, as far as `.env` is concerned.
    (pinsServer(profile) && isFromProject(origin) ? DEFAULTS[key] : undefined);
  if (own === undefined) return setting;
  if (origin.kind === "flag" || origin.kind === "profile") return setting;
  if (key === "server" ? isSameServer(setting.value, own) : setting.value === own) {
    // The value is kept: an address may hold a password, which a profile does not.
    return { value: setting.value, origin: profileValue(profile, key)?.origin ?? origin };
  }
  if (origin.kind === "environment" && !profile.explicit) return setting;
  const what = ADC_SETTINGS[key].flag.slice(2).replace("-", " ");
  throw wrongValue(
    origin,
    `it says "${
      withoutUserinfo(setting.value)
    }", but the ${what} of profile "${profile.name}" is "${own}"`,
    {
      suggestion: profile[key] === undefined
        ? `To allow it, change the profile: adc-run profile set ${profile.name} ` +
          `${ADC_SETTINGS[key].flag} ${setting.value}. No token was sent.`
        : `${
          origin.kind === "env-file"
            ? `Remove ${origin.name} from ${origin.file}`
            : `Unset ${describeOrigin(origin)}`
        }, choose another profile, or use none with --no-profile. No token was sent.`,
    },
  );
}

/** Whether the environment leads somewhere else than a profile that nobody named for this run. */
function isElsewhere(profile: Profile, layers: Layers): boolean {
  if (profile.explicit || profile.server === undefined) return false;
  const named = lookUp({ env: layers.env, files: [] }, "ADC_SERVER");
  return named !== undefined && !isSameServer(named.value, profile.server);
}

function isSameServer(one: string, other: string): boolean {
  return addressesOf(one) === addressesOf(other);
}

/** What cannot be read as an address is compared as it is, and refused elsewhere. */
function addressesOf(text: string): string {
  try {
    const origin = { kind: "default" } as const;
    return readServers({ value: text, origin }, true).map(({ display }) => display).join();
  } catch {
    return text;
  }
}
