import type { Cookie } from "undici";
import { crossesInPlain } from "../connection/server.ts";
import type { Server } from "../connection/server.ts";
import { MIN_SECRET_LENGTH, Secret } from "../secret.ts";

/** The characters that may be in a `Cookie` header. */
const SENDABLE = /^[\x20-\x7e]*$/;

interface Kept {
  readonly name: string;
  readonly value: string;
  readonly path: string;
  /** Milliseconds; `Infinity` for the session's end. */
  readonly ends: number;
}

/** What became of the cookies of one answer. */
export interface Taken {
  /** How many were kept. */
  readonly kept: number;
  /** How many were not, for they are for `https:` alone. */
  readonly insecure: number;
}

/** The cookies of one server; nothing of them is written to disk. */
export class CookieJar {
  readonly #server: Server;
  readonly #now: () => number;
  readonly #cookies = new Map<string, Kept>();
  readonly #seen = new Map<string, Secret>();

  /** Makes an empty jar. */
  constructor(server: Server, now: () => number = Date.now) {
    this.#server = server;
    this.#now = now;
  }

  /** Every value of 8 characters and more that was ever set, for masks. */
  get seen(): readonly Secret[] {
    return [...this.#seen.values()];
  }

  /** Takes the cookies of an answer, and drops those that it ends. */
  async take(lines: readonly string[], url: URL): Promise<Taken> {
    if (lines.length === 0) return { kept: 0, insecure: 0 };
    // undici's parser, without its `fetch`, which its index would load.
    const { default: parser } = await import("undici/lib/web/cookies/parse.js") as unknown as {
      default: { parseSetCookie(header: string): Cookie | null };
    };
    let kept = 0;
    let insecure = 0;
    for (const line of lines) {
      const cookie = parser.parseSetCookie(line);
      if (cookie === null) continue;
      if (cookie.value.length >= MIN_SECRET_LENGTH && !this.#seen.has(cookie.value)) {
        this.#seen.set(cookie.value, new Secret(cookie.value));
      }
      if (!this.#isForServer(cookie)) continue;
      // Browsers, too, take this machine's own `http:` for secure.
      if (cookie.secure === true && crossesInPlain(this.#server)) {
        insecure += 1;
        continue;
      }
      if (this.#keep(cookie, { line, url })) kept += 1;
    }
    return { kept, insecure };
  }

  /** The `Cookie` header for a request. */
  headerFor(url: URL): Secret | undefined {
    const now = this.#now();
    const cookies = [...this.#cookies.values()]
      .filter(({ path, ends }) => ends > now && matchesPath(url.pathname, path))
      // RFC 6265, 5.4: the longer path first.
      .sort((a, b) => b.path.length - a.path.length);
    return cookies.length === 0 ? undefined : new Secret(
      cookies.map(({ name, value }) => name === "" ? value : `${name}=${value}`).join("; "),
    );
  }

  /** Drops all cookies; their values stay among `CookieJar.seen`. */
  clear(): void {
    this.#cookies.clear();
  }

  #isForServer({ domain }: Cookie): boolean {
    if (domain === undefined || domain === "") return true;
    const host = this.#server.base.hostname;
    const isAddress = host.startsWith("[") || /^[\d.]+$/.test(host);
    return host === domain || (!isAddress && host.endsWith(`.${domain}`));
  }

  #keep(cookie: Cookie, { line, url }: { readonly line: string; readonly url: URL }): boolean {
    const { name, value } = cookie;
    if ((name === "" && value === "") || !SENDABLE.test(name + value)) return false;
    const path = cookie.path ?? defaultPath(url.pathname);
    const key = `${name};${cookie.domain ?? ""};${path}`;
    const ends = endOf(cookie, { line, now: this.#now() });
    if (ends <= this.#now()) {
      this.#cookies.delete(key);
      return false;
    }
    this.#cookies.set(key, { name, value, path, ends });
    return true;
  }
}

/** `Max-Age` goes before `Expires`. */
function endOf(
  { maxAge, expires }: Cookie,
  { line, now }: { readonly line: string; readonly now: number },
): number {
  // undici passes over a negative one, which ends the cookie by RFC 6265.
  if (/;\s*max-age\s*=\s*-\d+\s*(;|$)/i.test(line)) return 0;
  if (maxAge !== undefined) return maxAge <= 0 ? 0 : now + maxAge * 1000;
  const end = expires === undefined ? NaN : Number(expires);
  return Number.isNaN(end) ? Infinity : end;
}

/** RFC 6265, 5.1.4: the folder of what was asked. */
function defaultPath(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

/** RFC 6265, 5.1.4. */
function matchesPath(pathname: string, path: string): boolean {
  return pathname === path ||
    (pathname.startsWith(path) && (path.endsWith("/") || pathname[path.length] === "/"));
}
