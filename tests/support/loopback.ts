/**
 * Servers on loopback that misbehave as a test says.
 *
 * @module
 */

import { createServer as createHttpServer } from "node:http";
import type { RequestListener } from "node:http";
import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** A server that listens on 127.0.0.1. */
export interface Loopback extends AsyncDisposable {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** How many connections there were. */
  readonly connections: number;
}

async function listen(server: Server): Promise<Loopback> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on("connection", (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Serves HTTP. */
export function serveHttp(listener: RequestListener): Promise<Loopback> {
  // Connections stay until somebody closes them.
  return listen(createHttpServer({ keepAliveTimeout: 0 }, listener));
}

/** Accepts connections and leaves the rest to the test. */
export function serveTcp(listener: (socket: Socket) => void): Promise<Loopback> {
  return listen(createServer(listener));
}

/** A port on loopback that nobody listens to. */
export async function freePort(): Promise<number> {
  await using server = await serveTcp(() => {});
  return server.port;
}
