/**
 * One request and one reply, as the sandbox's routes see them.
 *
 * @module
 */

/** A request that reached the sandbox. */
export interface SandboxRequest {
  /** Upper case. */
  readonly method: string;
  /** The path, without the query. */
  readonly path: string;
  /** The query; of a repeated name the last value. */
  readonly query: Readonly<Record<string, string>>;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** What `X-API-KEY` said. */
  readonly apiKey: string | undefined;
  /** The body as text; empty when there was none. */
  readonly text: string;
  /** The body read as JSON; `undefined` when it is none. */
  readonly body: unknown;
  /** The common name of the client's certificate, if one was asked for. */
  readonly clientCertificate: string | undefined;
  /** The status that was answered; 0 until then, and when the connection was cut. */
  status: number;
}

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON, unless it is a string. */
  readonly body?: unknown;
}

/** Named parts of a path, decoded. */
export type Params = Readonly<Record<string, string>>;

/** Answers one kind of request. */
export type Handler = (request: SandboxRequest, params: Params) => Reply;

/** `{"value": …}`, the way API7 wraps one thing. */
export function valueReply(value: unknown, status = 200): Reply {
  return { status, body: { value } };
}

/** `{"list": […], "total": n}`, the way API7 wraps many; paged by `page` and `page_size`. */
export function listReply(items: readonly unknown[], request: SandboxRequest): Reply {
  const page = Number(request.query["page"] ?? 1);
  const size = Number(request.query["page_size"] ?? (items.length || 1));
  if (!(page >= 1) || !(size >= 1)) return errorReply(400, "page and page_size must be at least 1");
  return {
    status: 200,
    body: { list: items.slice((page - 1) * size, page * size), total: items.length },
  };
}

/** `{"error_msg": "…"}`. */
export function errorReply(status: number, message: string): Reply {
  return { status, body: { error_msg: message } };
}

/** A page that nginx answers. Of what is wrong with TLS it says two things. */
export function nginxPage(status: number, title: string): Reply {
  const heading = status === 400 ? "400 Bad Request" : title;
  const more = heading === title ? "" : `<center>${title}</center>\r\n`;
  return {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "server": "openresty" },
    body: `<html>\r\n<head><title>${status === 400 ? `400 ${title}` : title}</title></head>\r\n` +
      `<body>\r\n<center><h1>${heading}</h1></center>\r\n${more}` +
      `<hr><center>openresty</center>\r\n</body>\r\n</html>\r\n`,
  };
}

/** The page that nginx answers where no route is. */
export function nginxNotFound(): Reply {
  return nginxPage(404, "404 Not Found");
}

/** The body as an object, or `undefined`. */
export function objectBody(request: SandboxRequest): Record<string, unknown> | undefined {
  return isObject(request.body) ? request.body : undefined;
}

/** Tells a JSON object from everything else. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
