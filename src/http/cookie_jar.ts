import { crossesInPlain, type Server } from "../connection/server.ts";
import { MIN_SECRET_LENGTH, Secret } from "../secret.ts";

export interface TakenCookies {
  readonly kept: number;
  /** How many were not kept, for they are for `https:` alone. */
  readonly insecure: number;
}

/** The cookies of one server, which go to it alone; nothing of them is written to disk. */
export class CookieJar {
  readonly #server: Server;
  readonly #now: () => number;
  readonly #cookies = new Map<string, { pair: string; path: string; ends: number }>();
  readonly #seen = new Map<string, Secret>();

  constructor(server: Server, now: () => number = Date.now) {
    this.#server = server;
    this.#now = now;
  }

  /** Every value that is long enough to be a secret, for masks; also what was dropped. */
  get seen(): readonly Secret[] {
    return [...this.#seen.values()];
  }

  take(lines: readonly string[], url: URL): TakenCookies {
    let kept = 0;
    let insecure = 0;
    for (const line of lines) {
      const [[name, value] = ["", ""], ...rest] = line.split(";").map(splitAtEquals);
      const attributes = new Map(rest.map(([key, text]) => [(key || text).toLowerCase(), text]));
      if (value.length >= MIN_SECRET_LENGTH && !this.#seen.has(value)) {
        this.#seen.set(value, new Secret(value));
      }
      if (!/^[\x20-\x7e]+$/.test(name + value)) continue;
      // Browsers, too, take this machine's own `http:` for secure.
      if (attributes.has("secure") && crossesInPlain(this.#server)) {
        insecure += 1;
        continue;
      }
      const given = attributes.get("path");
      const path = given?.startsWith("/") ? given : folderOf(url.pathname);
      const ends = endOf(attributes, this.#now());
      if (ends > this.#now()) {
        const pair = name === "" ? value : `${name}=${value}`;
        this.#cookies.set(`${name};${path}`, { pair, path, ends });
        kept += 1;
      } else this.#cookies.delete(`${name};${path}`);
    }
    return { kept, insecure };
  }

  /** The `Cookie` header for a request; the longer path first (RFC 6265, 5.4). */
  headerFor({ pathname }: URL): Secret | undefined {
    const pairs = [...this.#cookies.values()]
      .filter(({ path, ends }) => ends > this.#now() && isBelow(pathname, path))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ pair }) => pair);
    return pairs.length === 0 ? undefined : new Secret(pairs.join("; "));
  }

  clear(): void {
    this.#cookies.clear();
  }
}

function splitAtEquals(text: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  return [text.slice(0, Math.max(at, 0)).trim(), text.slice(at + 1).trim()];
}

/** `Max-Age` goes before `Expires`; without either a cookie lasts as long as the session. */
function endOf(attributes: ReadonlyMap<string, string>, now: number): number {
  const age = attributes.get("max-age") ?? "";
  if (/^-?\d+$/.test(age)) return now + Number(age) * 1000;
  const end = Date.parse(attributes.get("expires") ?? "");
  return Number.isNaN(end) ? Infinity : end;
}

/** RFC 6265, 5.1.4: without a path a cookie is for the folder of what was asked. */
function folderOf(pathname: string): string {
  return pathname.slice(0, pathname.lastIndexOf("/")) || "/";
}

function isBelow(pathname: string, path: string): boolean {
  return pathname === path || pathname.startsWith(path.replace(/\/?$/, "/"));
}
