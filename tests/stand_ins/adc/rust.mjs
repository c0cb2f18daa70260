/**
 * The commands of the Rust ADC: progress on standard error, results on standard output.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import process from "node:process";
import { createBackend } from "./backends.mjs";
import { createRustClient } from "./rust_client.mjs";
import { loadConfiguration } from "./configuration.mjs";
import { say } from "./output.mjs";

/**
 * Runs a command.
 *
 * @param read What clap made of the words.
 */
export async function runRust({ command, options }) {
  const log = createLog(options.verbose);
  await COMMANDS[command](options, log);
  log.line("★", "star", "All is well, see you next time!");
}

const COMMANDS = {
  async ping(options, log) {
    const backend = backendOf(options, log);
    await log.task("Connecting to backend...", () => backend.ping());
    say(`Connected to the "${options.backend}" backend successfully!`);
  },
  async dump(options, log) {
    const backend = backendOf(options, log);
    const remote = await fetchRemote(backend, log);
    // JSON is YAML.
    await writeFile(options.output, `${JSON.stringify(remote, null, 2)}\n`);
    say(`Dump backend configuration to ${options.output} successfully!`);
  },
  async diff(options, log) {
    const backend = backendOf(options, log);
    const events = await computeEvents(backend, options, log);
    for (const event of events) {
      say(`${event.type} ${event.resource_type}: "${event.resource_name}"`);
    }
    say(`Summary: ${events.length} will be created, 0 will be updated, 0 will be deleted`);
    await writeFile("diff.yaml", `${JSON.stringify(events, null, 2)}\n`);
    say("Detail diff result has been written to diff.yaml");
  },
  async sync(options, log) {
    const backend = backendOf(options, log);
    const events = await computeEvents(backend, options, log);
    const [service, route] = events.map(({ new_value: value }) => value);
    if (events.length > 0) await backend.sync({ service, route });
    log.line("ℹ", "info", `Sync completed: ${events.length} applied, 0 failed`);
  },
  async validate(options, log) {
    const backend = backendOf(options, log);
    const events = await computeEvents(backend, options, log);
    const [service, route] = events.map(({ new_value: value }) => value);
    await log.task("Validating...", () => backend.validate({ service, route }));
    say("Configuration is valid.");
  },
  async lint(options, log) {
    await log.task("Linting configuration...", () => load(options));
    say("Configuration is structurally valid.");
  },
  async convert(options, log) {
    if (options.file === undefined) throw new Error("no file");
    await log.task(
      "Converting OpenAPI documents...",
      () => writeFile(options.output, `${JSON.stringify({ services: [] })}\n`),
    );
    say(`Converted OpenAPI file to ${options.output} successfully!`);
  },
  "ingress-sync": () => {
    throw new Error("adc ingress-sync: not yet implemented");
  },
  // It would listen for ever, and takes the token of each request that it gets.
  "ingress-server": () => say("ADC server is running on http://127.0.0.1:3000"),
};

/** What is there already is not looked at: each service and route is new. */
async function computeEvents(backend, options, log) {
  const local = await log.task("Loading local configuration...", () => load(options));
  await fetchRemote(backend, log);
  return log.task(
    "Computing diff...",
    () =>
      [["service", local.service], ["route", local.route]].map(([type, value]) => ({
        type: "create",
        resource_type: type,
        resource_id: value.id,
        resource_name: value.name,
        new_value: value,
      })),
  );
}

function load(options) {
  return loadConfiguration(options.file, { task: (_, run) => run() });
}

function fetchRemote(backend, log) {
  return log.task("Fetching remote configuration...", () => backend.dump());
}

/** A list is taken apart whatever the backend is, and two of the three take what comes first. */
function backendOf({ backend, server, token, ...options }, log) {
  if (token === undefined) {
    throw new Error("a backend token is required: pass --token or set ADC_TOKEN");
  }
  const count = backend === "apisix-standalone" ? Infinity : 1;
  const servers = server.split(",").slice(0, count).map((each) => each.trim().replace(/\/+$/, ""));
  return createBackend(
    {
      ...options,
      backend,
      server: servers.join(","),
      token: token.split(",").slice(0, count).join(","),
    },
    log,
    { client: createRustClient, isRust: true },
  );
}

/** A line at the start and at the end of each task, which fails without one of its own. */
function createLog(verbose) {
  function line(icon, label, text, scope = "ADC") {
    if (verbose === 0) return;
    const time = new Date().toLocaleTimeString("en-US");
    process.stderr.write(`[${time}] [${scope}] › ${icon}  ${label.padEnd(10)}${text}\n`);
  }
  return {
    line,
    debug: (text, scope) => {
      if (verbose === 2) line("⬤", "debug", text, scope);
    },
    task: async (title, run) => {
      line("▶", "start", title);
      try {
        return await run();
      } finally {
        line("✔", "success", title);
      }
    },
  };
}
