import { Option } from "commander";
import { CONNECTION_OPTIONS } from "../connection/adc_options.ts";
import { UsageError } from "../errors.ts";
import { readHeaders } from "./api_headers.ts";
import { addSharedOptions, parseStrictly, quietCommand } from "./command_options.ts";

/** The options that `adc-run api` alone has, in commander's spelling. */
export const API_OPTIONS = [
  "-X, --method <method>",
  "-d, --data <body>",
  "-H, --header <header>",
  "-f, --field <field>",
  "-i, --include",
  "--paginate",
  "--no-mask",
] as const;

/** What is to be asked. */
export interface ApiRequest {
  readonly method: string;
  readonly path: string;
  /** What stands behind `-d`. */
  readonly data: string | undefined;
  /** The headers, by their names in lower case. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** What is added to the query. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Whether the answer's head is shown as well. */
  readonly include: boolean;
  /** Whether a list is read to its end. */
  readonly paginate: boolean;
  /** Whether the token is masked in the answer. */
  readonly mask: boolean;
  /** Whether only the help was asked for. */
  readonly help: boolean;
  /** The connection's options and the shared ones, none of which can be taken for another. */
  readonly rest: readonly string[];
}

interface Options {
  readonly method?: string;
  readonly data?: readonly string[];
  readonly header?: readonly string[];
  readonly field?: readonly string[];
  readonly include?: boolean;
  readonly paginate?: boolean;
  readonly mask: boolean;
  readonly help?: boolean;
}

/** What `-d`, `-H`, `-f` and `--token` have in common: there can be several. */
const REPEATED = ["data", "header", "field", "token"];

/** Reads the words. */
export function readApiRequest(words: readonly string[]): ApiRequest {
  const command = addSharedOptions(quietCommand("api"));
  const own = [...API_OPTIONS, ...CONNECTION_OPTIONS].map((flags) => new Option(flags));
  for (const option of own) {
    if (REPEATED.includes(option.attributeName())) {
      option.argParser((value: string, all: string[] = []) => [...all, value]);
    }
    command.addOption(option);
  }
  const operands = parseStrictly(command, words);
  const options = command.opts<Options>();
  const given = Object.entries(command.opts()).filter(([name]) =>
    command.getOptionValueSource(name) === "cli" && !API_NAMES.has(name)
  );
  const rest = given.flatMap(([name, value]) => wordsOf(name, value));
  const { include = false, paginate = false, mask, help = false } = options;
  if (help) return { ...NOTHING, mask, help, rest };
  const { method, path } = readOperands(operands, options);
  const [data, ...more] = options.data ?? [];
  if (more.length > 0) throw new UsageError("Cannot use -d twice: a request has one body");
  const request: ApiRequest = {
    method: method ?? (data === undefined ? "GET" : "POST"),
    path,
    data,
    headers: readHeaders(options.header ?? []),
    fields: (options.field ?? []).map(readField),
    include,
    paginate,
    mask,
    help,
    rest,
  };
  if (paginate) requirePages(request);
  return request;
}

const API_NAMES = new Set(API_OPTIONS.map((flags) => new Option(flags).attributeName()));

const NOTHING = {
  method: "GET",
  path: "",
  data: undefined,
  headers: {},
  fields: [],
  include: false,
  paginate: false,
};

/** One word each, so that a value that looks like an option remains a value. */
function wordsOf(name: string, value: unknown): readonly string[] {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === true) return [flag];
  if (value === false) return [flag.replace("--", "--no-")];
  if (name === "token") return (value as string[]).map((each) => `${flag}=${each}`);
  return [`${flag}=${Array.isArray(value) ? value.join(",") : String(value)}`];
}

/** `TRACE` has the server repeat the request, token and all; `CONNECT` asks for a tunnel. */
const REFUSED_METHODS = ["TRACE", "CONNECT"];
const KNOWN_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

function readOperands(
  operands: readonly string[],
  { method: flag }: Options,
): { readonly method: string | undefined; readonly path: string } {
  const suggestion = "Write it like: adc-run api GET /api/users";
  if (operands.length > 2) {
    throw new UsageError('"adc-run api" takes a method and a path: found another word', {
      suggestion: `${suggestion}. What goes into the query is written -f key=value.`,
    });
  }
  const [path, before] = [operands.at(-1), operands.at(-2)];
  if (path === undefined || (before === undefined && KNOWN_METHODS.includes(path))) {
    throw new UsageError("There is no path to ask for", { suggestion });
  }
  if (before !== undefined && flag !== undefined && before !== flag) {
    throw new UsageError("Cannot use -X with another method before the path");
  }
  const method = before ?? flag;
  if (method === undefined) return { method, path };
  if (REFUSED_METHODS.includes(method.toUpperCase())) {
    throw new UsageError(`Cannot use the method ${method.toUpperCase()}: it is not for an API`);
  }
  if (/^[A-Z]{1,32}$/.test(method)) return { method, path };
  throw new UsageError("Cannot use the method: it is not written in capital letters", {
    suggestion,
  });
}

function readField(field: string): readonly [string, string] {
  const equals = field.indexOf("=");
  if (equals > 0) return [field.slice(0, equals), field.slice(equals + 1)];
  throw new UsageError('Cannot use a field: it is not of the form "key=value"', {
    suggestion: "Write it like -f page_size=10.",
  });
}

function requirePages({ method, data, include, fields }: ApiRequest): void {
  const other = method !== "GET"
    ? `the method ${method}`
    : data !== undefined
    ? "-d"
    : include
    ? "-i"
    : fields.some(([name]) => name === "page")
    ? "-f page"
    : undefined;
  if (other === undefined) return;
  throw new UsageError(`Cannot use --paginate with ${other}: it asks for one page after the other`);
}
