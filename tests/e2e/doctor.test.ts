import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { CHECK_NAMES } from "../../src/doctor/diagnose.ts";
import type { Finding } from "../../src/doctor/finding.ts";
import type { SandboxOptions } from "../sandbox/sandbox_options.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { fixture, traces } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { startForwardProxy } from "../support/forward_proxy.ts";
import { testHomes } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import { freePort, serveHttp } from "../support/loopback.ts";
import { takeTurns } from "../support/token_fixture.ts";
import { onWindows, REFUSED } from "../support/windows.ts";

const homes = await testHomes("every engine");
const next = takeTurns(homes);

/** What came out, taken apart. */
interface Report {
  readonly ended: Ending;
  readonly findings: readonly Finding[];
  readonly exitCode: number;
  readonly of: (check: Finding["check"]) => readonly Finding[];
}

interface LookOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly words?: readonly string[];
  readonly adc?: boolean;
}

async function look(
  it: Fixture,
  { env = {}, words = [], adc = true }: LookOptions = {},
): Promise<Report> {
  const options = adc ? ["--adc", standIn("adc.mjs")] : [];
  const ended = await adcRun(next(), [...options, "doctor", "--json", ...words], {
    cwd: it.folder.path,
    env: { ...it.env, ...env },
  });
  return read(ended, it.sandbox.secrets);
}

function read(ended: Ending, secrets: readonly string[]): Report {
  for (const secret of secrets.flatMap(traces)) {
    assert.ok(!(ended.stdout + ended.stderr).includes(secret), "a secret came out");
  }
  assert.equal(ended.stderr, "");
  const { findings, exitCode } = JSON.parse(ended.stdout);
  assert.equal(ended.code, exitCode);
  return {
    ended,
    findings,
    exitCode,
    of: (check) => (findings as Finding[]).filter((each) => each.check === check),
  };
}

/** Expects one check to have failed, alone or as the first, and the exit code to be its own. */
function assertFailed(report: Report, check: Finding["check"], code: number, found: RegExp): void {
  const failed = report.findings.filter(({ status }) => status === "failed");
  assert.equal(failed[0]?.check, check, JSON.stringify(failed));
  assert.match(failed[0]!.found, found);
  assert.ok(failed[0]!.suggestion, "it says what to do");
  assert.equal(report.exitCode, code);
}

function assertWarned(report: Report, check: Finding["check"], found: RegExp): void {
  const warnings = report.of(check).filter(({ status }) => status === "warning");
  assert.ok(
    warnings.some((each) => found.test(each.found)),
    `${check}: ${JSON.stringify(report.of(check))}`,
  );
}

function assertOk(report: Report, check: Finding["check"], found: RegExp): void {
  const [first] = report.of(check);
  assert.equal(first?.status, "ok", JSON.stringify(first));
  assert.match(first.found, found);
}

function git(cwd: string, ...args: readonly string[]): void {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  execFileSync("git", [...identity, ...args], { cwd, stdio: "ignore" });
}

async function prepare(
  options: SandboxOptions = {},
): Promise<Fixture & { readonly ok: Record<string, string> }> {
  const it = await fixture(options);
  return { ...it, ok: { ADC_TOKEN: it.token } };
}

