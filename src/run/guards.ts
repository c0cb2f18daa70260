import { lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { extname, join, relative, resolve } from "node:path";
import type { AdcArguments } from "../adc/arguments.ts";
import { readEnvFile } from "../connection/env_file.ts";
import { type Context, variableName } from "../context.ts";
import { AdcRunError, EXIT, throwIfNotCapable } from "../errors.ts";
import { createMask } from "../mask/mask.ts";
import { MIN_SECRET_LENGTH, type Secret } from "../secret.ts";

/**
 * The files that ADC writes without being told their names; `-o` names another, but not for `diff`.
 */
const OUTPUTS: ReadonlyMap<string, string> = new Map([
  ["diff", "diff.yaml"],
  ["dump", "adc.yaml"],
  ["convert", "adc.yaml"],
]);

/**
 * Refuses to start ADC where the file that it writes by default is a symbolic link.
 *
 * `adc diff` writes `diff.yaml` without being asked, and follows a link of that name. One that came with
 * a cloned repository could lead to the user's `~/.bashrc`, to be overwritten with text from the same
 * repository's `adc.yaml`.
 */
export function refuseLinkedOutput({ command = "", output }: AdcArguments, cwd: string): void {
  const name = OUTPUTS.get(command);
  if (name === undefined) return;
  const target = linkTarget(join(cwd, name));
  if (target === undefined || (command !== "diff" && output !== undefined)) return;
  throw new AdcRunError(
    `Cannot run ADC: "${command}" writes to "${name}", which is a link to "${target}"`,
    EXIT.data,
    {
      suggestion: "Remove the link: ADC would overwrite its target." +
        (command === "diff" ? "" : ` If you want that, add "-o ${name}".`),
    },
  );
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    throwIfNotCapable(error);
    return undefined;
  }
}

/** What the words name themselves is meant: a shell's `<(…)`, say. */
const MEANT = /^\/(dev\/(stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/**
 * Refuses configuration files that are links to what the system tells of processes and devices: ADC's own
 * environment, with the token, among them. ADC quotes a file that it cannot parse.
 */
export async function refuseDevices(args: AdcArguments, cwd: string): Promise<void> {
  for await (const { path, word } of configurationFiles(args, cwd)) {
    if (MEANT.test(word)) continue;
    let target: string;
    try {
      target = realpathSync(path);
    } catch (error) {
      throwIfNotCapable(error);
      continue;
    }
    if (!/^\/(proc|dev|sys)\//.test(target)) continue;
    throw new AdcRunError(`Cannot pass "${word}" to ADC: it points to "${target}"`, EXIT.data, {
      suggestion: "Use a file that contains the configuration.",
    });
  }
}

interface FileGuardOptions extends Pick<Context, "cwd" | "env" | "onWarning"> {
  readonly args: AdcArguments;
  readonly secrets: readonly Secret[];
  /** The platform: the names of variables are the same in capitals on Windows. */
  readonly platform?: string;
}

/**
 * Refuses configuration files that would have ADC write a secret of the run into the configuration.
 *
 * ADC replaces `${NAME}` in its configuration files from its environment. With `${ADC_TOKEN}` whoever
 * wrote the file, such as the author of a cloned repository, could have the token sent to the gateway as
 * the name of a route, from where others can read it, and `adc diff` writes it to `diff.yaml`. Nobody
 * means that.
 */
export async function refuseTokenInFiles(options: FileGuardOptions): Promise<void> {
  const { args, platform } = options;
  const sameCase = (name: string) => variableName(name, platform);
  let names: ReadonlySet<string> | undefined;
  for await (const file of readConfigurationFiles(args, options)) {
    if (!/[$\\]/.test(file.text)) continue;
    names ??= new Set((await variablesWithSecrets(options)).map(sameCase));
    if (!mayName(file.text, (name) => names!.has(sameCase(name)))) continue;
    for await (const { name, place } of findVariables(file)) {
      if (!names.has(sameCase(name))) continue;
      throw new AdcRunError(
        `Cannot pass "${file.name}" to ADC: ${place ?? "it"} contains "\${${name}}", ` +
          "which ADC would replace with a secret",
        EXIT.data,
        {
          suggestion: "The secret would end up in the gateway's configuration. Remove it; " +
            `for the literal text, write "\\\${${name}}".`,
        },
      );
    }
  }
}

/**
 * A quick look that spares most files the parser. Only the escapes of a double-quoted text can make up
 * a `${NAME}` that does not stand in the file as it is.
 */
function mayName(text: string, isOne: (name: string) => boolean): boolean {
  if (/\\[xuU\r\n]/.test(text)) return true;
  for (const [, name] of text.matchAll(/\$\{(\w+)\}/g)) if (isOne(name!)) return true;
  return false;
}

/** Addresses, whose password may be too short to be looked for elsewhere. */
const ADDRESSES = /^(adc_server|(https?|all)_proxy)$/i;

async function variablesWithSecrets(
  { env, cwd, secrets }: FileGuardOptions,
): Promise<readonly string[]> {
  // ADC loads `.env` whatever adc-run was told.
  const dotEnv = await readEnvFile(".env", cwd);
  const variables = Object.entries({ ...Object.fromEntries(dotEnv.entries()), ...env });
  // A short one, such as a password "prod", turns up in values that have nothing to do with it.
  const mask = createMask(secrets.filter((secret) => secret.reveal().length >= MIN_SECRET_LENGTH));
  const isSecret = (name: string, value: string) =>
    name === "ADC_TOKEN" || secrets.some((secret) => secret.reveal() === value) ||
    (ADDRESSES.test(name) && value.includes("@")) || mask.text(value) !== value;
  return variables
    .filter(([name, value]) => value !== undefined && isSecret(name, value))
    .map(([name]) => name);
}

interface VariableUse {
  readonly name: string;
  /** The place, such as `services[0].name`; `undefined` where the file is not well-formed. */
  readonly place: string | undefined;
}

/**
 * Finds every `${NAME}` that ADC will replace: in the values of the parsed file, not in its keys.
 *
 * ADC does not get as far with a file that is not well-formed. Another version of its parser may find it
 * well-formed, though, so its text is searched instead.
 */
async function* findVariables(
  { name, text }: ConfigurationFile,
): AsyncGenerator<VariableUse> {
  let content: unknown;
  try {
    content = extname(name).toLowerCase() === ".json"
      ? JSON.parse(text)
      : (await import("js-yaml")).load(text);
  } catch {
    for (const variable of variablesIn(unescaped(text))) yield { name: variable, place: undefined };
    return;
  }
  // A stack of its own, and every node once: a file may be deep, and its aliases many.
  const seen = new Set<object>();
  const open: Node[] = [{ value: content, key: "", parent: undefined }];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const { value } = node;
    if (typeof value === "string") {
      for (const variable of variablesIn(value)) yield { name: variable, place: placeOf(node) };
    } else if (typeof value === "object" && value !== null && !seen.has(value)) {
      seen.add(value);
      for (const [key, child] of Object.entries(value)) {
        open.push({ value: child, key: Array.isArray(value) ? Number(key) : key, parent: node });
      }
    }
  }
}

interface Node {
  readonly value: unknown;
  readonly key: string | number;
  readonly parent: Node | undefined;
}

const PLACEHOLDER = "__ESCAPED_ENV_VAR_PLACEHOLDER__";

/**
 * The variables in one value, by the expressions of ADC's `recursiveReplaceEnvVars()`
 * (apps/cli/src/command/utils.ts): `\${NAME}` stays as `${NAME}`.
 */
function variablesIn(value: string): readonly string[] {
  const escaped = value.replace(
    /\\\$\{(\w+)\}/g,
    (_, name: string) => `${PLACEHOLDER}${name}${PLACEHOLDER}`,
  );
  return [...escaped.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
}

/** The escapes of YAML's and JSON's strings that can make up a `${NAME}`. */
function unescaped(text: string): string {
  return text
    .replace(/\\\r?\n[ \t]*/g, "")
    .replace(
      /\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8}))/gi,
      (all, ...digits: (string | undefined)[]) => {
        const code = parseInt(digits.find((each) => each !== undefined) ?? "", 16);
        return code <= 0x10ffff ? String.fromCodePoint(code) : all;
      },
    );
}

