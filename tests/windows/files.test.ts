import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import { JsonFile } from "../../src/store/json_file.ts";
import { adcRun, standIn } from "../support/adc_run.ts";
import { fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const skip = process.platform !== "win32" && "it needs Windows";
const homes = skip ? [] : await testHomes("one home");
const REPORT = ["--adc", standIn("report.mjs")];

for (const home of homes) {
  describe(`files on ${home.name}`, { skip }, () => {
    it("may name the variables of `.env` in any case", async () => {
      await using it = await fixture({ https: true });
      const { folder, token } = it;
      await folder.write("token", token);
      const env = { ...it.env, ADC_TOKEN_FILE: join(folder.path, "token") };
      const profile = ["profile", "set", "prod", "--server", it.sandbox.url];
      const made = await adcRun(home, [...profile, "--ca-cert-file", it.sandbox.ca], {
        env,
        cwd: folder.path,
      });
      assert.equal(made.code, 0, made.stderr);
      for (
        const [line, found, options = []] of [
          ["Http_Proxy=http://127.0.0.1:9", /Http_Proxy/i],
          ["https_Proxy=http://127.0.0.1:9", /https_Proxy/i],
          ["Node_Options=--require=./x.cjs", /Node_Options/i],
          ["Adc_Gateway_Group=other", /gateway group "other" does not exist/],
          ["Adc_Tls_Skip_Verify=1", /ADC_TLS_SKIP_VERIFY/i, ["-p", "prod"]],
        ] as const
      ) {
        await folder.write(".env", `${line}\n`);
        const words = [...options, ...REPORT, "sync"];
        const { ADC_CA_CERT_FILE: _, ADC_SERVER: __, ...rest } = env as Record<string, string>;
        const ended = await adcRun(home, words, {
          env: options.length > 0 ? rest : env,
          cwd: folder.path,
        });
        assert.equal(ended.code, 78, `${line}: ${ended.stderr}`);
        assert.match(ended.stderr, found);
        assert.equal(ended.stdout, "");
      }
    });

    it("are named where PowerShell has written them as UTF-16", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, "utf16le");
      await folder.write("token", utf16(`${token}\r\n`));
      const env = { ...it.env, ADC_TOKEN_FILE: join(folder.path, "token") };
      const file = await adcRun(home, [...REPORT, "sync"], { env, cwd: folder.path });
      assert.equal(file.code, 65, file.stderr);
      assert.match(file.stderr, /is UTF-16 text/);
      await folder.write(".env", utf16(`ADC_TOKEN=${token}\r\n`));
      const dotenv = await adcRun(home, [...REPORT, "sync"], { env: it.env, cwd: folder.path });
      assert.notEqual(dotenv.code, 0);
      assert.match(dotenv.stderr, /UTF-16 text/);
      await folder.write("token", `\ufeff${token}\r\n`);
      await folder.write(".env", "\ufeffADC_GATEWAY_GROUP=default\r\n");
      const utf8 = await adcRun(home, [...REPORT, "sync"], { env, cwd: folder.path });
      assert.equal(utf8.code, 0, utf8.stderr);
    });

    it("`doctor` says that it does not know who may read them", async () => {
      await using it = await fixture();
      const { folder, token } = it;
      const env = { ...it.env, ADC_RUN_CONFIG_DIR: join(folder.path, "config") };
      const login = ["auth", "login", "--with-token", "--storage", "file"];
      const stored = await adcRun(home, login, { env, cwd: folder.path, input: token });
      assert.equal(stored.code, 0, stored.stderr);
      const ended = await adcRun(home, [...REPORT, "doctor", "-v"], { env, cwd: folder.path });
      assert.match(ended.stdout, /tokens\.json with a token: .*access lists not checked/);
    });
  });
}

describe("a file that another program has open", { skip }, () => {
  it("is waited for, for longer than half a second", async () => {
    await using folder = await temporaryFolder();
    const path = await folder.write("journal.json", '{ "version": 1, "count": 1 }\n');
    const script = await folder.write(
      "hold.mjs",
      'process.stdout.write("open\\n");\nsetTimeout(() => process.exit(), 1500);\n',
    );
    // cmd.exe opens it without leave to replace it.
    const line = `""${process.execPath}" "${script}" < "${path}""`;
    const holder = spawn("C:\\windows\\system32\\cmd.exe", ["/d", "/s", "/c", line], {
      stdio: ["ignore", "pipe", "inherit"],
      windowsVerbatimArguments: true,
    });
    await once(holder.stdout!, "data");
    const file = new JsonFile<{ count: number }>({
      path,
      read: ({ count }) => ({ count: Number(count) }),
      empty: { count: 0 },
      what: "the journal",
    });
    let ended = false;
    void once(holder, "exit").then(() => ended = true);
    await file.update(({ count }) => ({ count: count + 1 }));
    assert.ok(ended, "it was open for as long as its holder lived");
    assert.deepEqual(await file.read(), { count: 2 });
  });
});
