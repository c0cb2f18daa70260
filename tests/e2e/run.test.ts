import assert from "node:assert/strict";
import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { adcRun, standIn } from "../support/adc_run.ts";
import { filesWith, fixture, traces } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { onWindows } from "../support/windows.ts";

const ADC = ["--adc", standIn("adc.mjs")];
const REPORT = ["--adc", standIn("report.mjs")];

/** What a run calls the place of a token. */
const PLACES = {
  file: "ADC_TOKEN_FILE",
  dotenv: "ADC_TOKEN in .*\\.env",
  command: "token command",
} as const;

for (const home of await testHomes()) {
  describe(`adc-run on ${home.name}`, () => {
    it("runs ADC with the token of the environment, and says where it came from", async () => {
      await using it = await fixture({ https: true });
      const { token, folder: { path: cwd } } = it;
      const env = { ...it.env, ADC_TOKEN: token };
      const ended = await adcRun(home, [...ADC, "sync", "-f", "adc.yaml"], { env, cwd });
      assert.equal(ended.status, 0, ended.stderr);
      assert.match(
        ended.stderr,
        /^adc-run: https:\S+ · token [0-9a-f]{8} \(ADC_TOKEN\)\n$/,
      );
      assert.doesNotMatch(ended.stdout, /^adc-run:/m, "standard output belongs to ADC");
      assert.ok(it.sandbox.requests.some(({ method }) => method === "PUT"), "ADC wrote something");
      assert.ok(it.sandbox.requests.every(({ apiKey }) => apiKey === token));
    });

    it("takes the token from a mounted file, .env and a helper command", async () => {
      await using it = await fixture();
      const { token, folder } = it;
      const cwd = folder.path;
      const secret = await folder.write("secret", `${token}\n`);
      const dotenv = await folder.write("other.env", `ADC_TOKEN=${token}\nGREETING=hello\n`);
      const helper = JSON.stringify(["cat", secret]);
      for (
        const [options, env, source] of [
          [[], { ADC_TOKEN_FILE: secret }, "file"],
          [["--env-file", dotenv], {}, "dotenv"],
          [[], { ADC_TOKEN_COMMAND: helper }, "command"],
        ] as const
      ) {
        const ended = await adcRun(home, [...options, ...REPORT, "sync", "--env", "GREETING"], {
          env: { ...it.env, ...env },
          cwd,
        });
        assert.equal(ended.status, 0, ended.stderr);
        assert.match(ended.stderr, new RegExp(` · token [0-9a-f]{8} \\(${PLACES[source]}\\)`));
        const report = JSON.parse(ended.stdout);
        assert.equal(report.env.ADC_TOKEN.present, true);
        assert.equal(report.env.ADC_TOKEN_FILE?.present ?? false, false);
        assert.equal(report.env.ADC_TOKEN_COMMAND?.present ?? false, false);
        assert.equal(report.env.GREETING.value, source === "dotenv" ? "hello" : undefined);
      }
    });

    it("lifts --token out of ADC's argv and leaves every other word as it is", async () => {
      await using it = await fixture();
      const { token, env, folder: { path: cwd } } = it;
      const words = [
        "-f",
        "--token",
        "-f",
        "a b",
        "--label-selector=x=*",
        "--new",
        "",
        "--",
        "--token",
      ];
      const ended = await adcRun(
        home,
        [...REPORT, "sync", `--token=${token}`, ...words, "--report"],
        { env, cwd },
      );
      assert.equal(ended.status, 0, ended.stderr);
      const report = JSON.parse(ended.stdout);
      assert.deepEqual(report.argv, ["sync", ...words, "--report"]);
      assert.equal(report.env.ADC_TOKEN.present, true);
      assert.ok(!ended.stdout.includes(token));
    });

    it("hands standard input and the whole environment to the child, with the connection set", async () => {
      await using it = await fixture();
      const { token, folder: { path: cwd } } = it;
      const env = {
        ...it.env,
        ADC_TOKEN: token,
        API7_USERNAME: "ci-bot",
        API7_PASSWORD: "pass-word",
        UPSTREAM: "10.0.0.1",
      };
      const ended = await adcRun(home, [
        "exec",
        "--",
        standIn("report.mjs"),
        "--stdin",
        "--env",
        "UPSTREAM",
      ], {
        env,
        cwd,
        input: "from standard input",
      });
      assert.equal(ended.status, 0, ended.stderr);
      const report = JSON.parse(ended.stdout);
      assert.equal(report.stdin, "from standard input");
      assert.equal(report.env.UPSTREAM.value, "10.0.0.1");
      assert.equal(report.env.ADC_SERVER.value, it.sandbox.url);
      assert.ok(!("ADC_GATEWAY_GROUP" in report.env), "ADC's default is not told");
      assert.equal(report.env.API7_PASSWORD.present, false);
      assert.equal(report.env.API7_USERNAME.present, false);
    });

    it("passes ADC's exit code on", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      for (const code of [0, 1, 42]) {
        const args = [...REPORT, "diff", "--exit", String(code)];
        const ended = await adcRun(home, args, { env, cwd: it.folder.path });
        assert.equal(ended.code, code, ended.stderr);
      }
    });

    it("masks the token that ADC prints with --verbose 2, and says how often", async () => {
      await using it = await fixture();
      const { folder: { path: cwd } } = it;
      const token = "a7ee-canary-0123456789-abcdef";
      const args = ["--no-check", ...ADC, "sync", "-f", "adc.yaml", "--verbose", "2"];
      const ended = await adcRun(home, args, { env: { ...it.env, ADC_TOKEN: token }, cwd });
      assert.equal(ended.status, 1);
      assert.match(ended.stdout, /'X-API-KEY': '\*\*\*'/);
      assert.match(ended.stderr, /masked a secret \d+ times\n/);
      for (const trace of traces(token)) {
        assert.ok(!ended.stdout.includes(trace) && !ended.stderr.includes(trace));
      }
      const open = await adcRun(home, ["--no-mask", ...args], {
        env: { ...it.env, ADC_TOKEN: token },
        cwd,
      });
      assert.ok(open.stdout.includes(token), "--no-mask lets it through");
    });

    it("fails with 65 on --fail-on-leak when ADC succeeded but printed the token", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const cwd = it.folder.path;
      const leak = ["--fail-on-leak", ...REPORT, "sync", "--split", "40"];
      const leaked = await adcRun(home, leak, { env, cwd });
      assert.equal(leaked.code, 65);
      assert.equal(leaked.stdout, "***");
      const failed = await adcRun(home, [...leak, "--exit", "7"], { env, cwd });
      assert.equal(failed.code, 7, "ADC's own failure comes first");
      const clean = await adcRun(home, ["--fail-on-leak", ...REPORT, "sync"], { env, cwd });
      assert.equal(clean.code, 0);
    });

    it("leaves bytes that are no secret alone", async () => {
      await using it = await fixture();
      const env = { ...it.env, ADC_TOKEN: it.token };
      const args = [...REPORT, "sync", "--raw-hex", "e282ac0a"];
      const ended = await adcRun(home, args, { env, cwd: it.folder.path });
      assert.equal(ended.stdout, "€\n");
    });

    it("asks no source and no server for lint, convert, help and version", async () => {
      await using it = await fixture();
      const { folder: { path: cwd } } = it;
      const env = { ...it.env, ADC_TOKEN_COMMAND: `touch ${cwd}/asked` };
      for (
        const words of [
          ["lint", "-f", "adc.yaml"],
          ["convert", "openapi"],
          ["sync", "--help"],
          ["server", "--listen", "http://127.0.0.1:3000"],
          ["ingress-server"],
        ]
      ) {
        const ended = await adcRun(home, [...REPORT, ...words], { env, cwd });
        assert.equal(ended.status, 0, ended.stderr);
        assert.equal(ended.stderr, "");
        assert.deepEqual(JSON.parse(ended.stdout).argv, words);
      }
      for (const words of [["-v"], ["-V"], ["help", "sync"]]) {
        const ended = await adcRun(home, [...REPORT, "--", ...words], { env, cwd });
        assert.deepEqual(JSON.parse(ended.stdout).argv, words);
      }
      // ADC says by itself that it has no such option there, and gets to see no value of it.
      const ended = await adcRun(home, [...REPORT, "lint", "--token", it.token], { env, cwd });
      assert.deepEqual(JSON.parse(ended.stdout).argv, ["lint", "--token", "***"]);
      assert.deepEqual(it.sandbox.requests, []);
      await assert.rejects(readFile(join(cwd, "asked")));
    });

    it("shows with --dry-run what would run, and runs nothing", async () => {
      await using it = await fixture();
      const { token, folder: { path: cwd } } = it;
      const env = { ...it.env, ADC_TOKEN: token };
      const args = ["--dry-run", ...ADC, "sync", "-f", "adc.yaml", "--token", token];
      const ended = await adcRun(home, args, { env, cwd });
      assert.equal(ended.status, 0, ended.stderr);
      assert.match(ended.stdout, /would run .* sync -f adc.yaml\n/);
      assert.match(ended.stdout, /server +http:.* ADC_SERVER\n/);
      assert.match(ended.stdout, /source +flag +found/);
      assert.ok(!ended.stdout.includes(token));
      assert.deepEqual(it.sandbox.requests.map(({ path }) => path), ["/api/gateway_groups"]);
      const json = await adcRun(home, ["--json", ...args], { env, cwd });
      const plan = JSON.parse(json.stdout);
      assert.deepEqual(plan.command.slice(-3), ["sync", "-f", "adc.yaml"]);
      assert.equal(plan.check.verdict, "valid");
      assert.equal(plan.connection.gatewayGroup.origin.kind, "default");
    });

    it("reports a run as one JSON object on standard error, and nothing with --quiet", async () => {
      await using it = await fixture();
      const { token, folder: { path: cwd } } = it;
      const env = { ...it.env, ADC_TOKEN: token };
      const json = await adcRun(home, ["--json", ...REPORT, "ping", "--exit", "3"], { env, cwd });
      const report = JSON.parse(json.stderr);
      assert.equal(report.exitCode, 3);
      assert.equal(report.token.source, "env");
      assert.equal(JSON.parse(json.stdout).argv[0], "ping");
      const failed = await adcRun(home, ["--json", ...REPORT, "ping"], { env: it.env, cwd });
      assert.equal(JSON.parse(failed.stderr).error.verdict, "no-token");
      const quiet = await adcRun(home, ["--quiet", ...REPORT, "ping"], { env, cwd });
      assert.equal(quiet.stderr, "");
      const quietFailure = await adcRun(home, ["--quiet", ...REPORT, "ping"], { env: it.env, cwd });
      assert.match(quietFailure.stderr, /[Nn]o token for/);
    });

    it("looks a second time when ADC fails, and reports a token that was revoked meanwhile", async () => {
      await using it = await fixture();
      const { token, sandbox, folder: { path: cwd } } = it;
      let asked = 0;
      sandbox.hooks.onRequest = () => {
        // The first request is the check; ADC's own come later.
        if (++asked === 2) sandbox.revokeToken(token);
      };
      const env = { ...it.env, ADC_TOKEN: token };
      const ended = await adcRun(home, [...ADC, "sync", "-f", "adc.yaml"], { env, cwd });
      assert.equal(ended.status, 1);
      assert.match(ended.stderr, /the check passed before the run and fails now: .* 401/);
    });

    it(
      "leaves the token in no argv, no file and no output",
      { skip: onWindows("shell") },
      async () => {
        await using it = await fixture({ https: true });
        const { token, folder } = it;
        const cwd = folder.path;
        const env = { ...it.env, ADC_TOKEN: token, TMPDIR: cwd };
        const spy = await folder.write("spy.sh", SPY);
        await chmod(spy, 0o755);
        const ended = await adcRun(home, ["exec", "--", spy], { env, cwd });
        assert.equal(ended.status, 0, ended.stderr);
        assert.match(ended.stdout, /looked at \d\d* processes/);
        for (const trace of traces(token)) {
          assert.ok(!ended.stdout.includes(trace) && !ended.stderr.includes(trace), "no output");
        }
        assert.deepEqual(await filesWith(cwd, traces(token)), [], "no file");
      },
    );

    it("catches ADC's traps before it starts", async () => {
      await using it = await fixture({ https: true });
      const { token, sandbox, folder: { path: cwd } } = it;
      const env = { ...it.env, ADC_TOKEN: token };
      for (
        const [more, words, code, message] of [
          [{ ADC_TLS_CLIENT_CERT_FILE: sandbox.clientCert }, [], 78, /certificate but no key/],
          [{}, ["--tls-client-key-file", sandbox.clientKey], 64, /key but no certificate/],
          [{ ADC_TLS_SKIP_VERIFY: "1" }, [], 78, /it is not "true"/],
          [{ ADC_TLS_SKIP_VERIFY: "" }, [], 78, /it is not "true"/],
          [{ DOTENV_KEY: "x" }, [], 78, /^adc-run: error: cannot run ADC: DOTENV_KEY is set/],
          [{}, ["--timeout", "1.5s"], 64, /not every ADC reads "1.5s"/],
          [{}, ["--timeout", "25d"], 64, /longer than ADC can wait/],
          [{}, ["--server", "http:127.0.0.1:1"], 64, /not an http or https URL/],
          [{ ADC_BACKEND: "kong" }, [], 78, /"kong" is not a backend/],
          [{}, ["--server", "localhost:9180"], 64, /not an http or https URL/],
          [{}, ["--timeout", "soon"], 64, /not a duration/],
          [{}, ["--ca-cert-file", "nowhere.pem"], 64, /there is no file/],
          [{ ADC_GATEWAY_GROUP: "" }, [], 78, /gateway group is empty/],
        ] as const
      ) {
        const args = [...REPORT, "sync", ...words];
        const ended = await adcRun(home, args, { env: { ...env, ...more }, cwd });
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, message);
        assert.equal(ended.stdout, "", "ADC was not started");
      }
      assert.deepEqual(sandbox.requests, [], "no request was made");
    });

    it("says how to get ADC where there is none, and what is wrong where it cannot be run", async () => {
      await using it = await fixture();
      const { folder, sandbox } = it;
      const env = { ...it.env, ADC_TOKEN: it.token };
      const text = await folder.write("text", "no program");
      for (
        const [args, code, message] of [
          [
            ["--adc", "./nothing", "ping"],
            127,
            /"\.\/nothing" was not found[\s\S]*Check the path in --adc/,
          ],
          [["--adc", text, "ping"], 126, /not executable/],
          [["exec", "--", "no-such-program-here"], 127, /"no-such-program-here": it was not found/],
          [["exec", "--", text], 126, /EACCES/],
          [["exec", "--", folder.path], 126, /EACCES/],
          [["--ephemeral", "exec", "--", "./nothing"], 127, /it was not found/],
          [["--ephemeral", "--dry-run", "--adc", "./nothing", "ping"], 127, /was not found/],
          [["exec"], 64, /no command to run/],
          [["--frobnicate", "ping"], 64, /unknown option "--frobnicate"/],
          [["--token=hidden-value", "ping"], 64, /unknown option "--token"/],
          [[...REPORT, "--source", "env,moon", "ping"], 64, /"moon" is not a source/],
          [["-q"], 64, /no command given/],
        ] as const
      ) {
        const ended = await adcRun(home, args, { env, cwd: folder.path });
        assert.equal(ended.code, code, ended.stderr);
        assert.match(ended.stderr, message);
        assert.ok(!ended.stderr.includes("hidden-value"));
        assert.doesNotMatch(ended.stderr, / · token /, "nothing was announced");
      }
      assert.deepEqual(sandbox.requests, [], "nothing was sent, and no token was made");
    });
  });
}

/** Reads the command line of every process on the machine, and counts what holds the child's token. */
const SPY = `#!/bin/sh
count=0
for line in /proc/[0-9]*/cmdline; do
  count=$((count + 1))
  if tr '\\0' ' ' < "$line" 2>/dev/null | grep -qF -- "$ADC_TOKEN"; then
    # The grep of this very loop has it in its own argv.
    case $(tr '\\0' ' ' < "$line" 2>/dev/null) in grep*) ;; ?*) echo "found in $line"; exit 9 ;; esac
  fi
done
echo "looked at $count processes"
`;
