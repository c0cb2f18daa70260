/**
 * Hostile words from everywhere through every command: nothing that adc-run prints carries a secret, draws on a
 * terminal or commands a CI system.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { Readable } from "node:stream";
import { it } from "node:test";
import type { Io } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { fakeIo } from "../support/fake_io.ts";
import { serveHttp } from "../support/loopback.ts";
import type { Loopback } from "../support/loopback.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const TOKEN = "canary/of+hostile~words";
const PASSWORD = "canary-password?%";
const COOKIE = "canary-cookie-1234";
const MINTED = "a7ee-canary-minted";

/** What a value may hold that no C0 or C1 control is in. */
const PLAIN =
  "::error::x ##[set-output name=a]b ##vso[task.x]y section_start:1:x \u202eevil\u2066 a\u200bb\ufeff\u2028::add-mask::z";

const HOSTILE = `\n::stop-commands::zz\nINJECTED \r\x1b[2Jz\x9b31m\x1b]0;t\x07\x7f${PLAIN}`;

function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/, ""),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    [...secret].join("\u200b"),
  ];
}

const SECRETS = [TOKEN, PASSWORD, COOKIE, MINTED].flatMap(formsOf);

/** Says commands, and the secrets that it was told, wherever it is asked. */
function startServer(failing: boolean): Promise<Loopback> {
  return serveHttp((request, response) => {
    const { "x-api-key": key, cookie } = request.headers;
    const told = [
      ...(key === undefined ? [] : [String(key)]),
      ...(cookie === undefined ? [] : [COOKIE, PASSWORD]),
      ...(request.url?.endsWith("/login") ? [PASSWORD] : []),
    ];
    const words = `${HOSTILE} ${told.flatMap(formsOf).join(" ")} `;
    const token = (id: string, expires_at: unknown) => ({
      id,
      name: `${words} ${id}`,
      expires_at,
      created_at: 1,
      last_used_at: 1.5,
    });
    const { method = "GET", url = "" } = request;
    request.resume();
    const [path, query] = url.split("?");
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, {
        "content-type": "application/json",
        "server": "APISIX/::error::",
        ...(path === "/api/login" && { "set-cookie": `session=${COOKIE}; Path=/` }),
      });
      response.end(JSON.stringify(body));
    };
    if (failing) return answer(path === "/api/me" ? 500 : 403, { error_msg: words });
    if (path === "/api/login") return answer(200, { value: {} });
    if (path === "/api/version") return answer(200, { value: words });
    if (path === "/api/me") {
      const roles = [{ id: "super_admin_id", name: words }];
      return answer(200, { value: { id: words, username: words, roles } });
    }
    if (path === "/api/gateway_groups") {
      const name = new URLSearchParams(query).get("search") ?? words;
      return answer(200, { list: [{ id: words, name }], total: 1 });
    }
    if (path === "/api/tokens/check_name") return answer(200, { value: { exist: false } });
    if (path === "/api/tokens" && method === "POST") {
      return answer(200, { value: { ...token("new", 1e308), token: MINTED } });
    }
    if (path === "/api/tokens") {
      const list = [1e308, 99999999999999, -1, 1.5, 0].map((end, id) =>
        token(`id${id}${words}`, end)
      );
      return answer(200, {
        list: [...list, { ...token("", 0), id: "plain" }],
        total: list.length + 1,
      });
    }
    return answer(200, { value: words });
  });
}

/** What is drawn, or hides: all but the colors of adc-run's own labels. */
const DRAWS = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

