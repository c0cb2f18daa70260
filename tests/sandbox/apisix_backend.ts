/**
 * The Admin API of Apache APISIX with etcd behind it.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { type ApisixOptions, refuseClient, refuseKey, since } from "./admin_keys.ts";
import type { Backend } from "./backend.ts";
import {
  errorReply,
  isObject,
  nginxNotFound,
  objectBody,
  type Reply,
  type SandboxRequest,
} from "./exchange.ts";
import { type Entry, Resources } from "./resources.ts";
import { resourceErrors, validateConfiguration } from "./validation.ts";

export const COLLECTIONS = [
  "routes",
  "services",
  "upstreams",
  "consumers",
  "ssls",
  "global_rules",
  "plugin_metadata",
  "plugin_configs",
  "consumer_groups",
  "stream_routes",
  "protos",
];
const METHODS = ["GET", "PUT", "POST", "DELETE", "PATCH"];

/** Which field refers to which collection. */
const REFERENCES: Readonly<Record<string, readonly [string, string]>> = {
  upstream_id: ["upstreams", "upstream"],
  service_id: ["services", "service"],
  plugin_config_id: ["plugin_configs", "plugin config"],
};

/** Where in the store a request points. */
interface Target {
  readonly collection: string;
  readonly type: string;
  readonly id: string | undefined;
}

/**
 * Builds the Admin API of APISIX.
 *
 * @param options The admin keys, the version, what is turned on, and the clock.
 * @returns The backend.
 */
export function createApisixBackend(options: ApisixOptions): Backend {
  const { version, adminApiVersion } = options;
  const resources = new Resources();

  function answer(request: SandboxRequest): Reply {
    const { method } = request;
    // nginx merges slashes.
    const path = request.path.replace(/\/+/g, "/");
    const turnedAway = refuseClient(request, options);
    if (turnedAway !== undefined) return turnedAway;
    if (method === "HEAD" && path === "/apisix/admin") return { status: 200 };
    if (!path.startsWith("/apisix/admin/") || !METHODS.includes(method)) return nginxNotFound();
    const refused = refuseKey(request, options);
    if (refused !== undefined) return refused;
    if (path === "/apisix/admin/configs/validate" && since(version, "3.17.0")) {
      if (method === "POST") return validateConfiguration(request);
    }
    const target = targetOf(path);
    if (target === undefined) {
      const type = path.split("/")[3];
      return errorReply(
        404,
        since(version, "3.4.0") ? `Unsupported resource type: ${type}` : "not found",
      );
    }
    if (target.type === "stream_routes" && !options.streamProxy) {
      return errorReply(400, "stream mode is disabled, can not add stream routes");
    }
    if (!options.etcd) return errorReply(503, "has no healthy etcd endpoint available");
    const { body, ...reply } = operate(request, target);
    const headers = { "x-api-version": adminApiVersion };
    return { ...reply, headers, body: adminApiVersion === "v3" ? body : asVersion2(body) };
  }

  function operate(request: SandboxRequest, target: Target): Reply {
    const { collection, id } = target;
    switch (request.method) {
      case "GET":
        return id === undefined ? list(target) : show(resources.get(collection, id), target);
      case "PUT":
      case "POST":
        return write(request, target);
      case "DELETE":
        return remove(target);
      default:
        return errorReply(404, "not found");
    }
  }

  function list({ collection, type }: Target): Reply {
    const entries = resources.list(collection);
    // Credentials have no folder of their own in etcd until there is one.
    if (type === "credentials" && entries.length === 0) return keyNotFound();
    const items = entries.map((entry) => describe(entry, { collection, type }));
    return { status: 200, body: { list: items, total: items.length } };
  }

  function write(request: SandboxRequest, target: Target): Reply {
    const { collection, type } = target;
    const body = objectBody(request);
    if (body === undefined) return errorReply(400, "missing configurations");
    const id = target.id ??
      String(body["username"] ?? body["id"] ?? randomUUID().replaceAll("-", ""));
    const wrong = resourceErrors(body, type)[0] ?? missingReference(body);
    if (wrong !== undefined) return errorReply(400, wrong);
    const owner = collection.split("/")[1];
    if (type === "credentials" && resources.get("consumers", owner ?? "") === undefined) {
      return errorReply(404, "consumer not found");
    }
    const now = options.seconds();
    const before = resources.get(collection, id)?.value["create_time"] ?? now;
    const value = {
      ...body,
      ...(type === "consumers" ? {} : { id }),
      ...(type === "plugin_metadata" ? {} : { create_time: before, update_time: now }),
    };
    const { entry, created } = resources.put(collection, { id, value });
    const { key, value: written } = describe(entry, target);
    return { status: created ? 201 : 200, body: { key, value: written } };
  }

  function remove({ collection, type, id }: Target): Reply {
    if (id === undefined) return errorReply(400, `missing ${type} id`);
    const user = inUse(type, id);
    if (user !== undefined) {
      const kind = type.slice(0, -1);
      return errorReply(400, `can not delete this ${kind} directly, ${user} is still using it now`);
    }
    if (!resources.delete(collection, id)) return keyNotFound();
    return { status: 200, body: { key: `/apisix/${collection}/${id}`, deleted: "1" } };
  }

  function missingReference(body: Readonly<Record<string, unknown>>): string | undefined {
    for (const [field, [collection, kind]] of Object.entries(REFERENCES)) {
      const id = body[field];
      if (id === undefined || resources.get(collection, String(id)) !== undefined) continue;
      return `failed to fetch ${kind} info by ${kind} id [${id}], response code: 404`;
    }
    return undefined;
  }

  function inUse(type: string, id: string): string | undefined {
    const field = Object.entries(REFERENCES).find(([, [collection]]) => collection === type)?.[0];
    if (field === undefined) return undefined;
    for (const collection of ["routes", "stream_routes", "services"]) {
      const user = resources.list(collection).find(({ value }) => String(value[field]) === id);
      if (user !== undefined) return `${collection.slice(0, -1)} [${user.id}]`;
    }
    return undefined;
  }

  return {
    server: `APISIX/${options.version}`,
    answer,
    resources: (collection) => resources.list(collection).map(({ value }) => value),
  };
}

function targetOf(path: string): Target | undefined {
  const [type = "", id, sub, subId] = path.split("/").slice(3).map(decodeURIComponent);
  if (type === "consumers" && sub === "credentials") {
    return { collection: `consumers/${id}/credentials`, type: sub, id: subId };
  }
  return COLLECTIONS.includes(type) ? { collection: type, type, id } : undefined;
}

function show(entry: Entry | undefined, target: Target): Reply {
  if (entry === undefined) return keyNotFound();
  return { status: 200, body: describe(entry, target) };
}

function describe(
  { id, value, createdIndex, modifiedIndex }: Entry,
  { collection, type }: Pick<Target, "collection" | "type">,
): Record<string, unknown> {
  // Private keys go in and never come out.
  const { key: _key, keys: _keys, ...open } = value;
  return {
    key: `/apisix/${collection}/${id}`,
    value: type === "ssls" ? open : value,
    createdIndex,
    modifiedIndex,
  };
}

/** Before version 3 a list was a folder of etcd's, and each entry a node. */
function asVersion2(body: unknown): unknown {
  if (!isObject(body) || "deleted" in body || !("list" in body || "key" in body)) return body;
  const { list } = body;
  return Array.isArray(list)
    ? { count: list.length, action: "get", node: { dir: true, nodes: list.length > 0 ? list : {} } }
    : { action: "get", node: body };
}

function keyNotFound(): Reply {
  return { status: 404, body: { message: "Key not found" } };
}
