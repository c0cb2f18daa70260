/**
 * The requests that ADC makes of each backend, in its order.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { createClient } from "./client.mjs";

const CONFIGS = "/apisix/admin/configs";

/** ADC's ids: SHA-1 of the name, a route's with its service's before it. */
export function idOf(name) {
  return createHash("sha1").update(name).digest("hex");
}

/** The backend that the options name; and which ADC asks it, the one that is written in Rust or the other. */
export function createBackend(options, log, { client = createClient, isRust = false } = {}) {
  const connect = (scope) => client(options, { log, scope });
  switch (options.backend) {
    case "api7ee":
      return api7ee(options, connect("API7"));
    case "apisix-standalone":
      return standalone(options, connect("APISIX"), { isRust });
    default:
      return apisix(options, connect("APISIX"), { isRust });
  }
}

function api7ee(options, request) {
  const { server: base, token, gatewayGroup } = options;
  const call = (method, path, more) => request(method, joined(base, path), { token, ...more });
  let version;
  let group;
  let schema;

  async function groupId() {
    if (token?.startsWith("a7adm-")) return undefined;
    const name = encodeURIComponent(gatewayGroup);
    const { data } = await call("GET", `/api/gateway_groups?search=${name}&name=${name}`);
    if (!data?.list?.length) throw Error(`Gateway group "${gatewayGroup}" does not exist`);
    return data.list[0].id;
  }
  // ADC asks all three at the same time, and each of them once.
  async function prepare() {
    version ??= call("GET", "/api/version");
    group ??= groupId();
    schema ??= call("GET", "/api/schema/core");
    const [, id] = await Promise.all([version, group, schema]);
    return id === undefined ? "" : `gateway_group_id=${id}`;
  }
  return {
    ping: () => call("GET", "/api/gateway_groups"),
    async dump() {
      const query = await prepare();
      const types = ["services", "consumers", "ssls", "global_rules", "plugin_metadata"];
      const answers = await Promise.all(
        types.map((type) => call("GET", `/apisix/admin/${type}?${query}`)),
      );
      return Object.fromEntries(
        types.map((type, index) => [type, answers[index].data.list ?? answers[index].data.value]),
      );
    },
    async sync({ service, route }) {
      const query = await prepare();
      await call("PUT", `/apisix/admin/services/${service.id}?${query}`, {
        data: { ...service, id: undefined, service_id: service.id, type: "http" },
      });
      await call("PUT", `/apisix/admin/routes/${route.id}?${query}`, {
        data: {
          name: route.name,
          route_id: route.id,
          service_id: service.id,
          paths: route.uris,
        },
      });
    },
    async validate({ service, route }) {
      schema ??= call("GET", "/api/schema/core");
      await schema;
      version ??= call("GET", "/api/version");
      group ??= groupId();
      const [, id] = await Promise.all([version, group]);
      await call("POST", `${CONFIGS}/validate?${id ? `gateway_group_id=${id}` : ""}`, {
        data: { services: [service], routes: [{ ...route, paths: route.uris }] },
      });
    },
  };
}

function apisix(options, request, { isRust }) {
  const { server: base, token } = options;
  const call = (method, path, more) => request(method, joined(base, path), { token, ...more });
  const types = [
    "services",
    "routes",
    "upstreams",
    "ssls",
    "consumers",
    "plugin_configs",
    "global_rules",
    "plugin_metadata",
    "stream_routes",
  ];
  async function put(path, data) {
    for (let left = 3;; left--) {
      try {
        return await call("PUT", `/apisix/admin/${path}`, { data });
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  let version;
  return {
    ping: () => call("GET", `/apisix/admin/routes${isRust ? "?page=1&page_size=10" : ""}`),
    async dump() {
      await (version ??= call("GET", "/apisix/admin/routes"));
      const answers = await Promise.all(
        types.map((type) =>
          call("GET", `/apisix/admin/${type}`, { accept: type === "stream_routes" })
        ),
      );
      return Object.fromEntries(types.map((type, index) => [
        type,
        (answers[index].data.list ?? []).map(({ value }) => value),
      ]));
    },
    async sync({ service, route }) {
      await (version ??= call("GET", "/apisix/admin/routes"));
      const { upstream, ...rest } = service;
      await put(`upstreams/${service.id}`, { ...upstream, name: service.name });
      await put(`services/${service.id}`, { ...rest, upstream_id: service.id });
      await put(`routes/${route.id}`, { ...route, service_id: service.id });
    },
    validate: ({ service, route }) =>
      call("POST", `${CONFIGS}/validate`, { data: { services: [service], routes: [route] } }),
  };
}

function standalone(options, request, { isRust }) {
  const servers = options.server.split(",");
  const tokens = options.token.split(",");
  const pairs = servers.map((server, index) => [
    server,
    tokens.length === servers.length ? tokens[index] : tokens[0],
  ]);
  const [[first, firstToken]] = pairs;
  let current;
  return {
    // The one ADC gives no server here, and axios cannot go anywhere.
    ping: () => request("HEAD", isRust ? `${first}/apisix/admin` : "/apisix/admin"),
    async dump() {
      // Without a token, which this path does not ask for; Rust's client always sends its own.
      const { headers } = await request("HEAD", `${first}/apisix/admin`);
      const [, minor = 999] = /APISIX\/\d+\.(\d+)/.exec(headers.server ?? "") ?? [];
      const method = Number(minor) > 13 ? "HEAD" : "GET";
      const asked = await Promise.allSettled(
        pairs.map(([server, token]) => request(method, server + CONFIGS, { token })),
      );
      // For Rust's it is enough that one answers.
      const failed = asked.filter(({ status }) => status === "rejected");
      if (failed.length > (isRust ? pairs.length - 1 : 0)) throw failed[0].reason;
      const times = asked.map(({ value }) =>
        value ? Number(value.headers["x-last-modified"] ?? 0) : -1
      );
      const [server, token] = pairs[times.indexOf(Math.max(...times))];
      ({ data: current } = await request("GET", server + CONFIGS, { token }));
      return current;
    },
    async sync({ service, route }) {
      const { "X-Last-Modified": _time, "X-Digest": _digest, ...before } = current;
      const now = Date.now();
      const others = (type, id) => (before[type] ?? []).filter((item) => item.id !== id);
      const { upstream, ...rest } = service;
      const written = { modifiedIndex: now };
      const next = {
        ...before,
        upstreams: [...others("upstreams", service.id), {
          ...upstream,
          id: service.id,
          name: service.name,
          ...written,
        }],
        services: [...others("services", service.id), {
          ...rest,
          upstream_id: service.id,
          ...written,
        }],
        routes: [...others("routes", route.id), {
          ...route,
          service_id: service.id,
          ...written,
        }],
        upstreams_conf_version: now,
        services_conf_version: now,
        routes_conf_version: now,
      };
      const digest = createHash("sha1").update(JSON.stringify(next)).digest("hex");
      await Promise.all(
        pairs.map(([server, token]) =>
          request("PUT", server + CONFIGS, { token, data: next, headers: { "x-digest": digest } })
        ),
      );
    },
    validate: ({ service, route }) =>
      request("POST", `${first}${CONFIGS}/validate`, {
        token: firstToken,
        data: { services: [service], routes: [route] },
      }),
  };
}

/** As axios joins its `baseURL` with a path. */
function joined(base, path) {
  return base.replace(/\/?\/$/, "") + path;
}
