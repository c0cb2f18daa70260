import { MAX_TIMER } from "../system/deadline.ts";

/**
 * ADC's connection flags, as the last occurrence of each gives them.
 * @category Connection
 */
export interface AdcFlags {
  /** `--backend`. */
  readonly backend?: string;
  /** `--server`. */
  readonly server?: string;
  /** `--gateway-group`. */
  readonly gatewayGroup?: string;
  /** `--timeout`, for example `10s`. */
  readonly timeout?: string;
  /** `--ca-cert-file`. */
  readonly caCertFile?: string;
  /** `--tls-client-cert-file`. */
  readonly tlsClientCertFile?: string;
  /** `--tls-client-key-file`. */
  readonly tlsClientKeyFile?: string;
  /** `--tls-skip-verify`. */
  readonly tlsSkipVerify?: boolean;
}

export type SettingKey = keyof AdcFlags;

interface AdcSetting {
  readonly flag: `--${string}`;
  /** The variable that ADC reads as well, where there is one. */
  readonly variable: `ADC_${string}` | undefined;
  readonly kind: "backend" | "server" | "secret" | "text" | "duration" | "path" | "boolean";
  /** What it says, for help and the profiles' schema. */
  readonly hint: string;
}

export const ADC_SETTINGS = {
  backend: {
    flag: "--backend",
    variable: "ADC_BACKEND",
    kind: "backend",
    hint: "the type of gateway",
  },
  server: {
    flag: "--server",
    variable: "ADC_SERVER",
    kind: "server",
    hint: "the Admin API's address; for apisix-standalone, a comma-separated list",
  },
  token: {
    flag: "--token",
    variable: "ADC_TOKEN",
    kind: "secret",
    hint: "the token; visible to other users of this machine",
  },
  gatewayGroup: {
    flag: "--gateway-group",
    variable: "ADC_GATEWAY_GROUP",
    kind: "text",
    hint: "the gateway group's name (api7ee only)",
  },
  timeout: {
    flag: "--timeout",
    variable: undefined,
    kind: "duration",
    hint: 'how long a request may take, such as "30s" or "1h10m"',
  },
  caCertFile: {
    flag: "--ca-cert-file",
    variable: "ADC_CA_CERT_FILE",
    kind: "path",
    hint: "a PEM file with the CA of the server's certificate",
  },
  tlsClientCertFile: {
    flag: "--tls-client-cert-file",
    variable: "ADC_TLS_CLIENT_CERT_FILE",
    kind: "path",
    hint: "a PEM file with the client certificate",
  },
  tlsClientKeyFile: {
    flag: "--tls-client-key-file",
    variable: "ADC_TLS_CLIENT_KEY_FILE",
    kind: "path",
    hint: "a PEM file with the client certificate's key",
  },
  tlsSkipVerify: {
    flag: "--tls-skip-verify",
    variable: "ADC_TLS_SKIP_VERIFY",
    kind: "boolean",
    hint: "do not verify the server's certificate",
  },
} as const satisfies Readonly<Record<SettingKey | "token", AdcSetting>>;

const UNITS = "ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?";

/** What both ADCs read, the one by parse-duration and the other by humantime, and read alike. */
const DURATION = new RegExp(`^[ \\t\\r\\n]*(\\d{1,15}[ \\t\\r\\n]*(${UNITS})[ \\t\\r\\n]*)+$`);

type TimeLimit =
  | { readonly milliseconds: number }
  | { readonly found: string; readonly suggestion: string };

/**
 * Reads ADC's time limit. Of a flag only what every ADC reads alike will do; what a profile says is handed
 * on in one spelling, whatever its own is.
 */
export async function readTimeLimit(
  text: string,
  { handedOn }: { readonly handedOn: "as it is" | "in milliseconds" },
): Promise<TimeLimit> {
  const milliseconds = await readDuration(text);
  const suggestion = 'Use a value such as "30s" or "1h10m".';
  if (milliseconds === undefined) return { found: `"${text}" is not a duration`, suggestion };
  if (milliseconds > MAX_TIMER) {
    const found = `"${text}" is longer than ADC can wait: the request would fail at once`;
    return { found, suggestion: 'Use "24d" or less.' };
  }
  if (milliseconds === 0) {
    return {
      found: `"${text}" means no limit to one ADC and no time at all to another`,
      suggestion,
    };
  }
  if (handedOn === "in milliseconds" || DURATION.test(text)) return { milliseconds };
  const exact = milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
  const meant = /^\d{1,3}$/.test(text) ? `, or "${text}s" for seconds` : "";
  const found = `not every ADC reads "${text}" the same way`;
  return { found, suggestion: `Use "${exact}"${meant}.` };
}

/**
 * Reads a duration such as `30s` or `1h10m` as parse-duration does; `undefined` where it is none.
 */
export async function readDuration(text: string): Promise<number | undefined> {
  const { default: parse } = await import("parse-duration");
  const milliseconds = parse(text);
  if (milliseconds === null || !Number.isFinite(milliseconds) || milliseconds < 0) return undefined;
  // 16.1 s comes out as 16100.000000000002, which no timer takes; and 0 would mean no limit.
  return milliseconds === 0 ? 0 : Math.max(1, Math.round(milliseconds));
}
