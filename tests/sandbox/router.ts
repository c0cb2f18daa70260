/**
 * A table of routes.
 *
 * @module
 */

import type { Handler, Params } from "./exchange.ts";

interface Route {
  readonly method: string;
  readonly segments: readonly string[];
  readonly handler: Handler;
}

/** The route that a request meets. */
export interface Match {
  readonly handler: Handler;
  readonly params: Params;
}

/** Routes by method and pattern; `:name` in a pattern stands for one segment of the path. */
export class Router {
  readonly #routes: Route[] = [];

  /** Adds a route, `"GET /api/tokens/:id"`. Earlier routes win. */
  on(pattern: string, handler: Handler): this {
    const [method = "", path = ""] = pattern.split(" ");
    this.#routes.push({ method, segments: path.split("/"), handler });
    return this;
  }

  /** The first route for a method and a path. */
  find(method: string, path: string): Match | undefined {
    const parts = path.split("/");
    for (const route of this.#routes) {
      if (route.method !== method || route.segments.length !== parts.length) continue;
      const params: Record<string, string> = {};
      const met = route.segments.every((segment, index) => {
        const part = parts[index] ?? "";
        if (!segment.startsWith(":")) return segment === part;
        params[segment.slice(1)] = decodeSegment(part);
        return part !== "";
      });
      if (met) return { handler: route.handler, params };
    }
    return undefined;
  }
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
