/**
 * The Rust ADC's command line, as clap 4 reads it: the same refusals, with exit code 2, before anything is asked.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** What clap answers by itself: help and the version, or a complaint about one option. */
export class ClapExit extends Error {
  constructor(message, { code, option }) {
    super(message);
    Object.assign(this, { code, option });
  }
}

const VERBOSE = {
  name: "verbose",
  read: (text) => within(text, { least: 0, most: 2 }),
  fallback: "1",
};
const FILES = { name: "file", short: "f", many: true };
const OUTPUT = { name: "output", short: "o", fallback: "adc.yaml" };
const NO_LINT = { name: "no-lint", isSwitch: true };

const BACKEND = [
  { name: "backend", variable: "ADC_BACKEND", fallback: "apisix", read: readBackend },
  { name: "server", variable: "ADC_SERVER", fallback: "http://localhost:9180" },
  { name: "token", variable: "ADC_TOKEN" },
  { name: "gateway-group", variable: "ADC_GATEWAY_GROUP", fallback: "default" },
  { name: "label-selector", many: true },
  { name: "include-resource-type", many: true, excludes: "exclude-resource-type" },
  { name: "exclude-resource-type", many: true, excludes: "include-resource-type" },
  { name: "timeout", fallback: "10s", read: readDuration },
  { name: "request-concurrent", fallback: "10", read: (text) => within(text, { least: 0 }) },
  { name: "ca-cert-file", variable: "ADC_CA_CERT_FILE", read: readBytes },
  {
    name: "tls-client-cert-file",
    variable: "ADC_TLS_CLIENT_CERT_FILE",
    read: readBytes,
    requires: "tls-client-key-file",
  },
  {
    name: "tls-client-key-file",
    variable: "ADC_TLS_CLIENT_KEY_FILE",
    read: readBytes,
    requires: "tls-client-cert-file",
  },
  { name: "tls-skip-verify", variable: "ADC_TLS_SKIP_VERIFY", isSwitch: true },
  { name: "no-managed-by-label", isSwitch: true },
];

const COMMANDS = {
  ping: BACKEND,
  dump: [...BACKEND, OUTPUT, { name: "with-id", isSwitch: true }],
  diff: [...BACKEND, FILES, NO_LINT],
  sync: [...BACKEND, FILES, NO_LINT],
  validate: [...BACKEND, FILES, NO_LINT],
  lint: [FILES],
  convert: undefined,
  "ingress-sync": [],
  "ingress-server": [
    ...["listen", "listen-status", "ca-cert-file", "tls-cert-file", "tls-key-file"]
      .map((name) => ({ name })),
  ],
};

/**
 * Reads words as the Rust ADC does.
 *
 * @param words The words behind `adc`.
 * @param env The environment, with what `.env` added to it.
 * @param cwd Where the paths of files start from.
 * @returns The command and its options.
 * @throws {ClapExit} Clap has something to say, and ADC ends.
 */
export function readWords(words, env, cwd = ".") {
  const rest = [...words];
  const before = readOptions(rest, { specs: [], env: {}, cwd, stopsAtWord: true });
  let name = rest.shift();
  if (name === undefined) throw new ClapExit("Usage: adc <COMMAND>", { code: 2 });
  if (name === "help") throw new ClapExit("Usage: adc [OPTIONS] <COMMAND>", { code: 0 });
  if (name === "server") name = "ingress-server";
  let specs = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : [];
  if (!Object.hasOwn(COMMANDS, name)) complain(`unrecognized subcommand '${name}'`);
  if (name === "convert") {
    specs = [FILES, OUTPUT];
    if (rest.shift() !== "openapi") complain("'adc convert' requires a subcommand");
  }
  const options = readOptions(rest, { specs, env, cwd });
  if (!("verbose" in options)) options.verbose = before.verbose ?? 1;
  return { command: name, options };
}

