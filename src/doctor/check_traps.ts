import process from "node:process";
import { EnvFile, readEnvFile } from "../connection/env_file.ts";
import type { Context, Environment } from "../context.ts";
import { AdcRunError, messageOf } from "../errors.ts";
import { makePipes } from "../system/pipes.ts";
import { isDeno } from "../system/programs.ts";
import { isWayToTokens, strayWarning } from "../token/sources.ts";
import type { DiagnoseOptions, Facts } from "./diagnose.ts";
import { type Found, ok, warning } from "./finding.ts";

type Place = Context & Pick<DiagnoseOptions, "envFile"> & Partial<Facts>;

/** Variables that only the environment is asked for: a cloned repository could bring them along. */
function isNotFromFile(name: string): boolean {
  return /^(ADC_RUN_\w+|ADC_TIMEOUT)$/.test(name) || isWayToTokens(name);
}

export async function checkTraps(place: Place): Promise<readonly Found[]> {
  const { env, cwd, envFile, connection } = place;
  const file = connection?.envFile ?? await readOrEmpty(envFile ?? ".env", cwd);
  const findings = [
    ...tokenTraps(place, file),
    ...(connection === undefined ? connectionTraps(env, file) : []),
    ...runtimeTraps(env, file),
    ...await pipeTraps(place),
    ...await terminalTraps(),
  ];
  return findings.length > 0 ? findings : [ok("no known problems")];
}

/** What is wrong with the file is told where it is looked at. */
async function readOrEmpty(name: string, cwd: string): Promise<EnvFile> {
  try {
    return await readEnvFile(name, cwd);
  } catch (error) {
    if (!(error instanceof AdcRunError)) throw error;
    return new EnvFile(name, undefined);
  }
}

/** Deno makes pipes of its own, and Windows has no names for them. */
async function pipeTraps({ env, cwd }: Place): Promise<readonly Found[]> {
  if (isDeno || process.platform === "win32" || env.PATH === undefined) return [];
  const pipes = await makePipes(1, { env, cwd });
  for (const pipe of pipes ?? []) pipe.close();
  return pipes !== undefined ? [] : [
    warning(
      `no pipe can be made in "${
        env.TMPDIR || "/tmp"
      }": a program that adc-run starts gets a socket ` +
        "for its output, and cannot open /dev/stdout",
      "Set a writable folder in TMPDIR, and put mkfifo on PATH.",
    ),
  ];
}

/** At a terminal the program of `exec` has one of its own, where it can be had. */
async function terminalTraps(): Promise<readonly Found[]> {
  if (process.platform === "win32") return [];
  try {
    await (await import("../run/terminal.ts")).loadPseudoTerminals();
    return [];
  } catch (error) {
    return [
      warning(
        `exec cannot give programs a terminal, and uses pipes: ${messageOf(error)}`,
        "Install @lydell/node-pty.",
      ),
    ];
  }
}

function* tokenTraps({ env, connection, survey }: Place, file: EnvFile): Generator<Found> {
  const hidden = file.get("ADC_TOKEN")?.trim();
  const exported = env.ADC_TOKEN?.trim();
  // Where there is a connection, that one of a file is hidden is among its warnings.
  if (exported === "" && !(hidden && connection)) {
    yield warning(
      "ADC_TOKEN is exported but empty: ADC by itself would send no token" +
        (hidden ? `, though ${file.name} has one` : ""),
      "Unset it.",
    );
  }
  if (exported && hidden && exported !== hidden) {
    yield warning(
      `ADC_TOKEN is exported and also set in ${file.name}, to another value: the exported ` +
        "one is used",
      "Remove the one that you do not need.",
    );
  }
  const { winner, trail = [] } = survey ?? {};
  if (connection === undefined || winner === undefined) return;
  const stray = strayWarning(connection, { ...winner, env });
  if (stray !== undefined) {
    const [found = "", suggestion] = stray.split(/\. /);
    yield warning(`${found[0]!.toLowerCase()}${found.slice(1)}`, suggestion);
  }
  if (winner.detail.startsWith("API_KEY")) {
    yield warning(
      `the token is in ${winner.detail}, which ADC by itself does not read`,
      "adc-run passes it to ADC; to use ADC by itself, rename it to ADC_TOKEN.",
    );
  }
  const others = trail.filter(({ source, status, detail }) =>
    status === "found" && source !== winner.source && !detail.endsWith(String(winner.token)) &&
    // The pair that stands above already.
    !(source === "dotenv" && winner.source === "env")
  ).map(({ source }) => source);
  if (others.length > 0) {
    yield warning(
      `${others.join(" and ")} also ${
        others.length === 1 ? "has" : "have"
      } a token; the one from ` +
        `${winner.detail} is used`,
      "Remove what you do not need, or choose with --source.",
      { sources: others },
    );
  }
}

/** What keeps the connection from being made hides what stands behind it. */
function* connectionTraps(env: Environment, file: EnvFile): Generator<Found> {
  const value = (name: string) => env[name] ?? file.get(name);
  const skip = value("ADC_TLS_SKIP_VERIFY");
  if (skip !== undefined && skip !== "true") {
    yield warning(
      'ADC_TLS_SKIP_VERIFY is not "true", but ADC turns verification off whatever its value',
      "Unset it to verify the server's certificate.",
    );
  }
  const cert = value("ADC_TLS_CLIENT_CERT_FILE");
  const key = value("ADC_TLS_CLIENT_KEY_FILE");
  if ((cert === undefined) !== (key === undefined)) {
    const half = cert === undefined ? "key but no certificate" : "certificate but no key";
    yield warning(
      `there is a client ${half}: ADC by itself would do nothing and exit with 0`,
      "Set both ADC_TLS_CLIENT_CERT_FILE and ADC_TLS_CLIENT_KEY_FILE.",
    );
  }
  if (value("ADC_BACKEND") === "api7ee" && value("ADC_GATEWAY_GROUP")?.trim() === "") {
    yield warning(
      "ADC_GATEWAY_GROUP is empty: ADC would change whichever group the server lists first",
      "Set it to the group you want, or unset it.",
    );
  }
}

function* runtimeTraps(env: Environment, file: EnvFile): Generator<Found> {
  const names = [...file.entries()].map(([name]) => name).filter(isNotFromFile);
  if (names.length > 0) {
    yield warning(
      `${names.join(", ")} in ${file.name} ${names.length === 1 ? "has" : "have"} no effect there`,
      "Export them instead. adc-run does not read these from a file that a repository can bring.",
      { names },
    );
  }
  if (env.DOTENV_KEY) {
    yield warning(
      "DOTENV_KEY is set: ADC would read .env.vault instead of .env, so adc-run refuses to run it",
      "Unset it.",
    );
  }
  if (env.ADC_TIMEOUT !== undefined) {
    yield warning(
      "ADC_TIMEOUT is set, but ADC does not read it",
      "Use --timeout, or set timeout in a profile.",
    );
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    yield warning(
      "NODE_TLS_REJECT_UNAUTHORIZED is 0, which turns verification off in every Node.js program",
      "Unset it, and set the CA with --ca-cert-file or ADC_CA_CERT_FILE.",
    );
  }
  if (env.ADC_RUNNING_MODE === "ingress") {
    yield warning(
      "ADC_RUNNING_MODE is ingress: ADC then has only sync and server, with other options",
      "Unset it, unless this is the ingress controller.",
    );
  }
}
