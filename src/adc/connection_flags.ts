/** ADC's options that say how to connect; adc-run's own commands take them as well. */
export const CONNECTION_FLAGS = [
  {
    flags: "--backend KIND",
    text: "apisix, api7ee or apisix-standalone",
    variable: "ADC_BACKEND",
    values: ["apisix", "api7ee", "apisix-standalone"],
  },
  { flags: "--server URL", text: "the server's address", variable: "ADC_SERVER" },
  {
    flags: "--token TOKEN",
    text: "the token; other users of the machine can read it there",
    variable: "ADC_TOKEN",
  },
  {
    flags: "--gateway-group NAME",
    text: "the gateway group, for api7ee",
    variable: "ADC_GATEWAY_GROUP",
  },
  { flags: "--timeout DURATION", text: "how long a request may take, such as 30s" },
  {
    flags: "--ca-cert-file PATH",
    text: "certificates to trust",
    variable: "ADC_CA_CERT_FILE",
    values: "files",
  },
  {
    flags: "--tls-client-cert-file PATH",
    text: "the client certificate",
    variable: "ADC_TLS_CLIENT_CERT_FILE",
    values: "files",
  },
  {
    flags: "--tls-client-key-file PATH",
    text: "the client certificate's key",
    variable: "ADC_TLS_CLIENT_KEY_FILE",
    values: "files",
  },
  {
    flags: "--tls-skip-verify",
    text: "trust any certificate",
    variable: "ADC_TLS_SKIP_VERIFY",
  },
] as const;
