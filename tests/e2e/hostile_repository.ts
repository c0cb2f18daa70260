/**
 * A repository that is after the user's secrets, and what it would catch.
 *
 * @module
 */

import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { dirname, join } from "node:path";
import { startSandbox } from "../sandbox/sandbox.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** Who the thief's repository says logs in, as everybody does. */
export const USER = "robot";

/** The user's password; the thief's API takes it, so that a login there would go on. */
export const PASSWORD = "canary-pass-word";

/** The thief's machines. */
export interface Thief extends AsyncDisposable {
  /** An Admin API that takes every login that it can get; its certificate is by a CA of its own. */
  readonly url: string;
  /** A proxy that leads every name to the same API. */
  readonly proxy: string;
  /** The CA's certificate. */
  readonly ca: string;
  /** How often somebody connected, to the API or to the proxy. */
  readonly connections: () => number;
  /** What the API and the proxy could read: requests with all that is in them. */
  readonly heard: () => string;
  /** The lines that programs of the repository left when they were run. */
  readonly ran: () => Promise<string>;
  /** A program that leaves such a line. */
  readonly program: string;
  /** A module that does so when Node.js loads it. */
  readonly module: string;
}

/** Starts listening. */
export async function startThief(): Promise<Thief> {
  const api = await startSandbox({ https: true });
  api.addUser({ username: USER, password: PASSWORD });
  const folder = await temporaryFolder();
  const sockets = new Set<Socket>();
  const plain: string[] = [];
  let connections = 0;
  const keep = (socket: Socket) =>
    sockets.add(socket.on("error", () => {}).on("close", () => sockets.delete(socket)));
  const leadIn = (socket: Socket) => {
    const inner = connect(api.port, "127.0.0.1");
    keep(inner);
    socket.pipe(inner).pipe(socket);
  };
  const door = createServer(leadIn);
  const proxy = createHttpServer((request, response) => {
    plain.push(JSON.stringify([request.url, request.headers]));
    response.writeHead(401).end();
  }).on("connect", (_request, socket: Socket) => {
    socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
    leadIn(socket);
  });
  for (const server of [door, proxy]) {
    server.on("connection", (socket: Socket) => {
      connections++;
      keep(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  }
  const portOf = (server: Server) => (server.address() as AddressInfo).port;
  const marker = join(folder.path, "ran");
  return {
    url: `https://localhost:${portOf(door)}`,
    proxy: `http://localhost:${portOf(proxy)}`,
    ca: await readFile(api.ca, "utf8"),
    connections: () => connections,
    heard: () => JSON.stringify(api.requests) + plain.join("\n"),
    ran: () => readFile(marker, "utf8").catch(() => ""),
    program: `#!/bin/sh\necho "$0 $*" >> "${marker}"\necho a7ee-from-the-thief\n`,
    module: `require("fs").appendFileSync(${JSON.stringify(marker)}, "module\\n");\n`,
    [Symbol.asyncDispose]: async () => {
      const closed = [door, proxy].map((server) =>
        new Promise<void>((resolve) => server.close(() => resolve()))
      );
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
      await api.close();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** The parts of the repository; `server`, `detour` and `variables` make up its `.env`. */
export type HostilePart =
  /** Another server. */
  | "server"
  /** A proxy, and a CA that vouches for whatever it leads to. */
  | "detour"
  /** Programs, folders and switches of adc-run and of the runtimes. */
  | "variables"
  /** Profiles, one of them by the name of the user's own. */
  | "adc-run.json"
  /** The same with a program that is to print a token. */
  | "tokenCommand"
  /** Configurations that ask for the token; without this part there is one that does not. */
  | "adc.yaml"
  /** A link to a file of the user's. */
  | "diff.yaml"
  /** Programs by names that a user could mean, and folders of settings that would run them. */
  | "programs"
  /** Programs that git would run. */
  | ".git";

/** Names of programs that a user could mean to run. */
const NAMES = ["adc", "get-token", "cat", "op", "node", "deno", "git", "sh"];

/** Where `HOME`, `XDG_CONFIG_HOME` and `ADC_RUN_CONFIG_DIR` of the repository's `.env` would lead. */
const SETTINGS = [".config/adc-run", "xdg/adc-run", "settings"];

/**
 * Writes the repository.
 *
 * @param folder The folder; it is made.
 * @param thief Whose it is.
 * @param parts What is in it, beside a harmless `adc.yaml`.
 */
export async function writeHostile(
  folder: string,
  thief: Thief,
  parts: readonly HostilePart[],
): Promise<void> {
  const write = async (name: string, content: string, mode = 0o644) => {
    const file = join(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    await chmod(file, mode);
  };
  const has = (part: HostilePart) => parts.includes(part);
  await write("thief.pem", thief.ca);
  await write("adc.yaml", has("adc.yaml") ? CONFIGURATION : "services: []\n");
  const variables = [
    has("server") ? `ADC_SERVER=${thief.url}\nADC_BACKEND=api7ee\n` : "",
    has("detour") ? detour(thief) : "",
    has("variables") ? variablesOf(folder, thief) : "",
  ].join("");
  if (variables !== "") await write(".env", variables);
  if (has("adc-run.json")) await write("adc-run.json", projectFile(thief));
  if (has("tokenCommand")) {
    await write("adc-run.json", projectFile(thief, { tokenCommand: ["./get-token"] }));
  }
  if (has("adc.yaml")) await write("adc.json", JSON.stringify(SERVICES));
  if (has("diff.yaml")) await symlink("../victim", join(folder, "diff.yaml"));
  if (has("programs")) {
    await write("thief.cjs", thief.module);
    for (const name of NAMES) {
      for (const place of ["", "bin/", "node_modules/.bin/"]) {
        await write(place + name, thief.program, 0o755);
      }
    }
    for (const place of SETTINGS) {
      await write(`${place}/config.json`, settingsFile(join(folder, "get-token")), 0o600);
    }
  }
  if (has(".git")) {
    await write("fsmonitor", thief.program, 0o755);
    await write(".git/HEAD", "ref: refs/heads/main\n");
    await write(
      ".git/config",
      `[core]\n\trepositoryformatversion = 0\n\tfsmonitor = ./fsmonitor\n\tpager = ./fsmonitor\n` +
        `\thooksPath = .\n\tsshCommand = ./fsmonitor\n[credential]\n\thelper = !./fsmonitor\n`,
    );
    await mkdir(join(folder, ".git/objects"), { recursive: true });
    await mkdir(join(folder, ".git/refs"), { recursive: true });
  }
}

function detour({ proxy }: Thief): string {
  const names = ["http_proxy", "https_proxy", "all_proxy"];
  return [...names, ...names.map((name) => name.toUpperCase())]
    .map((name) => `${name}=${proxy}\n`).join("") +
    "ADC_CA_CERT_FILE=./thief.pem\nNODE_EXTRA_CA_CERTS=./thief.pem\n" +
    "NODE_TLS_REJECT_UNAUTHORIZED=0\n";
}

function variablesOf(folder: string, { url }: Thief): string {
  return `ADC_TOKEN_COMMAND=./get-token
ADC_TOKEN_FILE=./thief.pem
ADC_RUN_ADC=./adc
ADC_RUN_ALLOWED_SERVERS=${url}
ADC_RUN_CHECK=false
ADC_RUN_CONFIG_DIR=./settings
ADC_RUN_MASK=false
ADC_RUN_PROFILE=theirs
API7_USERNAME=${USER}
A7_CONFIG_DIR=.
XDG_CONFIG_HOME=${folder}/xdg
HOME=${folder}
PATH=${folder}:${folder}/bin
`;
}

function projectFile({ url }: Thief, more: Readonly<Record<string, unknown>> = {}): string {
  const target = { server: url, backend: "api7ee", caCertFile: "thief.pem" };
  const theirs = { ...target, username: USER, ...more };
  return JSON.stringify({ version: 1, profiles: { theirs, prod: theirs } });
}

function settingsFile(program: string): string {
  const theirs = { server: "https://localhost:1", backend: "api7ee", tokenCommand: [program] };
  return JSON.stringify({ version: 1, use: "theirs", profiles: { theirs, prod: theirs } });
}

const UPSTREAM = { nodes: [{ host: "127.0.0.1", port: 80, weight: 1 }], scheme: "http" };
const SERVICES = {
  services: [{ name: "loot", desc: "${ADC_TOKEN}", upstream: UPSTREAM, routes: [] }],
};
const CONFIGURATION = `services:
  - name: loot
    desc: "\\u0024{ADC_TOKEN} \${API_KEY}"
    upstream: ${JSON.stringify(UPSTREAM)}
`;
