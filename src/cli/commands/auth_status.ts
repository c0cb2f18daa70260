/**
 * `adc-run auth status`: every source, the winner, whether it works and whose it is.
 *
 * @module
 */

import { checkToken } from "../../check/check_token.ts";
import { CheckError } from "../../check/verdict.ts";
import { describeConnection } from "../../connection/describe.ts";
import { describeOrigin } from "../../connection/origin.ts";
import { NoTokenError, surveyTokens } from "../../token/resolve.ts";
import type { Io } from "../io.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeOwner, findOwner } from "../owner.ts";
import { describeCheck, describeError, describeToken, formatTrail } from "../report.ts";

/**
 * Shows where a token would come from and what the server says of it.
 *
 * @param call The command's words.
 * @param io The process.
 * @returns 0 only when the winner is valid, else the exit code that a run would end with.
 */
export async function authStatus(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter } = await readOwnCommand(call, io, {
    name: "auth status",
    options: [],
  });
  const { trail, winner, error } = await surveyTokens({ connection, sources });
  const checked = winner && options.check
    ? await checkToken(winner.token, { connection })
    : undefined;
  const owner = winner && checked?.verdict === "valid"
    ? await findOwner(connection, winner.token, { reporter })
    : undefined;
  const failure = error ??
    (checked !== undefined && checked.verdict !== "valid"
      ? new CheckError(checked, { resolved: winner! })
      : undefined);
  if (options.json) {
    const status = {
      connection: describeConnection(connection),
      sources: trail,
      ...(winner && { token: describeToken(winner) }),
      check: winner ? describeCheck(checked) : { verdict: "no-token" },
      ...(owner && { owner }),
      ...(failure && { error: describeError(failure) }),
      warnings: reporter.warnings,
    };
    reporter.print(JSON.stringify(status));
    return failure?.exitCode ?? 0;
  }
  const { backend, server, gatewayGroup } = connection;
  const lines = [
    `server   ${server.value} (${describeOrigin(server.origin)})`,
    `backend  ${backend.value} (${describeOrigin(backend.origin)})`,
    ...(backend.value === "api7ee"
      ? [`group    ${gatewayGroup.value} (${describeOrigin(gatewayGroup.origin)})`]
      : []),
    ...formatTrail(trail).map((line) => `source   ${line}`),
    ...(winner ? [`token    ${winner.token} from ${winner.source}`] : []),
    ...(winner ? [`check    ${checked?.verdict ?? "not made"}`] : []),
    ...(owner ? [`owner    ${describeOwner(owner)}`] : []),
  ];
  reporter.print(lines.join("\n"));
  if (failure === undefined) return 0;
  // What every source said stands above already.
  return reporter.fail(failure instanceof NoTokenError ? failure.withoutTrail() : failure);
}
