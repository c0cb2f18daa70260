/** ADC's options that decide how it connects. */
export const CONNECTION_OPTIONS = [
  "--backend <backend>",
  "--server <string>",
  "--token <string>",
  "--gateway-group <string>",
  "--timeout <duration>",
  "--ca-cert-file <string>",
  "--tls-client-cert-file <string>",
  "--tls-client-key-file <string>",
  "--tls-skip-verify",
] as const;

/**
 * ADC's other options. They are declared because a parser that does not know which of them take a value
 * would read `-f --token` as the option `--token`.
 */
export const OTHER_OPTIONS = [
  "--verbose <integer>",
  "--label-selector <labelKey=labelValue>",
  "--include-resource-type <string>",
  "--exclude-resource-type <string>",
  "--no-managed-by-label",
  "-f, --file <file-path>",
  "-o, --output <file-path>",
  "--with-id",
  "--no-lint",
  "--request-concurrent <integer>",
  "--remote-state-file <file-path>",
  // ADC's own help option; commander looks for it among the words that are no other option's value.
  "-h, --help",
] as const;
