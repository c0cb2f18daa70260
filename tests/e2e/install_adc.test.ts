import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { archive, fileServer, releasePath, sumOf } from "../adc/install_fixture.ts";
import type { Answer, FileServer } from "../adc/install_fixture.ts";
import { startForwardProxy } from "../check/forward_proxy.ts";
import { createCertificate } from "../sandbox/certificate.ts";
import { temporaryFolder } from "../temporary_folder.ts";
import { adcRun, standIn } from "./adc_run.ts";
import type { Ending, StartOptions } from "./adc_run.ts";
import { fixture } from "./fixture.ts";
import { testHomes } from "./homes.ts";
import type { Home } from "./homes.ts";

/** What the stand-in says that it is. */
const VERSION = "0.28.0-standin";

/** A release of the stand-in for ADC. Its parts stay where they are. */
const RELEASE = archive(`#!/bin/sh\nexec node '${standIn("adc.mjs")}' "$@"\n`);

const SUM = sumOf(RELEASE);

/** A home folder without ADC, and a mirror. */
interface Mirror extends AsyncDisposable {
  readonly server: FileServer;
  readonly cwd: string;
  readonly run: (args: readonly string[], more?: Partial<StartOptions>) => Promise<Ending>;
  /** What is in the folder of installed ADCs. */
  readonly installed: () => Promise<readonly string[]>;
}

