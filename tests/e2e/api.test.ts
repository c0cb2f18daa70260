import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { adcRun, bareEnvironment, collect } from "../support/adc_run.ts";
import type { Ending, StartOptions } from "../support/adc_run.ts";
import { fixture, traces } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { serveHttp } from "../support/loopback.ts";
import { onWindows, REFUSED } from "../support/windows.ts";

/** Runs `adc-run api`; no token of the sandbox may come out. */
async function api(
  home: Home,
  it: Fixture,
  words: readonly string[],
  { env, ...more }: Partial<StartOptions> = {},
): Promise<Ending> {
  const options = { cwd: it.folder.path, ...more, env: { ...it.env, ADC_TOKEN: it.token, ...env } };
  const ended = await adcRun(home, ["api", ...words], options);
  for (const trace of traces(it.token)) {
    assert.ok(!`${ended.stdout}${ended.stderr}`.includes(trace), "the token came out");
  }
  return ended;
}

const CHUNK = Buffer.alloc(1024 * 1024, "x");

/** Serves `/big?mb=N`, as fast as it is read. */
function serveBig(onEnd: () => void = () => {}) {
  return serveHttp((request, response) => {
    let left = Number(new URL(request.url!, "http://x").searchParams.get("mb"));
    const more = () => {
      while (left-- > 0) if (!response.write(CHUNK)) return;
      onEnd();
      response.end();
    };
    response.on("drain", more);
    more();
  });
}

