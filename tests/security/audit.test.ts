import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { describe, it } from "node:test";
import { outputOf, runCommand } from "../support/run_command.ts";
import { repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** What npm takes for an installation that is to be audited. */
const INSTALLED = {
  "package.json": JSON.stringify({ dependencies: { undici: "7.30.2" } }),
  "package-lock.json": JSON.stringify({
    lockfileVersion: 3,
    packages: {
      "": { dependencies: { undici: "7.30.2" } },
      "node_modules/undici": { version: "7.30.2" },
    },
  }),
};

const KNOWN = {
  undici: [{
    id: 1,
    url: "https://example.com/advisory",
    title: "Made up for a test",
    severity: "high",
    vulnerable_versions: "<99",
    cwe: [],
    cvss: { score: 7, vectorString: "" },
  }],
};

/** Runs the audit with a registry that answers one thing. */
async function audit(status: number, answer: unknown, required = "") {
  await using folder = await temporaryFolder(INSTALLED);
  const asked: string[] = [];
  const registry = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    response.writeHead(request.method === "POST" ? status : 404, {
      "content-type": "application/json",
    }).end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
  const { PATH = "", HOME = "" } = process.env;
  const { port } = registry.address() as AddressInfo;
  try {
    const script = `${repository}scripts/audit.ts`;
    const ended = await runCommand([process.execPath, "run", "-A", script, folder.path], {
      env: {
        PATH,
        HOME,
        NO_COLOR: "1",
        DENO_NO_UPDATE_CHECK: "1",
        NPM_CONFIG_REGISTRY: `http://127.0.0.1:${port}`,
        ADC_RUN_TEST_REQUIRE: required,
      },
    });
    const questions = asked.filter((line) => line.startsWith("POST"));
    const [one] = questions;
    assert.equal(one, "POST /-/npm/v1/security/advisories/bulk");
    assert.equal(questions.length, status === 200 ? 2 : 1);
    return ended;
  } finally {
    registry.closeAllConnections();
    registry.close();
  }
}

describe("the audit", () => {
  it("passes where the registry knows of nothing", async () => {
    const { code, stdout, stderr } = await audit(200, {});
    assert.equal(code, 0, stderr);
    assert.equal(stdout.match(/^Nothing is known/gm)?.length, 2, stdout);
    assert.doesNotMatch(stderr, /SKIPPED/);
  });

  it("fails for what the registry knows of, in the lockfile and in what is installed", async () => {
    const { code, stdout, stderr } = await audit(200, KNOWN);
    assert.equal(code, 1, stderr);
    assert.equal(stdout.match(/^VULNERABLE/gm)?.length, 2, stdout);
    assert.equal(stdout.match(/Made up for a test/g)?.length, 2, stdout);
  });

  it("says aloud that the registry cannot be asked, and fails only where it must be", async () => {
    const { code, stdout, stderr } = await audit(405, {});
    assert.equal(code, 0, stderr);
    assert.equal(stderr.match(/^SKIPPED: .* were not audited/gm)?.length, 2, stderr);
    assert.equal(stdout, "");
    assert.equal((await audit(405, {}, "strace, audit")).code, 1);
  });

  it("is part of the gate", async () => {
    const config = JSON.parse(await outputOf(["cat", `${repository}deno.json`]));
    assert.match(config.tasks.audit.command, /scripts\/audit\.ts/);
    assert.match(await outputOf(["cat", `${repository}.ci/run`]), /^deno task audit$/m);
  });
});