function readOptions(words, { specs, env, cwd, stopsAtWord = false }) {
  const all = [...specs, VERBOSE];
  const given = new Map();
  while (words.length > 0) {
    if (stopsAtWord && !/^-./s.test(words[0])) break;
    const word = words.shift();
    if (["-h", "--help"].includes(word)) throw new ClapExit("Usage: adc", { code: 0 });
    if (stopsAtWord && ["-V", "--version"].includes(word)) {
      throw new ClapExit("adc 0.30.5-standin", { code: 0 });
    }
    const [, long, value] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const [, short, attached] = /^-([^-])(.*)$/s.exec(word) ?? [];
    const spec = all.find((each) => long === undefined ? each.short === short : each.name === long);
    if (spec === undefined || (long ?? short) === undefined) {
      complain(`unexpected argument '${word}' found`);
    }
    if (given.has(spec) && !spec.many) {
      complain(`the argument '--${spec.name}' cannot be used multiple times`, spec);
    }
    if (spec.isSwitch) {
      if (value !== undefined) complain(`unexpected value for '--${spec.name}' found`, spec);
      given.set(spec, true);
      continue;
    }
    let text = long === undefined ? attached.replace(/^=/, "") : value;
    if (long === undefined && attached === "") text = undefined;
    if (text === undefined) {
      // A word that looks like an option is never another's value.
      if (words.length === 0 || /^-./s.test(words[0])) {
        complain(`a value is required for '--${spec.name}' but none was supplied`, spec);
      }
      text = words.shift();
    }
    given.set(spec, spec.many ? [...given.get(spec) ?? [], text] : text);
  }
  return valuesOf(all, given, { env, cwd });
}

function valuesOf(specs, given, { env, cwd }) {
  const options = {};
  const present = new Set();
  for (const spec of specs) {
    const variable = spec.variable && env[spec.variable];
    if (given.has(spec) || variable !== undefined) present.add(spec.name);
    const text = given.get(spec) ?? variable ?? spec.fallback;
    const key = spec.name.replace(/-(\w)/g, (_, letter) => letter.toUpperCase());
    if (spec.isSwitch) {
      options[key] = text === true || (text !== undefined && readBoolean(spec, text));
    } else if (text !== undefined && (spec !== VERBOSE || given.has(spec))) {
      options[key] = spec.read ? readValue(spec, text, cwd) : text;
    }
  }
  for (const { name, requires, excludes } of specs) {
    if (!present.has(name)) continue;
    if (requires !== undefined && !present.has(requires)) {
      complain(`the following required arguments were not provided: --${requires}`, { name });
    }
    if (present.has(excludes)) complain(`--${name} cannot be used with --${excludes}`, { name });
  }
  return options;
}

function readValue(spec, text, cwd) {
  const value = spec.read(text, cwd);
  if (value === undefined) complain(`invalid value for '--${spec.name}'`, spec);
  return value;
}

function readBoolean(spec, text) {
  if (text !== "true" && text !== "false") complain(`invalid value for '--${spec.name}'`, spec);
  return text === "true";
}

function readBackend(text) {
  return ["apisix", "api7ee", "apisix-standalone"].includes(text) ? text : undefined;
}

function within(text, { least, most = Infinity }) {
  const value = /^\+?\d+$/.test(text) ? Number(text) : NaN;
  return value >= least && value <= most ? value : undefined;
}

function readBytes(path, cwd) {
  try {
    // An empty one is no file, wherever it starts from.
    return path === "" ? undefined : readFileSync(resolve(cwd, path));
  } catch {
    return undefined;
  }
}

const UNITS = {
  "nanos nsec ns": 1e-6,
  "usec us": 1e-3,
  "millis msec ms": 1,
  "seconds second secs sec s": 1_000,
  "minutes minute mins min m": 60_000,
  "hours hour hrs hr h": 3_600_000,
  "days day d": 86_400_000,
  "weeks week w": 604_800_000,
  "months month M": 2_630_016_000,
  "years year y": 31_557_600_000,
};

/** Milliseconds, as humantime reads them: whole numbers, each with its unit, and blanks anywhere between. */
export function readDuration(text) {
  if (!/^\s*(\d[\d\s]*[A-Za-z]+\s*)+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d[\d\s]*)([A-Za-z]+)/g)) {
    const [, size] = Object.entries(UNITS).find(([names]) => names.split(" ").includes(unit)) ?? [];
    const count = Number(amount.replace(/\s/g, ""));
    if (size === undefined || count >= 2 ** 64) return undefined;
    total += count * size;
  }
  return total;
}

function complain(message, spec) {
  throw new ClapExit(`error: ${message}\n\nFor more information, try '--help'.`, {
    code: 2,
    option: spec && `--${spec.name}`,
  });
}
