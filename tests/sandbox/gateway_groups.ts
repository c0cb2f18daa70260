/**
 * Gateway groups of API7 Enterprise.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import {
  errorReply,
  listReply,
  objectBody,
  type Reply,
  type SandboxRequest,
  valueReply,
} from "./exchange.ts";
import type { Router } from "./router.ts";

/** A gateway group, as the Admin API shows it. */
export interface GatewayGroup {
  readonly id: string;
  readonly name: string;
  readonly desc: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly created_at: number;
  readonly updated_at: number;
}

/** The groups there are; `default` from the beginning. */
export class GatewayGroups {
  readonly all: GatewayGroup[] = [];
  /** Whether `name=` narrows the list. */
  readonly byName: boolean;
  readonly #seconds: () => number;

  /** @param seconds The clock, in Unix seconds. */
  constructor(seconds: () => number, { byName }: { readonly byName: boolean }) {
    this.#seconds = seconds;
    this.byName = byName;
    this.add("default", "default");
  }

  /** Adds a group. */
  add(name: string, id: string = randomUUID()): GatewayGroup {
    const now = this.#seconds();
    const group = { id, name, desc: "", labels: {}, created_at: now, updated_at: now };
    this.all.push(group);
    return group;
  }
}

/** Adds `/api/gateway_groups` to a router, behind a guard. */
export function addGatewayGroupRoutes(
  router: Router,
  options: {
    readonly groups: GatewayGroups;
    readonly guard: (request: SandboxRequest) => Reply | undefined;
  },
): void {
  const { groups, guard } = options;
  router
    .on("GET /api/gateway_groups", (request) => {
      const refused = guard(request);
      if (refused !== undefined) return refused;
      const { search = "", name, direction = "desc" } = request.query;
      const found = groups.all.filter((group) =>
        group.name.includes(search) && (name === undefined || !groups.byName || group.name === name)
      );
      return listReply(direction === "asc" ? found : found.reverse(), request);
    })
    .on("POST /api/gateway_groups", (request) => {
      const refused = guard(request);
      if (refused !== undefined) return refused;
      const name = objectBody(request)?.["name"];
      if (typeof name !== "string" || name === "") return errorReply(400, "name is required");
      if (groups.all.some((group) => group.name === name)) {
        return errorReply(400, `gateway group name "${name}" already exists`);
      }
      return valueReply(groups.add(name));
    });
}
