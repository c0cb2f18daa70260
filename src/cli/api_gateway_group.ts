import { findGatewayGroup } from "../admin_api/find_gateway_group.ts";
import type { RawRequester } from "../admin_api/raw_request.ts";
import type { Connection } from "../connection/connection.ts";
import { UsageError } from "../errors.ts";
import { isAdminKey } from "../secret.ts";
import type { ResolvedToken } from "../token/resolve.ts";
import { hasField, withFields } from "./api_target.ts";
import type { Reporter } from "./report.ts";

/** Refuses a group that was named for this command and would be passed over in silence. */
export function requireGroups({ backend, gatewayGroup }: Connection): void {
  if (gatewayGroup.origin.kind !== "flag" || backend.value === "api7ee") return;
  throw new UsageError(
    `Cannot use --gateway-group with the backend ${backend.value}: only api7ee has gateway groups`,
    { suggestion: "Set --backend api7ee or ADC_BACKEND=api7ee." },
  );
}

/**
 * Adds the gateway group's id to a path, where somebody chose a group and the path names none. An admin
 * key belongs to one group, and ADC names none for it either.
 */
export async function withGroup(
  path: string,
  options: {
    readonly connection: Connection;
    readonly requester: RawRequester;
    readonly resolved: ResolvedToken;
    readonly reporter: Reporter;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { connection, requester, resolved, reporter, signal } = options;
  const { backend, gatewayGroup } = connection;
  if (backend.value !== "api7ee" || gatewayGroup.origin.kind === "default") return path;
  if (hasField(path, "gateway_group_id")) return path;
  if (isAdminKey(requester.token)) {
    if (gatewayGroup.origin.kind === "flag") {
      reporter.warn("An admin key belongs to one gateway group; --gateway-group is not used.");
    }
    return path;
  }
  const id = await findGatewayGroup(requester, { connection, resolved, signal });
  return withFields(path, [["gateway_group_id", id]]);
}
