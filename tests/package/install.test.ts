import assert from "node:assert/strict";
import { access, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { environmentWith, outputOf, runCommand } from "../support/run_command.ts";
import type { CommandResult } from "../support/run_command.ts";
import { installTarball, nodeRuntime, skipWithout } from "../support/runtimes.ts";
import type { Installation } from "../support/runtimes.ts";
import { repository } from "../support/tarball.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

/** What an importer in plain JavaScript may write. */
const IMPORT = `
  import { createMask, resolveConnection, Secret } from "adc-run";
  const token = new Secret("a7ee-0123456789abcdef");
  const connection = await resolveConnection({ args: ["ping"], env: {}, cwd: process.cwd() });
  const mask = createMask([token]);
  console.log(mask.text("<" + token.reveal() + ">"), String(token), connection.server.value);
`;

/** A test call over the network, and one with a dispatcher of the importer's. */
const REQUEST = `
  import { checkToken, resolveConnection, Secret } from "adc-run";
  import { MockAgent } from "undici";
  const env = { ADC_SERVER: "http://127.0.0.1:1" };
  const connection = await resolveConnection({ args: ["ping"], env, cwd: process.cwd() });
  const dispatcher = new MockAgent();
  dispatcher.get("http://127.0.0.1:1").intercept({ path: () => true }).reply(401, "");
  for (const options of [{ connection }, { connection, dispatcher }]) {
    console.log((await checkToken(new Secret("a7ee-example"), options)).verdict);
  }
`;

/** A folder that can import what was installed. */
async function importer(
  { folder }: Installation,
  files: Readonly<Record<string, string>>,
): Promise<TemporaryFolder> {
  const own = await temporaryFolder({ ...files, "package.json": '{ "type": "module" }' });
  await symlink(join(folder, "node_modules"), join(own.path, "node_modules"), "junction");
  return own;
}

/** Runs the command through its symlink, in an empty folder and with next to no environment. */
async function adcRun(
  node: string,
  { bin }: Installation,
  ...args: readonly string[]
): Promise<CommandResult> {
  await using folder = await temporaryFolder();
  const { PATH } = environmentWith(node);
  return await runCommand([bin, ...args], {
    cwd: folder.path,
    env: { PATH: PATH!, HOME: folder.path, NO_COLOR: "1", ADC_SERVER: "http://127.0.0.1:1" },
  });
}

for (const major of [20, 24]) {
  const skip = await skipWithout(nodeRuntime(major));

  describe(`the npm package under Node.js ${major}`, { skip }, () => {
    it("prints its version and its help", async () => {
      const node = await nodeRuntime(major);
      const installed = await installTarball();
      const { version } = JSON.parse(await readFile(join(repository, "deno.json"), "utf8"));
      const printed = await adcRun(node, installed, "--version");
      assert.deepEqual(printed, { code: 0, stdout: `adc-run ${version}\n`, stderr: "" });
      const help = await adcRun(node, installed, "--help");
      assert.equal(help.code, 0, help.stderr);
      assert.match(help.stdout, /adc-run exec -- CMD/);
    });

    it("says that there is no token, and exits with 77", async () => {
      const node = await nodeRuntime(major);
      const { code, stdout, stderr } = await adcRun(
        node,
        await installTarball(),
        "exec",
        "--",
        "true",
      );
      assert.deepEqual([code, stdout], [77, ""], stderr);
      assert.match(stderr, /^adc-run: error: no token for /m);
    });

    it("does the same where the keychain's binding was left out", async () => {
      const node = await nodeRuntime(major);
      const installed = await installTarball({ omitOptional: true });
      await assert.rejects(access(join(installed.folder, "node_modules", "@napi-rs")));
      assert.equal((await adcRun(node, installed, "--version")).code, 0);
      const { code, stderr } = await adcRun(node, installed, "-v", "exec", "--", "true");
      assert.equal(code, 77, stderr);
      assert.match(stderr, /@napi-rs\/keyring is not installed/);
    });

    it("can be imported", async () => {
      const node = await nodeRuntime(major);
      await using folder = await importer(await installTarball(), { "use.js": IMPORT });
      const output = await outputOf([node, "use.js"], { cwd: folder.path });
      assert.match(output, /^<\*\*\*> a7ee-\*\*\* .*http:\/\/localhost:9180\n$/);
    });

    it("sends a test call, also with a dispatcher of undici's", async () => {
      const node = await nodeRuntime(major);
      await using folder = await importer(await installTarball(), { "use.js": REQUEST });
      assert.equal(
        await outputOf([node, "use.js"], { cwd: folder.path }),
        "unreachable\nrejected\n",
      );
    });
  });
}
