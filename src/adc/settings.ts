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
