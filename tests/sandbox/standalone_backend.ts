/**
 * The Admin API of Apache APISIX in standalone mode: the whole configuration in one document.
 *
 * @module
 */

import { COLLECTIONS as APISIX_COLLECTIONS } from "./apisix_backend.ts";
import { type ApisixOptions, refuseClient, refuseKey, since } from "./admin_keys.ts";
import type { Backend } from "./backend.ts";
import {
  errorReply,
  nginxNotFound,
  objectBody,
  type Reply,
  type SandboxRequest,
} from "./exchange.ts";
import { configurationErrors, validateConfiguration } from "./validation.ts";

const COLLECTIONS = [...APISIX_COLLECTIONS, "plugins", "secrets"];

/**
 * Builds the Admin API of APISIX in standalone mode.
 *
 * @param options The admin keys, the version, what is turned on, and the clock.
 * @returns The backend.
 */
export function createStandaloneBackend(options: ApisixOptions): Backend {
  const { version } = options;
  let configuration: Readonly<Record<string, unknown>> | undefined;

  function metadata(): Record<string, string> {
    if (configuration === undefined) return {};
    return {
      "x-last-modified": String(configuration["X-Last-Modified"]),
      "x-digest": String(configuration["X-Digest"]),
    };
  }

  function update(request: SandboxRequest): Reply {
    const digest = request.headers["x-digest"];
    if (digest === undefined) return errorReply(400, "missing digest header");
    if (request.text === "") return errorReply(400, "invalid request body: empty request body");
    const body = objectBody(request);
    if (body === undefined) return errorReply(400, "invalid request body: no JSON object");
    if (configuration?.["X-Digest"] === digest) return { status: 204 };
    const [wrong] = configurationErrors(body);
    if (wrong !== undefined) return errorReply(400, wrong.error);

    const next: Record<string, unknown> = {};
    for (const collection of COLLECTIONS) {
      const versionKey = `${collection}_conf_version`;
      const before = Number(configuration?.[versionKey] ?? 0);
      const said = body[versionKey];
      if (said !== undefined && typeof said !== "number") {
        return errorReply(400, `${versionKey} must be a number`);
      }
      if (said !== undefined && said < before) {
        return errorReply(400, `${versionKey} must be greater than or equal to (${before})`);
      }
      const version = said ?? before + 1;
      next[versionKey] = version;
      // The same version means the same content, whatever the body says.
      const items = version === before ? configuration?.[collection] : body[collection];
      if (Array.isArray(items) && items.length > 0) next[collection] = items;
    }
    configuration = { ...next, "X-Last-Modified": options.seconds(), "X-Digest": digest };
    return { status: 202, headers: metadata() };
  }

  function show(): Reply {
    const empty = Object.fromEntries(COLLECTIONS.map((name) => [`${name}_conf_version`, 0]));
    return { status: 200, headers: metadata(), body: configuration ?? empty };
  }

  function answer(request: SandboxRequest): Reply {
    const { method } = request;
    // nginx merges slashes.
    const path = request.path.replace(/\/+/g, "/");
    const turnedAway = refuseClient(request, options);
    if (turnedAway !== undefined) return turnedAway;
    // The one route that checks no key, in the real one as well.
    if (method === "HEAD" && path === "/apisix/admin") return { status: 200 };
    const validating = method === "POST" && path === "/apisix/admin/configs/validate" &&
      since(version, "3.15.0");
    const methods = since(version, "3.14.0") ? ["GET", "PUT", "HEAD"] : ["GET", "PUT"];
    const known = path === "/apisix/admin/configs" && since(version, "3.13.0") &&
      methods.includes(method);
    if (!validating && !known) return nginxNotFound();
    const refused = refuseKey(request, options);
    if (refused !== undefined) return refused;
    if (validating) return validateConfiguration(request);
    if (method === "PUT") return update(request);
    return method === "HEAD" ? { status: 200, headers: metadata() } : show();
  }

  return {
    server: `APISIX/${options.version}`,
    answer,
    resources(collection) {
      const items = configuration?.[collection];
      return Array.isArray(items) ? items : [];
    },
  };
}
