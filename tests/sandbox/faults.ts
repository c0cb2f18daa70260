/**
 * What can go wrong on the way, injected on purpose.
 *
 * @module
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Reply, SandboxRequest } from "./exchange.ts";

/** Which requests a fault meets: the start of a path, a pattern for the path, or both and a method. */
export type FaultMatch = string | RegExp | {
  /** Upper case. @default any */
  readonly method?: string;
  /** @default any */
  readonly path?: string | RegExp;
};

/** What happens instead of the reply, or to it. */
export type Fault =
  /** This status, with an empty body unless one is given; a string is sent as it is. */
  | {
    readonly kind: "status";
    readonly status: number;
    readonly body?: unknown;
    readonly headers?: Readonly<Record<string, string>>;
    /** Whether the server does its work all the same. @default false */
    readonly done?: boolean;
  }
  /** 200 with a page of HTML, as a Dashboard or a captive portal answers. */
  | { readonly kind: "html"; readonly body?: string }
  /** The right reply, late by so many milliseconds, or never. */
  | { readonly kind: "slow-headers"; readonly ms: number | "never" }
  /** The headers and the first byte at once, the rest late, or never. */
  | { readonly kind: "slow-body"; readonly ms: number | "never" }
  /**
   * The connection is cut before the first byte, within the headers, or within the body, and nothing
   * was done; or the work is `done` and no byte of the answer arrives.
   */
  | { readonly kind: "reset"; readonly when: "before" | "during" | "after-headers" | "done" }
  /** @default status 302 */
  | { readonly kind: "redirect"; readonly location: string; readonly status?: number }
  /** 200, `application/json`, and half a document. @default done false */
  | { readonly kind: "malformed-json"; readonly done?: boolean }
  /** 200 and JSON that nobody expects. @default body `{"hello": "world"}` */
  | { readonly kind: "wrong-shape"; readonly body?: unknown };

interface Armed {
  readonly match: FaultMatch;
  readonly fault: Fault;
  left: number;
}

/** The faults that wait for their requests. */
export class Faults {
  readonly #armed: Armed[] = [];
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  /** Arms a fault for so many requests; gives a function that disarms it. */
  add(match: FaultMatch, fault: Fault, times: number): () => void {
    const armed: Armed = { match, fault, left: times };
    this.#armed.push(armed);
    return () => {
      armed.left = 0;
    };
  }

  /** The fault for a request, if one waits for it. */
  take(request: SandboxRequest): Fault | undefined {
    const armed = this.#armed.find((each) => each.left > 0 && matches(each.match, request));
    if (armed === undefined) return undefined;
    armed.left--;
    return armed.fault;
  }

  /** Disarms everything. */
  clear(): void {
    this.#armed.length = 0;
  }

  /** Runs something later, unless the sandbox is closed before. */
  later(action: () => void, ms: number | "never"): void {
    if (ms === "never") return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, ms);
    this.#timers.add(timer);
  }

  /** Forgets what was to happen later. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}

/** The reply that a fault puts in place of the right one, or `undefined` when it lets it through. */
export function faultyReply(fault: Fault): Reply | undefined {
  const json = { "content-type": "application/json" };
  switch (fault.kind) {
    case "status":
      return { status: fault.status, headers: fault.headers ?? {}, body: fault.body };
    case "html":
      return {
        status: 200,
        headers: { "content-type": "text/html; charset=utf-8" },
        body: fault.body ?? "<!doctype html><title>Dashboard</title><div id=root></div>",
      };
    case "redirect":
      return { status: fault.status ?? 302, headers: { location: fault.location } };
    case "malformed-json":
      return { status: 200, headers: json, body: '{"list": [{"id": "def' };
    case "wrong-shape":
      return { status: 200, body: fault.body ?? { hello: "world" } };
    default:
      return undefined;
  }
}

/** Whether the server does what it was asked, though the answer goes wrong. */
export function doesTheWork(fault: Fault): boolean {
  return fault.kind === "reset" ? fault.when === "done" : "done" in fault && fault.done === true;
}

/** Cuts the connection where the fault says. */
export function reset(
  fault: Extract<Fault, { kind: "reset" }>,
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse },
): void {
  const { request, response } = exchange;
  const { socket } = request;
  switch (fault.when) {
    case "before":
    case "done":
      socket.destroy();
      break;
    case "during":
      socket.write("HTTP/1.1 200 OK\r\nContent-Ty", () => socket.destroy());
      break;
    case "after-headers":
      response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
      response.write('{"list": [', () => socket.destroy());
  }
}

/** Whether a request is one of those that are meant. */
export function matches(match: FaultMatch, request: SandboxRequest): boolean {
  if (typeof match === "string") return request.path.startsWith(match);
  if (match instanceof RegExp) return match.test(request.path);
  return (match.method === undefined || match.method === request.method) &&
    (match.path === undefined || matches(match.path, request));
}