const COLORS =
  // deno-lint-ignore no-control-regex
  /\x1b\[\d{1,2}m(error|warning|[✓✗!-] |(?:ok|failed|warning|skipped) +|[ab] \|)\x1b\[39m/g;

/** Behind a target's line that has colors. */
// deno-lint-ignore no-control-regex
const END = /\x1b\[0m$/gm;

function assertHarmless(text: string, what: string, { json }: { readonly json: boolean }): void {
  // A tab stands between a word and what it means in a completion.
  const plain = text.replace(COLORS, "$1").replace(END, "").replace(/^([\w.=-]+)\t/gm, "$1 ");
  assert.doesNotMatch(plain, DRAWS, what);
  assert.doesNotMatch(plain, /^\s*::(?!(error|warning) title=adc-run::)/m, what);
  // A line that goes on at a terminal has an indent that no other has.
  assert.doesNotMatch(plain, /##[\w.-]*\[|section_(start|end):|^\s{0,3}INJECTED/m, what);
  const decoded = json && plain !== "" ? JSON.stringify(JSON.parse(plain)) : plain;
  const joined = decoded.replace(/[\p{Cf}\p{Cc}]/gu, "");
  for (const secret of SECRETS) {
    assert.ok(!plain.includes(secret) && !joined.includes(secret), `${what}: a secret`);
  }
}

/** adc-run's own lines, each command once; `@` stands for hostile words. */
const COMMANDS: readonly (readonly string[])[] = [
  ["auth", "list"],
  ["auth", "status"],
  ["auth", "status", "--no-check"],
  ["auth", "token"],
  ["auth", "login", "--username", "@", "--password-stdin", "--storage", "file", "--yes"],
  ["auth", "login", "--with-token", "--storage", "file", "--yes"],
  ["auth", "rotate"],
  ["auth", "revoke", "@", "--yes"],
  ["auth", "revoke", "plain", "--yes"],
  ["auth", "logout"],
  ["auth", "@"],
  ["profile", "list"],
  ["profile", "show", "project"],
  ["profile", "show", "b"],
  ["profile", "show", "@"],
  ["profile", "set", "c", "--gateway-group", "@"],
  ["profile", "set", "c", "--ca-cert-file", "@"],
  ["profile", "set", "@", "--server", "@"],
  ["profile", "set", "c", "--unset", "@"],
  ["profile", "use", "@"],
  [
    "profile",
    "set",
    "c",
    "--server",
    "http://c.example",
    "--gateway-group",
    "%",
    "--username",
    "%",
  ],
  ["profile", "use", "c"],
  ["profile", "show"],
  ["profile", "import", "--file", "@", "--yes"],
  ["profile", "remove", "c"],
  ["doctor"],
  ["--dry-run", "sync", "-f", "@"],
  ["--dry-run", "--no-check", "exec", "--", "sh", "-c", "@", TOKEN, "https://u:canary-pw@host/"],
  ["sync", "-f", "@"],
  ["sync", "--gateway-group", "@"],
  ["sync", "--server", "@"],
  ["sync", "--backend", "@"],
  ["sync", "--token", TOKEN, "--backend", TOKEN],
  ["auth", "status", `--token=${TOKEN}`, "--backend", `x${TOKEN}`],
  ["sync", "--timeout", "@"],
  ["-p", "a,b", "sync"],
  ["-p", "a,b", "--dry-run", "sync"],
  ["-p", "a,b", "--env-file", "empty.env", "--keep-going", "sync"],
  ["-p", "a,b", "--env-file", "empty.env", "--dry-run", "sync"],
  ["-p", "b", "--env-file", "empty.env", "auth", "status"],
  ["-p", "@", "sync"],
  ["--env-file", "@", "sync"],
  ["--source", "@", "sync"],
  ["--parallel", "@", "sync"],
  ["--ephemeral=@", "sync"],
  ["--adc", "@", "sync"],
  ["--@", "sync"],
  ["@"],
  ["exec", "--", "@"],
  ["exec", "@"],
  ["api", "@"],
  ["api", "-X", "@", "/api/x"],
  ["api", "-H", "@: x", "/api/x"],
  ["api", "-d", "@@", "/api/x"],
  ["help", "@"],
  ["completion", "@"],
  ["complete", "--", "-p", ""],
  ["complete", "--", "@", ""],
];

/** These print data on purpose, on standard output. */
const DATA = (words: readonly string[]) =>
  (words[0] === "auth" && words[1] === "token") || words[0] === "api";

interface Mode {
  readonly name: string;
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly terminals?: boolean;
  /** Whether the environment has neither token nor password: both are found on the way. */
  readonly found?: boolean;
}

const MODES: readonly Mode[] = [
  { name: "text" },
  { name: "text with a token that is found", found: true },
  { name: "json", words: ["--json"] },
  { name: "annotations", env: { GITHUB_ACTIONS: "true", ADC_RUN_ACTION: "true" } },
  { name: "terminal", terminals: true },
];

type Run = (
  command: readonly string[],
  more?: Partial<Io>,
) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;

/** A user's folders, files and environment, hostile each. */
async function inScene(
  { failing, mode }: { readonly failing: boolean; readonly mode: Mode },
  test: (run: Run) => Promise<void>,
): Promise<void> {
  await using server = await startServer(failing);
  await using folder = await temporaryFolder();
  const config = join(folder.path, `config ${HOSTILE.replaceAll("/", "")}`);
  const cwd = join(folder.path, `work ${HOSTILE.replaceAll("/", "")}`);
  await mkdir(config, { mode: 0o700 });
  await mkdir(cwd);
  const profile = { server: server.url, backend: "api7ee", gatewayGroup: PLAIN };
  const others = { b: { ...profile, username: PLAIN, tokenCommand: ["echo", HOSTILE] } };
  const profiles = { a: { ...profile, gatewayGroup: "x" }, ...others };
  await writeFile(join(config, "config.json"), JSON.stringify({ profiles }), { mode: 0o600 });
  await writeFile(join(cwd, "adc-run.json"), JSON.stringify({ profiles: { project: profile } }));
  const group = `x\\n::stop-commands::zz${PLAIN}${mode.found ? "" : encodeURIComponent(TOKEN)}`;
  await writeFile(join(cwd, ".env"), `ADC_GATEWAY_GROUP="${group}"\nADC_BACKEND=api7ee\n`);
  await writeFile(join(cwd, "empty.env"), "");
  const tokenFile = await folder.write("token", TOKEN);
  const adc = await folder.write("adc", "#!/bin/sh\nexit 3\n");
  await chmod(adc, 0o755);
  await test(async (command, more) => {
    const io = fakeIo({
      env: {
        PATH: process.env.PATH,
        HOME: folder.path,
        ADC_RUN_CONFIG_DIR: config,
        ADC_RUN_ADC: adc,
        ADC_SERVER: server.url,
        ...(mode.found
          ? { ADC_TOKEN_FILE: tokenFile }
          : { ADC_TOKEN: TOKEN, API7_PASSWORD: PASSWORD }),
        ...mode.env,
      },
      cwd,
      stdin: Readable.from([command.includes("--with-token") ? TOKEN : PASSWORD]),
      ...(mode.terminals && { terminals: { stdin: false, stdout: true, stderr: true } }),
      ...more,
    });
    const words = command.map((word) => word.replace("@", HOSTILE).replace("%", PLAIN));
    const code = await main([...mode.words ?? [], ...words], io);
    return { code, out: io.out.join(""), err: io.err.join("") };
  });
}

for (const failing of [false, true]) {
  for (const mode of MODES) {
    it(`hostile words are harmless as ${mode.name}, from a server that ${failing ? "refuses" : "obeys"}`, () =>
      inScene({ failing, mode }, async (run) => {
        for (const command of COMMANDS) {
          const { code, out, err } = await run(command);
          const what = `${JSON.stringify(command)} (${code})`;
          assert.notEqual(code, 70, `${what}: ${err}`);
          const json = mode.name === "json";
          if (!DATA(command)) {
            assertHarmless(out, `${what} on standard output`, {
              json: json && out.startsWith("{"),
            });
          }
          assertHarmless(err, `${what} on standard error`, { json });
        }
      }));
  }
}

it("hostile words are harmless in a question", () =>
  inScene({ failing: false, mode: { name: "prompt" } }, async (run) => {
    const terminals = { stdin: true, stdout: true, stderr: true };
    // Ctrl-D: no answer.
    const { code, err } = await run(["auth", "revoke", "plain"], {
      terminals,
      stdin: Readable.from(["\x04"]),
    });
    assert.equal(code, 130, err);
    assert.match(err, /Revoke "/);
    // The library draws with the cursor, and breaks long lines.
    // deno-lint-ignore no-control-regex
    const drawn = err.replace(/\x1b\[[\d;?]*[A-Za-z]/g, "").replaceAll("\r", "");
    assertHarmless(drawn, "the question", { json: false });
    assert.ok(!err.includes("\x1b[2J"), "it draws");
  }));