for (const home of homes) {
  describe(`adc-run doctor on ${home.name}`, () => {
    it("finds nothing wrong over HTTP and over HTTPS, and says so, a line a check", async () => {
      for (const https of [false, true]) {
        await using it = await prepare({ https });
        const ended = await adcRun(home, ["-v", "--adc", standIn("adc.mjs"), "doctor"], {
          cwd: it.folder.path,
          env: { ...it.env, ...it.ok },
        });
        assert.equal(ended.code, 0, ended.stdout + ended.stderr);
        assert.equal(ended.stderr, "");
        const lines = ended.stdout.trimEnd().split("\n");
        const checks = lines.filter((line) => /^(ok|warning|skipped) /.test(line));
        assert.deepEqual(checks.map((line) => line.split(/ +/)[1]), CHECK_NAMES);
        assert.match(ended.stdout, /^ok {7}adc {9}0\.28\.0-standin at /m);
        assert.match(ended.stdout, /^ok {7}token .* from env \(ADC_TOKEN\): .*ci-bot's \(roles: /m);
        assert.match(ended.stdout, /\n(no problems|\d warnings?)\n$/);
        for (const trace of traces(it.token)) assert.ok(!ended.stdout.includes(trace));
        const keys = new Set(it.sandbox.requests.map(({ apiKey }) => apiKey));
        assert.deepEqual(keys, new Set([undefined, it.token]));
        assert.ok(
          it.sandbox.requests.every(({ method }) => method === "GET"),
          "it changes nothing",
        );
        assert.deepEqual(await readdir(it.folder.path), ["adc.yaml"], "and leaves nothing behind");
      }
    });

    it("knows each backend", async () => {
      for (const backend of ["apisix", "apisix-standalone"] as const) {
        await using it = await prepare({ backend });
        const ended = await adcRun(home, ["--adc", standIn("adc.mjs"), "doctor", "--json"], {
          cwd: it.folder.path,
          env: { ...it.env, ...it.ok },
        });
        const report = read(ended, it.sandbox.secrets);
        assert.equal(report.exitCode, 0, ended.stdout);
        assertOk(report, "backend", /Apache APISIX.* \(APISIX\/3\./);
        assertOk(report, "token", /accepted by the server/);
        assert.equal(report.of("group")[0]?.status, "skipped");
      }
    });
  });
}

describe("adc-run doctor", () => {
  it(
    "adc: tells that there is none, and one of another version",
    { skip: onWindows("shell") },
    async () => {
      await using it = await prepare();
      const none = await look(it, { env: { ...it.ok, ADC_RUN_ADC: "/nowhere/adc" }, adc: false });
      assertFailed(none, "adc", 127, /"\/nowhere\/adc" was not found/);
      const script = await it.folder.write("bin/adc", "#!/bin/sh\necho 0.99.1\n");
      await chmod(script, 0o755);
      const newer = await look(it, { env: { ...it.ok, ADC_RUN_ADC: script }, adc: false });
      assertWarned(newer, "adc", /^0\.99\.1 at .*tested with 0\.28/);
      assert.equal(newer.exitCode, 0);
    },
  );

  it("config: names the line of a malformed file, and looks at the rest all the same", async () => {
    await using it = await prepare();
    const config = join(it.folder.path, "config");
    await mkdir(config, { mode: 0o700 });
    await it.folder.write("config/config.json", '{\n  "version": 1,\n  "profiles": [\n}\n');
    await chmod(join(config, "config.json"), 0o600);
    const env = { ...it.ok, ADC_RUN_CONFIG_DIR: config };
    const report = await look(it, { env });
    assertFailed(report, "config", 65, /line [34]/);
    assert.equal(report.of("token")[0]?.status, "skipped");
    assert.deepEqual([...new Set(report.findings.map(({ check }) => check))], CHECK_NAMES);
    assert.deepEqual(it.sandbox.requests, [], "no token goes out while the target is unclear");
    const past = await look(it, { env, words: ["--no-profile"] });
    assert.equal(past.of("token")[0]?.status, "ok", "and without profiles it is not unclear");
    assert.equal(past.exitCode, 65);
  });

  it("config: shows the profile in force, and fails where it is not there", async () => {
    await using it = await prepare();
    const config = join(it.folder.path, "config");
    await mkdir(config, { mode: 0o700 });
    const profiles = { staging: { backend: "api7ee", server: it.sandbox.url } };
    await it.folder.write("config/config.json", JSON.stringify({ version: 1, profiles }));
    await chmod(join(config, "config.json"), 0o600);
    const base = { ...it, env: {} };
    const env = { ...it.ok, ADC_RUN_CONFIG_DIR: config };
    const good = await look(base, { env, words: ["-p", "staging"] });
    assert.equal(good.exitCode, 0, good.ended.stdout);
    assertOk(good, "config", /1 profile in .*config\.json; "staging" in use/);
    assertOk(good, "connection", /"server" of profile "staging"/);
    const missing = await look(base, { env, words: ["-p", "stagin"] });
    assertFailed(missing, "config", 64, /stagin/);
  });

  it("env-file: names lines that ADC ignores, and a file that cannot be read", {
    skip: onWindows("mode of a file"),
  }, async () => {
    await using it = await prepare();
    const text =
      `ADC_TOKEN=${it.token}\nADC_TOKEN a7ee-not-this-canary\n\n# a comment\nexport FOO\n`;
    await it.folder.write(".env", text);
    const report = await look(it);
    assertWarned(report, "env-file", /lines 2, 5:/);
    assert.ok(!report.ended.stdout.includes("not-this-canary"));
    assertOk(report, "token", /from dotenv/);
    const missing = await look(it, { env: { ...it.ok, ADC_RUN_ENV_FILE: "no.env" } });
    assertFailed(missing, "env-file", 64, /no\.env/);
    await using other = await prepare();
    await symlink(".env", join(other.folder.path, ".env"));
    assertFailed(
      await look(other, { env: other.ok }),
      "env-file",
      74,
      /cannot be read: .*\(ELOOP\)/,
    );
  });

  it("files: a token that git tracks is a failure, one that it does not is none", {
    skip: onWindows("git"),
  }, async () => {
    await using it = await prepare();
    const { path } = it.folder;
    git(path, "init", "-q");
    await it.folder.write(".env", `ADC_TOKEN=${it.token}\n`);
    const loose = await look(it);
    assertOk(loose, "files", /^\.env with a token: not tracked/);
    git(path, "add", ".env");
    assertFailed(await look(it), "files", 78, /^\.env contains a token, and git tracks the file/);
    git(path, "rm", "-q", "--cached", ".env");
    await it.folder.write("deploy.yaml", `key: ${it.token}\n`);
    git(path, "add", "deploy.yaml");
    assertFailed(await look(it), "files", 78, /^deploy\.yaml contains a token/);
  });

  it("files: a token that others can read is worth a warning, one that they can change a failure", {
    skip: onWindows("mode of a file"),
  }, async () => {
    await using it = await prepare();
    const { path } = it.folder;
    const file = await it.folder.write(".env", `ADC_TOKEN=${it.token}\n`);
    await chmod(file, 0o644);
    assertOk(await look(it), "files", /not readable by others/);
    await chmod(path, 0o755);
    assertWarned(await look(it), "files", /others can read the file: its mode is 0644/);
    await chmod(file, 0o666);
    assertFailed(await look(it), "files", 78, /others can change the file/);
    await chmod(file, 0o600);
    assertOk(await look(it), "files", /not readable by others/);
  });

  it("runs no program of a hostile repository", { skip: onWindows("shell") }, async () => {
    await using it = await prepare();
    const { path } = it.folder;
    git(path, "init", "-q");
    await it.folder.write(".env", `ADC_TOKEN=${it.token}\n`);
    git(path, "add", ".env");
    const pwned = join(path, "pwned");
    const program = `#!/bin/sh\necho "$0" >>'${pwned}'\necho 0.28.0\n`;
    for (const name of ["evil", "node_modules/.bin/adc", "node_modules/.bin/git", "bin/git"]) {
      await chmod(await it.folder.write(name, program), 0o755);
    }
    for (const name of ["post-index-change", "post-checkout"]) {
      await chmod(await it.folder.write(`.git/hooks/${name}`, program), 0o755);
    }
    const evil = join(path, "evil");
    for (const key of ["core.fsmonitor", "core.sshCommand", "core.pager", "core.editor"]) {
      git(path, "config", key, evil);
    }
    git(path, "config", "alias.ls-files", `!${evil}`);
    git(path, "config", "extensions.partialClone", "origin");
    git(path, "config", "remote.origin.url", `ext::${evil}`);
    git(path, "config", "filter.evil.clean", evil);
    await it.folder.write(".gitattributes", "* filter=evil\n");
    const PATH = [join(path, "node_modules/.bin"), join(path, "bin"), process.env.PATH].join(":");
    // A home folder is no project.
    const report = await look(it, { env: { PATH, HOME: "/nowhere" }, adc: false });
    assertWarned(report, "adc", /node_modules\/\.bin\/adc came with this folder/);
    assertFailed(report, "files", 78, /^\.env contains a token, and git tracks the file/);
    assert.ok(!existsSync(pwned), "a program of the repository ran");
  });

  it("connection: a setting that cannot be used does not keep the rest from being looked at", async () => {
    await using it = await prepare({ https: true });
    const cases = [
      [{ ADC_SERVER: "gateway.example.com:7443" }, 78, /not an http or https URL/],
      [{ ADC_TLS_SKIP_VERIFY: "1" }, 78, /it is not "true"/],
      [{ ADC_TLS_CLIENT_CERT_FILE: it.sandbox.clientCert }, 78, /certificate but no key/],
    ] as const;
    for (const [env, code, found] of cases) {
      const report = await look(it, { env: { ...it.ok, ...env } });
      assertFailed(report, "connection", code, found);
      assert.deepEqual([...new Set(report.findings.map(({ check }) => check))], CHECK_NAMES);
      assert.equal(report.of("adc")[0]?.status, "ok");
      assert.equal(report.of("server")[0]?.status, "skipped");
    }
  });

  it("server: refused, in trouble, and too slow", async () => {
    await using it = await prepare();
    const port = await freePort();
    const refused = await look(it, { env: { ...it.ok, ADC_SERVER: `http://127.0.0.1:${port}` } });
    assertFailed(refused, "server", 69, REFUSED);
    assert.equal(refused.of("token")[0]?.status, "skipped");
    it.sandbox.fault("/", { kind: "status", status: 500, body: {} });
    assertFailed(await look(it, { env: it.ok }), "server", 69, /answered 500/);
    it.sandbox.clearFaults();
    it.sandbox.fault("/", { kind: "slow-headers", ms: "never" });
    const slow = await look(it, { env: it.ok, words: ["--timeout", "300ms"] });
    assertFailed(slow, "server", 69, /no response within 0\.3 s/);
  });

  it("tls: unknown CA, ended, another name, not verified, no client certificate", async () => {
    await using it = await prepare({ https: true });
    const unknown = await look(it, {
      env: { ...it.ok, ADC_CA_CERT_FILE: it.sandbox.otherCa },
    });
    assertFailed(unknown, "tls", 69, /signed by an unknown CA; .*"Sandbox CA"/);
    assert.match(unknown.of("backend")[0]!.found, /not checked: TLS failed/);
    assertOk(unknown, "server", /answers/);
    assert.deepEqual(it.sandbox.requests, []);
    const off = await look(it, { env: { ...it.ok, ADC_TLS_SKIP_VERIFY: "true" } });
    assertWarned(off, "tls", /not verified \(ADC_TLS_SKIP_VERIFY\)/);
    for (
      const [options, found] of [
        [{ expiredCertificate: true }, /has expired; .*expired 20/],
        [{ wrongName: true }, /another name; it is for elsewhere\.example/],
        [{ clientCertificate: true }, /client certificate/],
      ] as const
    ) {
      await using other = await prepare({ https: true, ...options });
      assertFailed(await look(other, { env: other.ok }), "tls", 69, found);
    }
  });

  it("backend and token agree where APISIX lets nobody in from this address", async () => {
    for (const backend of ["apisix", "apisix-standalone"] as const) {
      await using it = await prepare({ backend, allowAdmin: false });
      const report = await look(it, { env: it.ok });
      assertFailed(report, "token", 77, /answered 403/);
      assert.match(report.of("token")[0]?.suggestion ?? "", /"allow_admin"/);
      assert.equal(report.of("backend")[0]?.status, "skipped");
    }
  });

  it("token: what ADC could not read, though the key is right", async () => {
    await using it = await prepare({ backend: "apisix", adminApiVersion: "v2" });
    const report = await look(it, { env: it.ok });
    assertFailed(report, "token", 78, /version 2 of the Admin API/);
    assertOk(report, "backend", /is Apache APISIX/);
    await using etcd = await prepare({ backend: "apisix", version: "3.2.2" });
    const env = { ...etcd.ok, ADC_BACKEND: "apisix-standalone" };
    const other = await look(etcd, { env });
    assertFailed(other, "backend", 78, /is Apache APISIX.*"apisix-standalone"/);
  });

  it("tls: what the nginx of APISIX says in a page", async () => {
    for (const backend of ["apisix", "apisix-standalone"] as const) {
      await using it = await prepare({ backend, clientCertificate: true });
      const missing = await look(it, { env: it.ok });
      assertFailed(missing, "tls", 69, /No required SSL certificate/);
      assert.equal(missing.of("token")[0]?.status, "skipped");
      const plain = it.sandbox.url.replace("https:", "http:");
      const http = await look(it, { env: { ...it.ok, ADC_SERVER: plain } });
      assertFailed(http, "tls", 69, /plain HTTP request/);
    }
  });

  it("group: an empty name is refused, but not with an admin key", async () => {
    await using it = await prepare();
    const empty = { ADC_GATEWAY_GROUP: "" };
    const report = await look(it, { env: { ...it.ok, ...empty } });
    assertFailed(report, "group", 78, /group is empty/);
    const token = it.sandbox.addToken({ prefix: "a7adm-" }).value;
    const admin = await look(it, { env: { ADC_TOKEN: token, ...empty } });
    assert.equal(admin.exitCode, 0, admin.ended.stdout);
  });

  it("tls: a client certificate, and a proxy in between", async () => {
    await using it = await prepare({ clientCertificate: true });
    const pair = {
      ADC_TLS_CLIENT_CERT_FILE: it.sandbox.clientCert,
      ADC_TLS_CLIENT_KEY_FILE: it.sandbox.clientKey,
    };
    const report = await look(it, { env: { ...it.ok, ...pair } });
    assert.equal(report.exitCode, 0, report.ended.stdout);
    assert.equal(report.of("tls")[0]?.data?.issuer, "Sandbox CA");
    await using other = await prepare({ https: true });
    await using proxy = await startForwardProxy();
    const through = await look(other, { env: { ...other.ok, HTTPS_PROXY: proxy.url } });
    assert.equal(through.exitCode, 0, through.ended.stdout);
    assertOk(
      through,
      "tls",
      /verified by ADC_CA_CERT_FILE; its expiry is unknown, as the/,
    );
    await using refusing = await startForwardProxy({ refuse: 407 });
    for (
      const [fixture, name] of [[other, "HTTPS_PROXY"], [await prepare(), "HTTP_PROXY"]] as const
    ) {
      const refused = await look(fixture, { env: { ...fixture.ok, [name]: refusing.url } });
      assertFailed(refused, "server", 69, /proxy/);
      assert.equal(refused.of("proxy")[0]?.status, "failed");
      if (fixture !== other) await fixture[Symbol.asyncDispose]();
    }
  });

  it("backend: names the one that answers instead", async () => {
    for (
      const [real, set] of [
        ["api7ee", "apisix"],
        ["apisix", "api7ee"],
        ["apisix", "apisix-standalone"],
        ["apisix-standalone", "apisix"],
      ] as const
    ) {
      await using it = await prepare({ backend: real });
      const report = await look(it, { env: { ...it.ok, ADC_BACKEND: set } });
      const [finding] = report.of("backend");
      assert.equal(finding?.status, "failed", `${real} for ${set}: ${JSON.stringify(finding)}`);
      assert.equal(finding.data?.answers, real);
      assert.equal(finding.suggestion, `Set --backend ${real} or ADC_BACKEND=${real}.`);
      assert.equal(report.exitCode, 78);
    }
    await using it = await prepare();
    await using page = await serveHttp((_request, response) => {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>Shop</title>");
    });
    const env = { ...it.ok, ADC_SERVER: page.url };
    assertFailed(
      await look(it, { env }),
      "backend",
      78,
      /not an Admin API that ADC supports \(200\)/,
    );
  });

  it("token: none, wrong, malformed, without the right, and a Super Admin's", async () => {
    await using it = await prepare();
    assertFailed(await look(it), "token", 77, /^No token for /);
    const wrong = await look(it, { env: { ADC_TOKEN: "a7ee-nobody-knows-this-one-1" } });
    assertFailed(wrong, "token", 77, /401/);
    assertFailed(await look(it, { env: { ADC_TOKEN: '"quoted"' } }), "token", 65, /in quotes/);
    const weak = it.sandbox.addToken({ user: "ci-bot", permissions: { gatewayGroups: false } });
    assertFailed(await look(it, { env: { ADC_TOKEN: weak.value } }), "token", 77, /403/);
    const admin = it.sandbox.addToken().value;
    const report = await look(it, { env: { ADC_TOKEN: admin } });
    assertWarned(report, "token", /"admin", a Super Admin/);
    assert.equal(report.exitCode, 0);
    const helper = await look(it, { env: { ADC_TOKEN_COMMAND: "false" } });
    assertFailed(helper, "token", 74, /command/);
    const source = await look(it, { env: it.ok, words: ["--source", "envv"] });
    assertFailed(source, "token", 64, /envv/);
  });

  it("group: there, and not there", async () => {
    await using it = await prepare();
    it.sandbox.addGatewayGroup("blue");
    const words = ["--gateway-group", "blue"];
    assertOk(await look(it, { env: it.ok, words }), "group", /"blue" \(--gateway-group\) exists/);
    const report = await look(it, { env: { ...it.ok, ADC_GATEWAY_GROUP: "green" } });
    assertFailed(report, "group", 78, /^gateway group "green" does not exist \(/);
    assert.equal(report.of("token")[0]?.status, "ok");
    const key = it.sandbox.addToken({ prefix: "a7adm-" }).value;
    const admin = await look(it, { env: { ADC_TOKEN: key } });
    assert.equal(admin.of("group")[0]?.status, "skipped");
    assert.equal(admin.exitCode, 0);
  });

  it("clock: a server that lives at another time", async () => {
    await using it = await prepare();
    for (
      const [minutes, found] of [
        [3, /3 min ahead of this machine's/],
        [-600, /10 h behind this machine's/],
      ] as const
    ) {
      const date = new Date(Date.now() + minutes * 60_000).toUTCString();
      await using server = await serveHttp((_request, response) => {
        response.writeHead(401, { date, "content-type": "application/json" });
        response.end('{"error_msg": "unauthorized"}');
      });
      assertWarned(await look(it, { env: { ADC_SERVER: server.url } }), "clock", found);
    }
    assertOk(await look(it, { env: it.ok }), "clock", /agree on the time/);
  });

  it("proxy: in the way, dead, and not meant for this host", {
    skip: onWindows("way to tell http_proxy from HTTP_PROXY"),
  }, async () => {
    await using it = await prepare();
    await using proxy = await startForwardProxy();
    const env = { ...it.ok, HTTP_PROXY: proxy.url };
    const report = await look(it, { env });
    assertWarned(
      report,
      "proxy",
      /go through proxy 127\.0\.0\.1:\d+ \(HTTP_PROXY\), but the server is/,
    );
    assert.equal(report.exitCode, 0);
    const dead = `http://127.0.0.1:${await freePort()}`;
    const broken = await look(it, { env: { ...it.ok, HTTP_PROXY: dead } });
    assert.equal(broken.of("proxy")[0]?.status, "failed", broken.ended.stdout);
    assertFailed(broken, "server", 69, /refused|proxy/);
    assertOk(await look(it, { env: { ...env, NO_PROXY: "127.0.0.1" } }), "proxy", /^none/);
    const near = {
      ...env,
      ADC_SERVER: it.sandbox.url.replace("127.0.0.1", "api.example.localhost"),
    };
    const missed = await look(it, { env: { ...near, NO_PROXY: "example.localhost" } });
    assertWarned(
      missed,
      "proxy",
      /bypasses the proxy for .*, as NO_PROXY lists "example\.localhost"/,
    );
    const clear = { ...near, NO_PROXY: "example.localhost,.example.localhost" };
    assertOk(await look(it, { env: clear }), "proxy", /^none/);
  });

  it("traps: what ADC reads otherwise than people think", async () => {
    await using it = await prepare();
    const cases: readonly (readonly [Record<string, string>, string, RegExp])[] = [
      [{ ADC_TOKEN: "" }, "", /exported but empty/],
      [{ API_KEY: it.token }, "", /API_KEY, which ADC by itself does not read/],
      [it.ok, "ADC_TOKEN=a7ee-another-one\n", /also set in \.env, to another value/],
      [
        it.ok,
        "ADC_RUN_ADC=./evil\nADC_TOKEN_COMMAND=./evil\n",
        /ADC_RUN_ADC, ADC_TOKEN_COMMAND in \.env have no effect/,
      ],
      [{ ...it.ok, ADC_TIMEOUT: "30s" }, "", /but ADC does not read it/],
      [{ ...it.ok, NODE_TLS_REJECT_UNAUTHORIZED: "0" }, "", /turns verification off in every/],
      [{ ...it.ok, ADC_RUNNING_MODE: "ingress" }, "", /ingress/],
    ];
    for (const [env, text, found] of cases) {
      await it.folder.write(".env", text);
      assertWarned(await look(it, { env }), "traps", found);
    }
    await it.folder.write(".env", "");
    assertOk(await look(it, { env: it.ok }), "traps", /no known problems/);
    const file = await it.folder.write("token", it.sandbox.addToken({ user: "ci-bot" }).value);
    const two = await look(it, { env: { ...it.ok, ADC_TOKEN_FILE: file } });
    assertWarned(two, "traps", /^file also has a token; the one from ADC_TOKEN is used/);
    await it.folder.write(".env", `ADC_SERVER=${it.sandbox.url}\nADC_BACKEND=api7ee\n`);
    const led = await look({ ...it, env: {} }, { env: it.ok });
    assertWarned(
      led,
      "traps",
      /goes to the server set in \.env, a file that comes with this folder/,
    );
  });

  it("refuses what has no meaning for it", async () => {
    await using it = await prepare();
    for (const words of [["--no-check"], ["word"], ["-p", "a,b"], ["--nonsense"]]) {
      const ended = await adcRun(next(), ["doctor", ...words], { cwd: it.folder.path });
      assert.equal(ended.code, 64, `${words}: ${ended.stdout}`);
      assert.equal(ended.stdout, "");
    }
    const before = await adcRun(next(), ["--dry-run", "doctor"], { cwd: it.folder.path });
    assert.equal(before.code, 64);
  });

  it("says with -q only what is not right", async () => {
    await using it = await prepare();
    const words = ["--adc", standIn("adc.mjs"), "-q", "doctor"];
    const options = { cwd: it.folder.path, env: { ...it.env, ...it.ok } };
    assert.equal((await adcRun(next(), words, options)).stdout, "");
    const env = { ...options.env, ADC_GATEWAY_GROUP: "green" };
    const { stdout, code } = await adcRun(next(), words, { ...options, env });
    assert.match(stdout, /^failed {3}group .*\n {21}fix: Existing groups: "default"/);
    assert.equal(stdout.split("\n").length, 3);
    assert.equal(code, 78);
  });

  it("colors its words where it is told to, and leaves nothing of what a server would draw", async () => {
    await using it = await prepare();
    const body = { error_msg: "\x1b[2Jbad\r\nok  token  fine" };
    it.sandbox.fault("/", { kind: "status", status: 401, body });
    const ended = await adcRun(next(), ["-v", "--adc", standIn("adc.mjs"), "doctor"], {
      cwd: it.folder.path,
      env: { ...it.env, ...it.ok, NO_COLOR: "", FORCE_COLOR: "1" },
    });
    const text = ended.stdout.replaceAll("\x1b", "ESC");
    assert.match(text, /^ESC\[32mok {7}ESC\[39madc /);
    assert.match(text, /^ESC\[31mfailed {3}ESC\[39mtoken .*bad/m);
    assert.ok(!text.includes("ESC[2J") && !/^ok {2}token/m.test(ended.stdout));
  });

  it("ends on SIGINT the way a program ends on it", { skip: onWindows("signal") }, async () => {
    await using it = await prepare();
    const hold = it.sandbox.hold("/");
    const ended = adcRun(next(), ["--adc", standIn("adc.mjs"), "doctor"], {
      cwd: it.folder.path,
      env: { ...it.env, ...it.ok },
      whenStarted: (child) => void hold.arrived.then(() => process.kill(child.pid!, "SIGINT")),
    });
    assert.equal((await ended).status, 130);
    hold.release();
  });
});

const skip = keychainSkip();

describe("adc-run doctor and the real keychain", { skip }, () => {
  it("keychain: usable, locked, hanging, and none", async () => {
    await using it = await prepare();
    await using session = await startKeychainSession();
    const { command } = next();
    const run = async (env: Record<string, string> = {}): Promise<Report> => {
      const words = [...command, "--adc", standIn("adc.mjs"), "doctor", "--json"];
      const ended = await session.run(words, {
        env: { ...it.env, ...env },
        cwd: it.folder.path,
      });
      return read({ ...ended, status: ended.code ?? 1 } as Ending, it.sandbox.secrets);
    };
    const login = await session.run([...command, "auth", "login", "--with-token"], {
      env: it.env,
      cwd: it.folder.path,
      input: `${it.token}\n`,
    });
    assert.equal(login.code, 0, login.stderr);
    const good = await run();
    assert.equal(good.exitCode, 0, good.ended.stdout);
    assertOk(good, "keychain", /can be read/);
    assertOk(good, "token", /from keychain/);

    await session.turn("locked");
    const locked = await run();
    assertFailed(locked, "token", 74, /keychain/);
    assert.equal(locked.of("keychain")[0]?.status, "failed");
    assert.match(locked.of("keychain")[0]!.found, /locked/);
    const other = await run(it.ok);
    assertWarned(other, "keychain", /locked/);
    assert.equal(other.exitCode, 0, "a run with a token from elsewhere does not ask it");

    await session.turn("hanging");
    assert.equal((await run()).of("keychain")[0]?.data?.failure, "silent");

    await session.turn("no-service");
    assertWarned(await run(), "keychain", /no keychain/);
    assert.equal((await run(it.ok)).of("keychain")[0]?.status, "skipped");
  });
});
