import type { Connection } from "../connection/connection.ts";
import { readEnvFile } from "../connection/env_file.ts";
import type { EnvFile } from "../connection/env_file.ts";
import { describeOrigin, isFromProject } from "../connection/origin.ts";
import type { Environment } from "../context.ts";
import type { Survey } from "../token/resolve.ts";
import { isSourceName, SOURCES } from "../token/sources.ts";
import type { Found } from "./finding.ts";

/** What `checkTraps` looks at. */
export interface CheckTrapsOptions {
  readonly env: Environment;
  readonly cwd: string;
  /** The environment file that was named. */
  readonly envFile: string | undefined;
  /** The connection; `undefined` where a setting keeps it from being made. */
  readonly connection: Connection | undefined;
  /** What the sources said; `undefined` where they were not asked. */
  readonly survey: Survey | undefined;
}

/** Variables that only the environment is asked for: a cloned repository could bring them along. */
const NOT_FROM_A_FILE =
  /^(ADC_RUN_\w+|ADC_TOKEN_FILE|ADC_TOKEN_COMMAND|API7_USERNAME|API7_PASSWORD|ADC_TIMEOUT)$/;

const NO = /^(|0|n|no|f|false|off)$/i;

/** Looks for settings that do not do what they seem to do. */
export async function checkTraps(options: CheckTrapsOptions): Promise<readonly Found[]> {
  const { env, cwd, envFile, connection } = options;
  const file = connection?.envFile ?? await readEnvFile(envFile ?? ".env", cwd);
  const findings = [
    ...tokenTraps(options, file),
    ...(connection === undefined ? connectionTraps(env, file) : []),
    ...runtimeTraps(env, file),
  ];
  return findings.length > 0 ? findings : [{ status: "ok", found: "none of those that are known" }];
}

function tokenTraps(
  { env, connection, survey }: CheckTrapsOptions,
  file: EnvFile,
): readonly Found[] {
  const findings: Found[] = [];
  const hidden = file.get("ADC_TOKEN")?.trim();
  // Where there is a connection, that one of a file is hidden is among its warnings.
  if (env.ADC_TOKEN?.trim() === "" && !(hidden && connection)) {
    findings.push({
      status: "warning",
      found: "ADC_TOKEN is exported but empty: ADC by itself would send no token" +
        (hidden ? `, though ${file.name} has one` : ""),
      suggestion: "Unset it.",
    });
  }
  if (env.ADC_TOKEN?.trim() && hidden && env.ADC_TOKEN !== hidden) {
    findings.push({
      status: "warning",
      found:
        `ADC_TOKEN is exported and stands in ${file.name} as well, with another value: the exported ` +
        "one counts",
      suggestion: "Delete the one that is not meant.",
    });
  }
  const { winner, trail = [] } = survey ?? {};
  if (
    connection !== undefined && winner !== undefined && isFromProject(connection.server.origin) &&
    isSourceName(winner.source) && !SOURCES[winner.source].bound
  ) {
    findings.push({
      status: "warning",
      found: `the token from ${winner.source} goes wherever ${
        describeOrigin(connection.server.origin)
      } says, which came along with this folder`,
      suggestion:
        "Pin the server with a profile of your own, or list it in ADC_RUN_ALLOWED_SERVERS.",
    });
  }
  if (winner?.detail.startsWith("API_KEY")) {
    findings.push({
      status: "warning",
      found: `the token is in ${winner.detail}, which ADC by itself does not look at`,
      suggestion: "adc-run hands it to ADC; name it ADC_TOKEN for ADC by itself.",
    });
  }
  const shown = winner === undefined ? undefined : String(winner.token);
  const others = trail.filter(({ source, status, detail }) =>
    status === "found" && source !== winner?.source && shown !== undefined &&
    !detail.endsWith(shown)
  );
  // The pair that stands above already.
  const more = others.filter(({ source }) => !(source === "dotenv" && winner?.source === "env"));
  if (more.length > 0) {
    findings.push({
      status: "warning",
      found: `${more.map(({ source }) => source).join(" and ")} ${
        more.length === 1 ? "has" : "have"
      } another token than ${winner!.source}, which counts`,
      suggestion: "Delete what is not meant, or choose with --source.",
      data: { sources: more.map(({ source }) => source) },
    });
  }
  return findings;
}

/** What keeps the connection from being made hides what stands behind it. */
function connectionTraps(env: Environment, file: EnvFile): readonly Found[] {
  const value = (name: string) => env[name] ?? file.get(name);
  const findings: Found[] = [];
  const skip = value("ADC_TLS_SKIP_VERIFY");
  if (skip !== undefined && NO.test(skip.trim())) {
    findings.push({
      status: "warning",
      found:
        `ADC_TLS_SKIP_VERIFY is "${skip}", and ADC turns verification off whatever the value is`,
      suggestion: "Unset it to verify the server's certificate.",
    });
  }
  const cert = value("ADC_TLS_CLIENT_CERT_FILE");
  const key = value("ADC_TLS_CLIENT_KEY_FILE");
  if ((cert === undefined) !== (key === undefined)) {
    findings.push({
      status: "warning",
      found:
        `there is a client ${
          cert === undefined ? "key but no certificate" : "certificate but no key"
        }:` +
        " ADC by itself would do nothing and exit with 0",
      suggestion: "Set both ADC_TLS_CLIENT_CERT_FILE and ADC_TLS_CLIENT_KEY_FILE.",
    });
  }
  if (value("ADC_BACKEND") === "api7ee" && value("ADC_GATEWAY_GROUP")?.trim() === "") {
    findings.push({
      status: "warning",
      found: "ADC_GATEWAY_GROUP is empty: ADC would change whichever group the server lists first",
      suggestion: "Name the one you mean.",
    });
  }
  return findings;
}

function runtimeTraps(env: Environment, file: EnvFile): readonly Found[] {
  const findings: Found[] = [];
  const names = [...file.entries()].map(([name]) => name).filter((name) =>
    NOT_FROM_A_FILE.test(name)
  );
  if (names.length > 0) {
    findings.push({
      status: "warning",
      found: `${names.join(", ")} in ${file.name} ${
        names.length === 1 ? "does" : "do"
      } nothing there`,
      suggestion:
        "Export what is meant. A file that a repository brings along is not asked for these.",
      data: { names },
    });
  }
  if (env.ADC_TIMEOUT !== undefined) {
    findings.push({
      status: "warning",
      found: "ADC_TIMEOUT is set, and ADC reads no such variable",
      suggestion: "Use --timeout, or the timeout of a profile.",
    });
  }
  if (env.NODE_TLS_REJECT_UNAUTHORIZED === "0") {
    findings.push({
      status: "warning",
      found:
        "NODE_TLS_REJECT_UNAUTHORIZED is 0, which turns verification off in every Node.js program",
      suggestion: "Unset it, and name the CA with --ca-cert-file or ADC_CA_CERT_FILE.",
    });
  }
  if (env.ADC_RUNNING_MODE === "ingress") {
    findings.push({
      status: "warning",
      found:
        "ADC_RUNNING_MODE is ingress: ADC then has only sync and server, and reads other options",
      suggestion: "Unset it, unless this is the ingress controller.",
    });
  }
  return findings;
}