const MAX_PLACE_LENGTH = 200;

function placeOf(node: Node): string {
  const steps: string[] = [];
  for (let at: Node | undefined = node; at?.parent !== undefined; at = at.parent) {
    const { key } = at;
    if (typeof key === "number") steps.push(`[${key}]`);
    else steps.push(/^[\w-]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`);
  }
  const place = steps.reverse().join("").replace(/^\./, "");
  return place.length <= MAX_PLACE_LENGTH ? place : `${place.slice(0, MAX_PLACE_LENGTH)}…`;
}

interface ConfigurationFile {
  readonly name: string;
  readonly text: string;
}

/** Commands of ADC that talk to a backend and read no configuration. */
const WITHOUT_FILES: ReadonlySet<string> = new Set(["ping", "dump"]);

/**
 * What may be more than a plain path to `glob`; a path too many here costs a moment, and no more.
 */
const MAGIC = /[*?[\]{}()!+@\\]/;

/**
 * Reads the files that ADC will read.
 *
 * A file that is not there or cannot be read is left out, for ADC to complain about. So is a pipe, such
 * as `/dev/stdin`, which could be read only once.
 */
async function* readConfigurationFiles(
  args: AdcArguments,
  { cwd, onWarning }: Pick<Context, "cwd" | "onWarning">,
): AsyncGenerator<ConfigurationFile> {
  let warned = false;
  for await (const { path, word } of configurationFiles(args, cwd)) {
    const text = readText(path, word, () => {
      if (!warned) {
        onWarning?.(
          `"${relative(cwd, path)}" is larger than 16 MiB and was not searched for secrets.`,
        );
      }
      warned = true;
    });
    if (text !== undefined) yield { name: relative(cwd, path), text };
  }
}

async function* configurationFiles(
  { command = "", files }: AdcArguments,
  cwd: string,
): AsyncGenerator<{ readonly path: string; readonly word: string }> {
  if (WITHOUT_FILES.has(command)) return;
  const seen = new Set<string>();
  for (const word of files.length === 0 ? ["adc.yaml"] : files) {
    for (const path of await pathsOf(word, cwd)) {
      if (!seen.has(path)) yield { path, word };
      seen.add(path);
    }
  }
}

/** ADC hands every value to `glob`. */
async function pathsOf(pattern: string, cwd: string): Promise<readonly string[]> {
  if (!MAGIC.test(pattern)) return [resolve(cwd, pattern)];
  const { globSync } = await import("glob");
  return globSync(pattern, { cwd, nodir: true, absolute: true });
}

/** What is larger than any configuration that ADC could use. */
const MAX_BYTES = 16 * 1024 * 1024;

function readText(path: string, word: string, onLarge: () => void): string | undefined {
  try {
    const stats = statSync(path);
    if (stats.isFile() && stats.size > MAX_BYTES) onLarge();
    return stats.isFile() && stats.size <= MAX_BYTES ? readFileSync(path, "utf8") : undefined;
  } catch (error) {
    // Deno lets nobody open a descriptor by its name, unless everything is allowed.
    if (!MEANT.test(word)) throwIfNotCapable(error);
    return undefined;
  }
}
