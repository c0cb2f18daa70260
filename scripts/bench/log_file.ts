import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { once } from "node:events";

/** A log like that of `adc sync --verbose 2`. */
export interface LogFile {
  /** Its length in bytes. */
  readonly size: number;
  /** How often the token is in it. */
  readonly occurrences: number;
}

/** The log repeats after as many requests. */
const REQUESTS = 4096;

/**
 * Writes a log in which the token turns up with each request's headers, about once in 2 KiB.
 *
 * @param path Where to.
 * @param options The token, and about how many bytes to write.
 * @returns What it came to.
 */
export async function writeLogFile(
  path: string,
  { token, size, colors = false }: {
    readonly token: string;
    readonly size: number;
    /** Whether it is as a terminal would show it. @default false */
    readonly colors?: boolean;
  },
): Promise<LogFile> {
  const text = Array.from({ length: REQUESTS }, (_, index) => request(index, token)).join("");
  const block = Buffer.from(colors ? colored(text) : text);
  const repetitions = Math.max(1, Math.round(size / block.length));
  const file = createWriteStream(path);
  for (let count = 0; count < repetitions; count++) {
    if (!file.write(block)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return { size: repetitions * block.length, occurrences: repetitions * REQUESTS };
}

/** Times, names and values each in a color: six in 100 bytes begin one. */
function colored(text: string): string {
  const color = (code: number) => (part: string) => `\x1b[${code}m${part}\x1b[39m`;
  return text.replace(/\[[^\]\n]*\]|›/g, color(90))
    .replace(/"[\w-]+"(?=:)|^[\w-]+(?=: )/gm, color(34))
    .replace(/(?<=: )("[^"\n]*"|\d+)/g, color(32));
}

/** Never the same twice, and the same in every run. */
function request(index: number, token: string): string {
  const id = createHash("sha256").update(String(index)).digest("hex");
  const time = new Date(1_750_000_000_000 + index * 137).toISOString();
  const body = {
    id: id.slice(0, 24),
    name: `service-${index}`,
    labels: { team: `team-${index % 17}`, revision: id.slice(24, 40) },
    upstream: {
      name: "default",
      type: "roundrobin",
      scheme: "http",
      nodes: [8080, 8081].map((port) => ({ host: `10.0.${index % 256}.7`, port, weight: 100 })),
      timeout: { connect: 60, send: 60, read: 60 },
    },
    plugins: {
      "limit-count": { count: index % 1000, time_window: 60, key: "remote_addr" },
      "key-auth": { header: "apikey", query: "apikey", hide_credentials: false },
    },
  };
  return `[${time}] [ADC] › …  awaiting   Sync service-${index}
[${time}] [ADC] › ●  debug     Sending request to Admin API
PUT /apisix/admin/services/${body.id}?gateway_group_id=default HTTP/1.1
Accept: application/json, text/plain, */*
Content-Type: application/json
X-API-KEY: ${token}
User-Agent: axios/1.13.2
Accept-Encoding: gzip, compress, deflate, br

${JSON.stringify(body, undefined, 2)}
[${time}] [ADC] › ●  debug     Received response from Admin API
HTTP/1.1 200 OK
content-type: application/json; charset=utf-8
x-request-id: ${id.slice(32)}

${JSON.stringify({ value: body })}
[${time}] [ADC] › ✔  success   Sync service-${index} (a7ee-*** was accepted)
`;
}
