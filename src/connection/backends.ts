/**
 * The kinds of gateway that ADC manages.
 * @category Connection
 */
export type Backend = "apisix" | "api7ee" | "apisix-standalone";

export const DEFAULT_BACKEND: Backend = "apisix";

interface BackendTraits {
  readonly title: string;
  readonly hasUsers: boolean;
  readonly hasGatewayGroups: boolean;
  readonly hasServerList: boolean;
  /** How its Admin API is served out of the box. */
  readonly usualScheme: "http" | "https";
  /**
   * Whether `adc ping` fails whatever the server: it asks for `/apisix/admin` without a server there
   * (backend-apisix-standalone/src/index.ts).
   */
  readonly failsOwnPing: boolean;
  /** What it refuses without a token, in words of its own. */
  readonly guardedPath: string;
}

/**
 * The backends, in the order in which doctor takes an answer for theirs: API7 Enterprise answers below
 * `/apisix/admin` as well, and Apache APISIX that keeps its configuration in etcd refuses every path below
 * it, before it looks whether there is such a thing.
 */
export const BACKENDS: Readonly<Record<Backend, BackendTraits>> = {
  "api7ee": {
    title: "API7 Enterprise",
    hasUsers: true,
    hasGatewayGroups: true,
    hasServerList: false,
    usualScheme: "https",
    failsOwnPing: false,
    guardedPath: "/api/gateway_groups",
  },
  "apisix": {
    title: "Apache APISIX",
    hasUsers: false,
    hasGatewayGroups: false,
    hasServerList: false,
    usualScheme: "http",
    failsOwnPing: false,
    guardedPath: "/apisix/admin/routes",
  },
  "apisix-standalone": {
    title: "Apache APISIX in standalone mode",
    hasUsers: false,
    hasGatewayGroups: false,
    hasServerList: true,
    usualScheme: "http",
    failsOwnPing: true,
    guardedPath: "/apisix/admin/configs",
  },
};

export const BACKEND_NAMES = Object.keys(BACKENDS) as readonly Backend[];

export function isBackend(word: unknown): word is Backend {
  return typeof word === "string" && Object.hasOwn(BACKENDS, word);
}
