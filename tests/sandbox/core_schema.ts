/**
 * A small core schema, as `GET /api/schema/core` gives it: ADC reads its defaults and leaves them
 * out of a diff, so the sandbox has to fill them in as the real server does.
 *
 * @module
 */

import { isObject } from "./exchange.ts";

/** The part of JSON Schema that is needed here. */
export interface CoreSchema {
  readonly type: "object" | "array" | "string" | "integer" | "boolean";
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, CoreSchema>>;
  readonly items?: CoreSchema;
}

const NAMED: Readonly<Record<string, CoreSchema>> = {
  name: { type: "string" },
  desc: { type: "string" },
};

const UPSTREAM: CoreSchema = {
  type: "object",
  properties: {
    ...NAMED,
    scheme: { type: "string", default: "http" },
    type: { type: "string", default: "roundrobin" },
    hash_on: { type: "string", default: "vars" },
    pass_host: { type: "string", default: "pass" },
    nodes: {
      type: "array",
      items: {
        type: "object",
        properties: {
          host: { type: "string" },
          port: { type: "integer" },
          weight: { type: "integer" },
          priority: { type: "integer", default: 0 },
        },
      },
    },
  },
};

/** The schema of every kind of resource. */
export const CORE_SCHEMA: Readonly<Record<string, CoreSchema>> = {
  service: {
    type: "object",
    properties: {
      ...NAMED,
      strip_path_prefix: { type: "boolean", default: true },
      upstream: UPSTREAM,
    },
  },
  upstream: UPSTREAM,
  route: {
    type: "object",
    properties: {
      ...NAMED,
      enable_websocket: { type: "boolean", default: false },
      priority: { type: "integer", default: 0 },
    },
  },
  stream_route: { type: "object", properties: NAMED },
  consumer: { type: "object", properties: { username: { type: "string" } } },
  ssl: { type: "object", properties: { type: { type: "string", default: "server" } } },
};

/** A value with the schema's defaults where it says nothing itself. */
export function withDefaults(value: unknown, schema: CoreSchema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(item, schema?.items));
  if (!isObject(value)) return value;
  const filled = { ...value };
  for (const [name, property] of Object.entries(schema?.properties ?? {})) {
    if (filled[name] !== undefined) filled[name] = withDefaults(filled[name], property);
    else if (property.default !== undefined) filled[name] = property.default;
  }
  return filled;
}
