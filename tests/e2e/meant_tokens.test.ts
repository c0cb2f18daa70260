import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { standIn } from "../support/adc_run.ts";
import { testHomes } from "../support/homes.ts";
import { LOG_IN, PASSWORD, tokenFixture, USER } from "../support/token_fixture.ts";
import type { TokenFixture } from "../support/token_fixture.ts";

const [home] = await testHomes("one home");
const FILE = "--storage=file";

/** Profiles of the fixture's server, by name. */
async function addProfiles(it: TokenFixture, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    const words = ["profile", "set", name, "--backend", "api7ee", "--server", it.sandbox.url];
    const { code, stderr } = await it.run([...words, ...caOf(it)]);
    assert.equal(code, 0, stderr);
  }
}

function caOf({ env }: TokenFixture): readonly string[] {
  return env.ADC_CA_CERT_FILE === undefined ? [] : ["--ca-cert-file", env.ADC_CA_CERT_FILE];
}

describe(`no token is touched that was not meant, on ${home.name}`, () => {
  it("auth login leaves a token of another name alone, unless it is told otherwise", async () => {
    await using it = await tokenFixture(home);
    await it.logIn(FILE, "--name=github-actions");
    const { value } = it.onlyToken();
    const words = [...LOG_IN, FILE, "--name=gitlab"];
    const refused = await it.run(words, { input: PASSWORD });
    assert.equal(refused.code, 64, refused.stderr);
    assert.match(refused.stderr, new RegExp(`holds "github-actions" of ${USER}`));
    assert.match(refused.stderr, /--replace/);
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled(["github-actions"]);
    // The token of the same name is its own predecessor.
    await it.logIn(FILE, "--name=github-actions");
    assert.notEqual(await it.storedInFile(), value);
    await it.assertSettled(["github-actions"]);
    const agreed = await it.run([...words, "--replace"], { input: PASSWORD });
    assert.equal(agreed.code, 0, agreed.stderr);
    await it.assertSettled(["gitlab"]);
    await it.assertDiscreet();
  });

  it("auth login leaves another user's token alone, pasted tokens included", async () => {
    await using it = await tokenFixture(home);
    it.sandbox.addUser({ username: "alice", password: PASSWORD });
    const alice = ["auth", "login", "--username", "alice", "--password-stdin", FILE];
    const first = await it.run(alice, { input: PASSWORD });
    assert.equal(first.code, 0, first.stderr);
    const { name, value } = it.onlyToken();
    const refused = await it.run([...LOG_IN, FILE, "--name", name], { input: PASSWORD });
    assert.equal(refused.code, 64, refused.stderr);
    assert.match(refused.stderr, /of alice/);
    const pasted = it.sandbox.addToken({ user: USER, name: "pasted" });
    const withToken = ["auth", "login", "--with-token", FILE];
    const adopted = await it.run(withToken, { input: pasted.value });
    assert.equal(adopted.code, 64, adopted.stderr);
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled([name, "pasted"]);
    await it.assertDiscreet();
  });

  it("a named profile has its own entry alone", async () => {
    await using it = await tokenFixture(home);
    await addProfiles(it, "gitlab", "eu");
    await it.logIn(FILE, "--name=shared");
    const { value } = it.onlyToken();
    for (const [words, code] of [[["token"], 77], [["rotate"], 77], [["logout"], 0]] as const) {
      const ended = await it.run(["-p", "gitlab", "auth", ...words]);
      assert.equal(ended.code, code, ended.stderr);
      assert.equal(ended.stdout, "");
      if (code === 77) {
        assert.match(
          ended.stderr,
          /(no token for .*\(profile gitlab\)|profile "gitlab" has no token of its own)/,
        );
        assert.match(ended.stderr, /adc-run -p gitlab auth login/);
      }
    }
    const ping = await it.run(["-p", "eu", "--adc", standIn("adc.mjs"), "ping"]);
    assert.equal(ping.code, 77, ping.stderr);
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled(["shared"]);
    // A token that is handed over counts as ever.
    const given = await it.run(["-p", "eu", "--adc", standIn("adc.mjs"), "ping"], {
      env: { ADC_TOKEN: value },
    });
    assert.equal(given.code, 0, given.stderr);
    await it.assertDiscreet();
  });

  it("auth rotate does not take the stored token for one that comes from elsewhere", async () => {
    await using it = await tokenFixture(home);
    await it.logIn(FILE, "--name=mine");
    const { value } = it.onlyToken();
    const other = it.sandbox.addToken({ user: USER, name: "other" });
    await writeFile(join(it.folder.path, "token"), other.value, { mode: 0o600 });
    for (
      const env of [{ ADC_TOKEN_FILE: "token" }, { ADC_TOKEN: other.value }, {
        ADC_TOKEN_COMMAND: "cat token",
      }]
    ) {
      const ended = await it.run(["auth", "rotate"], { env });
      assert.equal(ended.code, 78, ended.stderr);
      assert.match(ended.stderr, new RegExp(`tokens\\.json.*: .*${Object.keys(env)[0]}`));
      assert.equal(await it.storedInFile(), value);
    }
    const only = await it.run(["auth", "rotate"], {
      env: { ADC_TOKEN: other.value, ADC_RUN_SOURCE: "store" },
    });
    assert.equal(only.code, 0, only.stderr);
    await it.assertSettled(["mine", "other"]);
  });

  it("profile import leaves the stored token alone, or says that it revoked it", async () => {
    await using it = await tokenFixture(home);
    await addProfiles(it, "prod");
    const logIn = ["-p", "prod", ...LOG_IN, FILE, "--name=mine"];
    assert.equal((await it.run(logIn, { input: PASSWORD })).code, 0);
    const { value } = it.sandbox.addToken({ user: USER, name: "of a7" });
    const context = {
      name: "prod",
      server: it.sandbox.url,
      token: value,
      "ca-cert": it.sandbox.ca,
    };
    await it.folder.write("a7.yaml", JSON.stringify({ contexts: [context] }));
    const words = ["profile", "import", "--file", "a7.yaml", FILE, "--yes"];
    assert.equal((await it.run(words)).code, 0);
    await it.assertSettled(["mine", "of a7"]);
    const replaced = await it.run([...words, "--overwrite"]);
    assert.equal(replaced.code, 0, replaced.stderr);
    assert.match(replaced.stderr, /revoked the old token "mine"/);
    await it.assertSettled(["of a7"]);
  });

  it("auth rotate NAME does not take the stored token for a workflow's", async () => {
    await using it = await tokenFixture(home);
    await it.logIn(FILE, "--name=gitlab");
    const { value } = it.onlyToken();
    const refused = await it.run(["auth", "rotate", "gitlab", "--to-file", "handed"]);
    assert.equal(refused.code, 64, refused.stderr);
    assert.match(refused.stderr, /cannot rotate "gitlab" for a workflow: it is the token in the/);
    assert.equal(await it.storedInFile(), value);
    await it.assertSettled(["gitlab"]);
    await it.assertDiscreet();
  });

  it("a token file that others can read is warned of, and a mounted secret is not", async () => {
    await using it = await tokenFixture(home);
    const path = join(it.folder.path, "token");
    await writeFile(path, it.sandbox.addToken({ user: USER, name: "given" }).value);
    const mounted = join(it.folder.path, "mount");
    await mkdir(join(mounted, "..2026_11_27"), { recursive: true });
    await writeFile(
      join(mounted, "..2026_11_27", "token"),
      it.sandbox.tokens.at(-1)!.value,
      { mode: 0o644 },
    );
    await symlink(join("..2026_11_27", "token"), join(mounted, "token"));
    const warned = async (file: string, env = {}) => {
      const ended = await it.run(["--adc", standIn("adc.mjs"), "ping"], {
        env: { ADC_TOKEN_FILE: file, ...env },
      });
      assert.equal(ended.code, 0, ended.stderr);
      return /warning: Others can read/.test(ended.stderr);
    };
    await chmod(path, 0o644);
    assert.equal(await warned(path), true);
    assert.equal(await warned(path, { CI: "true" }), false);
    assert.equal(await warned(path, { CI: "false" }), true);
    assert.equal(await warned(join(mounted, "token")), false);
    await chmod(path, 0o600);
    assert.equal(await warned(path), false);
  });
});
