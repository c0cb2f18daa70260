/**
 * `/apisix/admin/*` of API7 Enterprise: resources of one gateway group, in API7's shape.
 *
 * @module
 */

import { randomUUID } from "node:crypto";
import { CORE_SCHEMA, withDefaults } from "./core_schema.ts";
import {
  errorReply,
  type Handler,
  isObject,
  listReply,
  objectBody,
  type Reply,
  type SandboxRequest,
  valueReply,
} from "./exchange.ts";
import type { Resources } from "./resources.ts";
import type { Router } from "./router.ts";
import { resourceErrors, validateConfiguration } from "./validation.ts";

/** The gateway group that a request is about, or why it may not be. */
export type GroupOf = (request: SandboxRequest) => string | Reply;

/** Every collection, with the kind in the core schema. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  "services": "service",
  "services/:parent/upstreams": "upstream",
  "routes": "route",
  "stream_routes": "stream_route",
  "consumers": "consumer",
  "consumers/:parent/credentials": "credential",
  "ssls": "ssl",
  "global_rules": "global_rule",
};

/**
 * Adds the resources of gateway groups to a router.
 *
 * @param router Where to.
 * @param options The resources, and how to tell the gateway group.
 */
export function addGatewayRoutes(
  router: Router,
  options: { readonly resources: Resources; readonly groupOf: GroupOf },
): void {
  const { resources, groupOf } = options;

  function inGroup(
    run: (group: string, ...rest: Parameters<Handler>) => Reply,
  ): Handler {
    return (request, params) => {
      const group = groupOf(request);
      return typeof group === "string" ? run(group, request, params) : group;
    };
  }

  router.on(
    "POST /apisix/admin/configs/validate",
    inGroup((_group, request) => validateConfiguration(request)),
  );
  addPluginMetadata(router, { resources, inGroup });

  for (const [pattern, kind] of Object.entries(COLLECTIONS)) {
    const path = `/apisix/admin/${pattern}`;
    const type = pattern.split("/").at(-1) ?? pattern;

    const write = inGroup((group, request, params) => {
      const body = objectBody(request);
      if (body === undefined) return errorReply(400, "invalid request body");
      const missing = missingParent(body, { resources, group, params });
      const wrong = missing ?? resourceErrors(body, type)[0];
      if (wrong !== undefined) return errorReply(400, wrong);
      const id = params["id"] ?? randomUUID();
      const value = withDefaults({ ...body, id }, CORE_SCHEMA[kind]);
      if (!isObject(value)) return errorReply(400, "invalid request body");
      resources.put(within(group, pattern, params), { id, value });
      return valueReply(value);
    });
    router
      .on(
        `GET ${path}`,
        inGroup((group, request, params) => {
          const found = resources.list(within(group, pattern, params)).map(({ value }) => value);
          return listReply(found.filter((value) => wanted(value, request)), request);
        }),
      )
      .on(
        `GET ${path}/:id`,
        inGroup((group, _request, params) => {
          const entry = resources.get(within(group, pattern, params), params["id"] ?? "");
          return entry === undefined ? notFound(kind, params["id"]) : valueReply(entry.value);
        }),
      )
      .on(`POST ${path}`, write)
      .on(`PUT ${path}/:id`, write)
      .on(
        `DELETE ${path}/:id`,
        inGroup((group, _request, params) => {
          const { id = "" } = params;
          if (!resources.delete(within(group, pattern, params), id)) return notFound(kind, id);
          if (kind === "service") deleteRoutesOf(resources, { group, service: id });
          return valueReply({});
        }),
      );
  }
}

/** The collection's name in the store. */
function within(group: string, pattern: string, params: Readonly<Record<string, string>>): string {
  return `${group}/${pattern.replace(":parent", params["parent"] ?? "")}`;
}

function addPluginMetadata(
  router: Router,
  options: {
    readonly resources: Resources;
    readonly inGroup: (run: (group: string, ...rest: Parameters<Handler>) => Reply) => Handler;
  },
): void {
  const { resources, inGroup } = options;
  const path = "/apisix/admin/plugin_metadata";
  router
    .on(
      `GET ${path}`,
      inGroup((group) => {
        const entries = resources.list(`${group}/plugin_metadata`);
        return valueReply(Object.fromEntries(entries.map(({ id, value }) => [id, value])));
      }),
    )
    .on(
      `PUT ${path}/:id`,
      inGroup((group, request, { id = "" }) => {
        const value = objectBody(request);
        if (value === undefined) return errorReply(400, "invalid request body");
        resources.put(`${group}/plugin_metadata`, { id, value });
        return valueReply(value);
      }),
    )
    .on(
      `DELETE ${path}/:id`,
      inGroup((group, _request, { id = "" }) =>
        resources.delete(`${group}/plugin_metadata`, id)
          ? valueReply({})
          : notFound("plugin_metadata", id)
      ),
    );
}

function missingParent(
  body: Readonly<Record<string, unknown>>,
  options: {
    readonly resources: Resources;
    readonly group: string;
    readonly params: Readonly<Record<string, string>>;
  },
): string | undefined {
  const { resources, group, params } = options;
  const service = body["service_id"];
  const isService = service === params["id"];
  if (typeof service === "string" && !isService) {
    if (resources.get(`${group}/services`, service) === undefined) {
      return `service ${service} not found`;
    }
  }
  const { parent } = params;
  if (parent === undefined) return undefined;
  const known = ["services", "consumers"].some((type) => resources.get(`${group}/${type}`, parent));
  return known ? undefined : `${parent} not found`;
}

/** The filters of a list: `service_id=…` and `labels[key]=value`. */
function wanted(value: Readonly<Record<string, unknown>>, request: SandboxRequest): boolean {
  const { service_id } = request.query;
  if (service_id !== undefined && value["service_id"] !== service_id) return false;
  const labels = isObject(value["labels"]) ? value["labels"] : {};
  return Object.entries(request.query).every(([name, wish]) => {
    const key = /^labels\[(.+)\]$/.exec(name)?.[1];
    return key === undefined || labels[key] === wish;
  });
}

function deleteRoutesOf(
  resources: Resources,
  options: { readonly group: string; readonly service: string },
): void {
  for (const type of ["routes", "stream_routes"]) {
    const collection = `${options.group}/${type}`;
    for (const { id, value } of resources.list(collection)) {
      if (value["service_id"] === options.service) resources.delete(collection, id);
    }
  }
}

function notFound(kind: string, id: string | undefined): Reply {
  return errorReply(404, `${kind} ${id} not found`);
}
