import { SOURCES } from "../../profiles/profile_settings.ts";
import type { ManualOption } from "./entry.ts";

/** adc-run's own options, which stand before the command. */
export const GLOBAL_OPTIONS: readonly ManualOption[] = [
  {
    flags: "-p, --profile NAME[,NAME...]",
    text: "the target to use; for a run also several, one after another",
    variable: "ADC_RUN_PROFILE",
    values: "profiles",
    list: true,
  },
  {
    flags: "--no-profile",
    text: "use no profile, not even the default one",
    variable: "ADC_RUN_NO_PROFILE",
  },
  {
    flags: "--parallel N",
    text: "with several profiles, run this many at once (default: 1)",
    variable: "ADC_RUN_PARALLEL",
  },
  {
    flags: "--keep-going",
    text: "with several profiles, go on with the others when one fails",
    variable: "ADC_RUN_KEEP_GOING",
  },
  {
    flags: "--source LIST",
    text: "ask these sources for a token, in this order",
    variable: "ADC_RUN_SOURCE",
    values: SOURCES,
    list: true,
  },
  {
    flags: "--env-file PATH",
    text: "read this file instead of .env",
    variable: "ADC_RUN_ENV_FILE",
    values: "files",
  },
  {
    flags: "--ephemeral[=TTL]",
    text: "make a token for this run alone (1h), and revoke it on every way out",
    variable: "ADC_RUN_EPHEMERAL",
  },
  {
    flags: "--adc PATH",
    text: "the ADC to run",
    variable: "ADC_RUN_ADC",
    values: "files",
  },
  { flags: "--no-check", text: "skip the test call", variable: "ADC_RUN_CHECK" },
  { flags: "--no-mask", text: "let the output through untouched", variable: "ADC_RUN_MASK" },
  {
    flags: "--fail-on-leak",
    text: "exit with 65 when ADC exits with 0 but printed a secret",
    variable: "ADC_RUN_FAIL_ON_LEAK",
  },
  {
    flags: "--dry-run",
    text: "resolve and check, show what would run, run nothing",
    variable: "ADC_RUN_DRY_RUN",
  },
  {
    flags: "--json",
    text:
      "report as one JSON object: of a run or a failure on standard error, else on standard output",
    variable: "ADC_RUN_JSON",
  },
  { flags: "-q, --quiet", text: "say nothing unless it fails", variable: "ADC_RUN_QUIET" },
  { flags: "-V, --version", text: "show the version" },
  { flags: "-h, --help", text: "show the help, or that of the command" },
];

/** ADC's options that say how to connect; adc-run's own commands take them as well. */
export const CONNECTION_FLAGS: readonly ManualOption[] = [
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
];
