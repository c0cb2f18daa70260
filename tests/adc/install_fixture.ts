/**
 * Release archives made on the spot, and a server that has them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { releaseFor } from "../../src/adc/install/release.ts";

/** What is put into a tar archive. */
export interface TarEntry {
  /** @default ./adc */
  readonly name?: string;
  /** The type flag. @default 0, a regular file */
  readonly type?: string;
  /** @default nothing */
  readonly content?: string | Uint8Array;
  /** Where a link leads. @default nowhere */
  readonly target?: string;
  /** The size that the header claims. @default the content's */
  readonly size?: number;
  /** @default empty */
  readonly prefix?: string;
}

const BLOCK = 512;

/**
 * Makes a tar archive, well-formed or not.
 *
 * @param entries What is in it.
 * @param end What follows. @default two blank blocks
 * @returns The bytes.
 */
export function tar(entries: readonly TarEntry[], end = Buffer.alloc(2 * BLOCK)): Buffer {
  const parts = entries.flatMap((entry) => {
    const content = Buffer.from(entry.content ?? "");
    const { name = "./adc", type = "0", target = "", size = content.length, prefix = "" } = entry;
    const header = Buffer.alloc(BLOCK);
    header.write(name, 0);
    header.write("0000755\0" + "0000000\0".repeat(2), 100);
    header.write(size.toString(8).padStart(11, "0") + "\0", 124);
    header.write("00000000000\0", 136);
    header.write("        ", 148);
    header.write(type, 156);
    header.write(target, 157);
    header.write("ustar\x0000", 257, "latin1");
    header.write(prefix, 345);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(sum.toString(8).padStart(6, "0") + "\0 ", 148);
    return [header, content, Buffer.alloc((BLOCK - content.length % BLOCK) % BLOCK)];
  });
  return Buffer.concat([...parts, end]);
}

/**
 * A program that says its version.
 *
 * @param version The version. @default 0.28.0
 * @returns A shell script.
 */
export function program(version = "0.28.0"): string {
  return `#!/bin/sh\necho ${version}\n`;
}

/**
 * A release archive.
 *
 * @param content The program. @default one that says 0.28.0
 * @returns The bytes.
 */
export function archive(content: string = program()): Buffer {
  return gzipSync(tar([{ content }]));
}

/** The SHA-256 of bytes, as hexadecimal digits. */
export function sumOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The path of a release below a mirror's address. */
export function releasePath(version = "0.28.0"): string {
  return releaseFor({ env: { ADC_RUN_DOWNLOAD_URL: "http://localhost" }, version }).url.pathname;
}

/** A server of files. */
export interface FileServer extends AsyncDisposable {
  /** Its address. */
  readonly url: string;
  /** The requests so far. */
  readonly requests: readonly IncomingMessage[];
  /** Ends every connection. */
  readonly cut: () => void;
}

/** Answers a request. */
export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Starts a server on loopback.
 *
 * @param answer Answers every request; bytes are answered as they are.
 * @param tls Key and certificate. @default none: http
 * @returns The server.
 */
export async function fileServer(
  answer: Answer | Uint8Array,
  tls?: { readonly cert: string; readonly key: string },
): Promise<FileServer> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const listener: Answer = (request, response) => {
    requests.push(request);
    if (typeof answer === "function") answer(request, response);
    else response.end(answer);
  };
  const server = tls === undefined ? createServer(listener) : createSecureServer(tls, listener);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => sockets.forEach((socket) => void socket.destroy());
  return {
    url: `http${tls === undefined ? "" : "s"}://localhost:${
      (server.address() as AddressInfo).port
    }`,
    requests,
    cut,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        cut();
      }),
  };
}