async function mirror(
  home: Home,
  answer: Answer | Uint8Array = RELEASE,
  tls?: Parameters<typeof fileServer>[1],
): Promise<Mirror> {
  const server = await fileServer(answer, tls);
  const folder = await temporaryFolder();
  const cwd = folder.path;
  const env = { ADC_RUN_DOWNLOAD_URL: server.url };
  return {
    server,
    cwd,
    run: (args, more = {}) => adcRun(home, args, { cwd, ...more, env: { ...env, ...more.env } }),
    installed: async () => {
      const names = await readdir(join(cwd, ".config", "adc-run", "adc")).catch(() => []);
      return names.sort();
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

for (const home of await testHomes()) {
  describe(`install-adc on ${home.name}`, () => {
    it("what it installs is used from then on", async () => {
      await using it = await mirror(home);
      await using gateway = await fixture();
      const first = await it.run(["install-adc", VERSION, "--sha256", SUM]);
      assert.equal(first.code, 0, first.stderr);
      assert.equal(first.stdout, "");
      const file = join(it.cwd, ".config", "adc-run", "adc", VERSION, "adc");
      assert.match(first.stderr, new RegExp(`Downloading ADC ${VERSION} from ${it.server.url}/v0`));
      assert.ok(first.stderr.endsWith(`adc-run: Installed ADC ${VERSION} in ${file}\n`));
      assert.equal(it.server.requests[0]?.url, releasePath(VERSION));
      const ran = await it.run(["ping"], {
        env: { ...gateway.env, ADC_TOKEN: gateway.token },
      });
      assert.equal(ran.code, 0, ran.stderr);
      assert.ok(gateway.sandbox.requests.length > 1, "adc-run asked, and ADC");
      const again = await it.run(["--json", "install-adc", VERSION], {
        env: { ADC_RUN_ADC_SHA256: SUM, ADC_RUN_ADC: "/other" },
      });
      assert.equal(again.code, 0, again.stderr);
      const { how, sha256, warnings } = JSON.parse(again.stdout);
      assert.deepEqual([how, sha256], ["present", SUM]);
      assert.match(warnings[0], /ADC_RUN_ADC names another/);
      const quiet = await it.run(["-q", "install-adc", VERSION, "--force", "--sha256", SUM]);
      assert.deepEqual([quiet.code, quiet.stdout, quiet.stderr], [0, "", ""]);
      assert.equal(it.server.requests.length, 2);
    });

    it("a missing ADC is told with the way to get it", async () => {
      await using it = await mirror(home);
      const ended = await it.run(["lint"], { env: { PATH: "/nowhere" } });
      assert.equal(ended.code, 127);
      assert.match(ended.stderr, /there is no "adc".*\n.*adc-run install-adc.*curl/);
    });

    it("nothing is downloaded without a sum, and nothing installed with another", async () => {
      await using it = await mirror(home);
      const none = await it.run(["install-adc", VERSION]);
      assert.equal(none.code, 78, none.stderr);
      assert.match(none.stderr, /is not known\n.*--sha256/);
      assert.equal(it.server.requests.length, 0);
      const other = await it.run(["install-adc", VERSION, "--sha256", "0".repeat(64)]);
      assert.equal(other.code, 65, other.stderr);
      assert.match(other.stderr, new RegExp(`is ${SUM}, and not 0{64}`));
      assert.deepEqual(await it.installed(), []);
      const version = await it.run(["install-adc", "1.2.3", "--sha256", SUM]);
      assert.equal(version.code, 65);
      assert.match(version.stderr, /says that it is "0\.28\.0-standin"/);
      assert.deepEqual(await it.installed(), []);
      for (const words of [["latest"], ["1.2.3", "x"], ["--sha256"], ["--sum=x"]]) {
        assert.equal((await it.run(["install-adc", ...words])).code, 64, words.join(" "));
      }
    });

    it("over https it follows to another host, and never to http", async () => {
      const authority = createCertificate("CA");
      const certificate = createCertificate("Mirror", {
        issuer: authority,
        use: "server",
        hosts: ["localhost"],
      });
      await using last = await fileServer(RELEASE, certificate);
      await using plain = await fileServer(RELEASE);
      let to = last.url;
      await using it = await mirror(home, (request, response) => {
        response.writeHead(302, { location: `${to}${request.url}?signature=hidden` }).end();
      }, certificate);
      const words = ["install-adc", VERSION, "--sha256", SUM];
      const unknown = await it.run(words);
      assert.equal(unknown.code, 69);
      assert.match(unknown.stderr, /CA that is not known here\n.*NODE_EXTRA_CA_CERTS/);
      await using folder = await temporaryFolder({ "ca.pem": authority.cert });
      const env = { NODE_EXTRA_CA_CERTS: join(folder.path, "ca.pem") };
      to = plain.url;
      const down = await it.run(words, { env });
      assert.equal(down.code, 69);
      assert.match(down.stderr, /redirects from https to http/);
      assert.equal(plain.requests.length, 0);
      assert.deepEqual(await it.installed(), []);
      to = last.url;
      await using proxy = await startForwardProxy();
      const ended = await it.run(words, { env: { ...env, HTTPS_PROXY: proxy.url } });
      assert.equal(ended.code, 0, ended.stderr);
      const hosts = [it.server.url, last.url].map((url) => `CONNECT ${new URL(url).host}`);
      assert.deepEqual(proxy.asked, hosts, "both are asked through the proxy");
      assert.doesNotMatch(unknown.stderr + down.stderr + ended.stderr, /hidden/);
    });

    for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
      it(`${signal} in the middle of it leaves nothing that is in the way`, async () => {
        let stall = true;
        let kill = () => {};
        await using it = await mirror(home, (_, response) => {
          if (!stall) return void response.end(RELEASE);
          response.writeHead(200, { "content-length": RELEASE.length });
          response.write(RELEASE.subarray(0, 100), () => kill());
        });
        const words = ["install-adc", VERSION, "--sha256", SUM];
        const ended = await it.run(words, {
          whenStarted: (child) => kill = () => void process.kill(child.pid!, signal),
        });
        assert.equal(ended.status, { SIGINT: 130, SIGTERM: 143, SIGKILL: 137 }[signal]);
        const left = await it.installed();
        if (signal !== "SIGKILL") assert.deepEqual(left, []);
        const missing = await it.run(["lint"], { env: { PATH: "/nowhere" } });
        assert.equal(missing.code, 127, missing.stderr);
        stall = false;
        const next = await it.run(words);
        assert.equal(next.code, 0, next.stderr);
        assert.deepEqual(await it.installed(), [VERSION, "installed.json"]);
      });
    }
  });
}
