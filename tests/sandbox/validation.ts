/**
 * `POST /apisix/admin/configs/validate`, for all three backends.
 *
 * @module
 */

import { errorReply, isObject, objectBody, type Reply, type SandboxRequest } from "./exchange.ts";

interface ValidationError {
  readonly resource_type: string;
  readonly resource_id: string;
  readonly index: number;
  readonly error: string;
}

/** The fields of which a resource needs at least one. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  routes: ["uri", "uris", "paths"],
  consumers: ["username", "id"],
  ssls: ["snis", "sni", "type"],
  global_rules: ["plugins"],
};

/** What is wrong with a configuration: missing fields, plugins of no shape, ids said twice. */
export function configurationErrors(
  configuration: Readonly<Record<string, unknown>>,
): ValidationError[] {
  return Object.entries(configuration).flatMap(([type, items]) => {
    if (!Array.isArray(items)) return [];
    const seen = new Set<string>();
    return items.flatMap((item: unknown, index) => {
      const id = isObject(item) ? String(item["id"] ?? item["username"] ?? "") : "";
      const errors = resourceErrors(item, type);
      if (id !== "" && seen.has(id)) errors.push(`found duplicate id ${id} in ${type}`);
      seen.add(id);
      return errors.map((error) => ({ resource_type: type, resource_id: id, index, error }));
    });
  });
}

/** What is wrong with one resource. */
export function resourceErrors(item: unknown, type: string): string[] {
  if (!isObject(item)) return ["invalid configuration: expected an object"];
  const errors: string[] = [];
  const needed = NEEDED[type];
  if (needed !== undefined && !needed.some((field) => item[field] !== undefined)) {
    errors.push(`invalid configuration: property "${needed[0]}" is required`);
  }
  if (item["plugins"] !== undefined && !isObject(item["plugins"])) {
    errors.push('invalid configuration: property "plugins" validation failed: wrong type');
  }
  return errors;
}

/** Answers a request to validate a whole configuration without applying it. */
export function validateConfiguration(request: SandboxRequest): Reply {
  if (request.text === "") return errorReply(400, "invalid request body: empty request body");
  const configuration = objectBody(request);
  if (configuration === undefined) return errorReply(400, "invalid request body: no JSON object");
  const errors = configurationErrors(configuration);
  return errors.length === 0
    ? { status: 200, body: {} }
    : { status: 400, body: { error_msg: "Configuration validation failed", errors } };
}