for (const home of await testHomes("every engine")) {
  describe(`adc-run api on ${home.name}`, () => {
    it("is the documentation's call, over HTTPS, without the token in argv", async () => {
      await using fix = await fixture({ https: true });
      const ended = await api(home, fix, ["/api/gateway_groups?page_size=1"]);
      assert.deepEqual([ended.code, ended.stderr], [0, ""]);
      assert.equal(JSON.parse(ended.stdout).total, 1);
      const [request, ...more] = fix.sandbox.requests;
      assert.deepEqual(more, []);
      assert.equal(request!.apiKey, fix.token);
      assert.deepEqual(request!.query, { page_size: "1" });
    });

    it("begins its message on a line of its own where both outputs are one", {
      skip: onWindows("shell"),
    }, async () => {
      await using fix = await fixture({ https: true });
      const words = ["/bin/sh", "-c", '"$@" 2>&1', "sh", ...home.command, "api", "/api/nowhere"];
      const env = { ...bareEnvironment(fix.folder.path), ...fix.env, ADC_TOKEN: fix.token };
      const { status, stdout } = await collect(words, { env, cwd: fix.folder.path });
      assert.equal(status, 78, stdout);
      assert.match(stdout, /^\{.*\}\nadc-run: error: not found: /);
    });

    it("sends a body from standard input, and shows a new token as it came", async () => {
      await using fix = await fixture();
      const input = JSON.stringify({ name: "made by api", expires_at: 0 });
      const ended = await api(home, fix, ["POST", "api/tokens", "-d", "@-"], { input });
      assert.equal(ended.code, 0, ended.stderr);
      const { token, name } = JSON.parse(ended.stdout).value;
      assert.equal(name, "made by api");
      assert.ok(fix.sandbox.liveTokens.some(({ value }) => value === token));
    });

    it("sends the bytes of a file as they are", { skip: onWindows("shell") }, async () => {
      await using fix = await fixture();
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256));
      await fix.folder.write("body.bin", bytes);
      const seen: Buffer[] = [];
      await using server = await serveHttp(async (request, response) => {
        for await (const chunk of request) seen.push(chunk as Buffer);
        response.end(bytes);
      });
      const words = [
        "PUT",
        "/x",
        "-d",
        "@body.bin",
        "-H",
        "Content-Type: application/octet-stream",
      ];
      const env = { ...fix.env, ADC_SERVER: server.url, ADC_TOKEN: fix.token };
      const command = ["sh", "-c", '"$@" > answer.bin', "sh", ...home.command, "api", ...words];
      const ended = await collect(command, { env, cwd: fix.folder.path });
      assert.deepEqual([ended.code, ended.stderr], [0, ""]);
      assert.deepEqual(Buffer.concat(seen), bytes);
      assert.deepEqual(await readFile(`${fix.folder.path}/answer.bin`), bytes);
    });

    it("ends with the verdict's code, and shows the server's words", async () => {
      await using fix = await fixture();
      for (
        const [words, code, message, env] of [
          [["/api/tokens/none"], 78, /not found: /],
          [["POST", "/api/tokens", "-d", "{malformed"], 65, /answered 400: "name is required"/],
          [["/api/me"], 77, /the server refused the token: 401/, { ADC_TOKEN: "a7ee-wrong-0815" }],
          [["/api/me", "--server", "http://127.0.0.1:1"], 69, REFUSED],
          [["https://evil.example/api/me"], 64, /it is on https:\/\/evil\.example/],
          [["/api/me", "-H", "X-API-KEY: x"], 64, /cannot set header "X-API-KEY"/],
          [["/api/me", "-H", "A: b\r\nX-API-KEY: x"], 64, /cannot set header "A"/],
          [["--paginate", "/api/me"], 65, /not a list/],
        ] as const
      ) {
        const ended = await api(home, fix, words, { env: env ?? {} });
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, message);
        if (/answered|not found/.test(ended.stderr)) assert.ok(JSON.parse(ended.stdout).error_msg);
      }
      assert.ok(fix.sandbox.requests.every(({ headers }) => headers.a === undefined));
    });

    it("takes no token along a redirect", async () => {
      await using fix = await fixture();
      const seen: unknown[] = [];
      await using other = await serveHttp((request, response) => {
        seen.push(request.headers);
        response.end();
      });
      fix.sandbox.fault({ path: "/api/me" }, { kind: "redirect", location: `${other.url}/x` });
      const ended = await api(home, fix, ["/api/me", "-i"]);
      assert.equal(ended.code, 78);
      assert.ok(ended.stderr.includes(`pointing to "${other.url}"`), ended.stderr);
      assert.ok(ended.stdout.includes(`location: ${other.url}/x\r\n`));
      assert.deepEqual([seen, other.connections], [[], 0]);
    });

    it("goes to no other server that a value names", async () => {
      await using fix = await fixture();
      await using other = await serveHttp((_, response) => void response.end());
      const evil = `--server=${other.url}`;
      const ended = await api(home, fix, ["POST", "/api/tokens", "-d", evil, "-f", `${evil}=1`]);
      assert.equal(ended.code, 65, ended.stderr);
      assert.equal(fix.sandbox.requests.at(-1)!.text, evil);
      for (const path of [other.url, `//${other.url.slice(7)}`, `/\\${other.url.slice(7)}`]) {
        assert.equal((await api(home, fix, [path])).code, 64);
      }
      assert.equal(other.connections, 0);
    });

    it("revokes a token that was made for this request", async () => {
      await using fix = await fixture();
      const ended = await api(home, fix, ["/api/me"], {
        env: { ADC_TOKEN: "", API7_USERNAME: "ci-bot", API7_PASSWORD: "pass-word", CI: "1" },
      });
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(JSON.parse(ended.stdout).value.username, "ci-bot");
      const asked = fix.sandbox.requests.filter(({ path, apiKey }) =>
        path === "/api/me" && apiKey !== undefined && apiKey !== fix.token
      );
      assert.equal(asked.length, 1);
      assert.deepEqual(fix.sandbox.liveTokens.map(({ value }) => value), [fix.token]);
    });

    it("adds the gateway group's id", async () => {
      await using fix = await fixture();
      const { id } = fix.sandbox.addGatewayGroup("prod");
      const path = "/apisix/admin/services";
      const ended = await api(home, fix, [path, "--gateway-group", "prod"]);
      assert.equal(ended.code, 0, ended.stderr);
      assert.equal(fix.sandbox.requests.at(-1)!.query.gateway_group_id, id);
      const wrong = await api(home, fix, [path], { env: { ADC_GATEWAY_GROUP: "prd" } });
      assert.equal(wrong.code, 78);
      assert.match(wrong.stderr, /gateway group "prd" does not exist[\s\S]*"prod"/);
    });

    it("makes one list of many pages, also of those that a server cuts down", async () => {
      await using fix = await fixture({ maxPageSize: 7 });
      for (let count = 0; count < 24; count++) fix.sandbox.addToken({ user: "ci-bot" });
      const ended = await api(home, fix, ["/api/tokens", "--paginate"]);
      assert.equal(ended.code, 0, ended.stderr);
      const { list, total } = JSON.parse(ended.stdout);
      assert.equal(total, 25);
      assert.equal(new Set(list.map(({ id }: { readonly id: string }) => id)).size, 25);
      assert.equal(fix.sandbox.requests.length, 4);
    });

    it(
      "passes a long answer on without holding it",
      { timeout: 120_000, skip: onWindows("/proc") },
      async () => {
        await using fix = await fixture();
        const mb = 512;
        let peak: Promise<string> | undefined;
        const status = () => readFile(`/proc/${measured.pid}/status`, "utf8").catch(() => "");
        await using server = await serveBig(() => {
          peak = status();
        });
        const measured = spawn(
          home.command[0]!,
          [...home.command.slice(1), "api", `/big?mb=${mb}`],
          {
            cwd: fix.folder.path,
            env: {
              ...bareEnvironment(fix.folder.path),
              ADC_SERVER: server.url,
              ADC_TOKEN: fix.token,
            },
            stdio: ["ignore", "pipe", "inherit"],
          },
        );
        let length = 0;
        measured.stdout!.on("data", (chunk: Buffer) => length += chunk.length);
        const code = await new Promise((resolve) => measured.once("close", resolve));
        assert.deepEqual([code, length], [0, mb * CHUNK.length]);
        if (!existsSync("/proc/self/status")) return;
        const [, kilobytes] = /VmHWM:\s*(\d+) kB/.exec(await peak!)!;
        assert.ok(Number(kilobytes) < 384 * 1024, `${kilobytes} kB at the most`);
      },
    );

    it("loses nothing of an answer whose reader is slow, and its server gone", {
      skip: onWindows("shell"),
    }, async () => {
      await using fix = await fixture();
      const length = 4 * 1024 * 1024;
      await using server = await serveHttp((_, response) => {
        response.writeHead(200, { connection: "close" }).end(Buffer.alloc(length, "x"));
      });
      const ended = await collect(
        ["sh", "-c", '{ "$@"; echo "$?" >&3; } 3>code | (sleep 1; wc -c)', "sh"].concat(
          [...home.command, "api", "/big"],
        ),
        {
          env: { ...fix.env, ADC_SERVER: server.url, ADC_TOKEN: fix.token },
          cwd: fix.folder.path,
        },
      );
      assert.deepEqual([ended.stdout.trim(), ended.stderr], [`${length}`, ""]);
      assert.equal(await readFile(`${fix.folder.path}/code`, "utf8"), "0\n");
    });

    it("ends quietly when its reader goes away", { skip: onWindows("shell") }, async () => {
      await using fix = await fixture();
      await using server = await serveBig();
      const script = '{ "$@"; echo "$?" >&3; } 3>code | head -c 5';
      const ended = await collect(
        ["sh", "-c", script, "sh", ...home.command, "api", "/big?mb=64"],
        {
          env: { ...fix.env, ADC_SERVER: server.url, ADC_TOKEN: fix.token },
          cwd: fix.folder.path,
        },
      );
      assert.deepEqual([ended.stdout, ended.stderr], ["xxxxx", ""]);
      assert.equal(await readFile(`${fix.folder.path}/code`, "utf8"), "0\n");
    });

    it("is ended by a signal while it waits", async () => {
      await using fix = await fixture();
      let end: () => void = () => {};
      await using server = await serveHttp(() => end());
      const ended = await api(home, fix, ["/x", "--timeout", "1h"], {
        env: { ADC_SERVER: server.url },
        whenStarted: (child) => {
          end = () => child.kill("SIGTERM");
        },
      });
      assert.deepEqual([ended.status, ended.stdout], [143, ""]);
    });
  });
}
