import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { describe, it } from "node:test";
import type { SandboxRequest } from "../sandbox/sandbox.ts";
import { standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { isEverything, testHomes } from "../support/homes.ts";
import { LOG_IN, PASSWORD, takeTurns, tokenFixture, USER } from "../support/token_fixture.ts";
import type { TokenFixture, TokenRunOptions } from "../support/token_fixture.ts";

const nextHome = takeTurns(await testHomes(isEverything ? "every engine" : "one home"));
const ADC = ["--adc", standIn("adc.mjs")];

/** Whether a kill comes before the server does what it is asked, which it then never does, or after. */
const MOMENTS = ["before", "after"] as const;

/** A request that was cut off by a kill. */
class Killed extends Error {}

/**
 * Runs adc-run again and again, and kills it at its first request, at its second, and so on, until it
 * gets through.
 *
 * @param it The fixture.
 * @param words The command.
 * @param options The moment of the kill, how it is run, and what has to hold after each.
 * @returns The run that got through, and the requests at which the others were killed.
 */
async function killAtEachRequest(
  it: TokenFixture,
  words: readonly string[],
  options: TokenRunOptions & {
    readonly moment: (typeof MOMENTS)[number];
    readonly afterwards: (line: string) => Promise<void>;
  },
): Promise<{ readonly ended: Ending; readonly lines: readonly string[] }> {
  const { moment, afterwards, input = "", ...rest } = options;
  const { hooks } = it.sandbox;
  const lines: string[] = [];
  for (let fatal = 1; fatal < 50; fatal++) {
    let count = 0;
    const pid = Promise.withResolvers<number>();
    const strike = async ({ method, path }: SandboxRequest): Promise<void> => {
      if (++count !== fatal) return;
      lines.push(`${method} ${path}`);
      process.kill(await pid.promise, "SIGKILL");
      throw new Killed();
    };
    if (moment === "before") hooks.onRequest = strike;
    else hooks.onReply = strike;
    const ended = await it.run(words, {
      ...rest,
      whenStarted: (child) => {
        pid.resolve(child.pid!);
        child.stdin!.end(input);
      },
    });
    hooks.onRequest = hooks.onReply = undefined;
    if (count < fatal) {
      assert.equal(ended.code, 0, ended.stderr);
      return { ended, lines };
    }
    assert.equal(ended.signal, "SIGKILL", lines.at(-1));
    await afterwards(`killed ${moment} ${lines.at(-1)} (request ${fatal})`);
  }
  throw new Error("It makes requests without end");
}

/** A session that a kill left open cannot be closed by anybody: it ends by itself. */
async function assertClean(it: TokenFixture, live: readonly string[], line: string): Promise<void> {
  assert.deepEqual(it.liveNames(), [...live].sort(), line);
  const begun = await it.entries("journal.json");
  assert.deepEqual(begun.map(({ name }) => name), [], `${line}: the journal is empty`);
}

for (const [index, moment] of MOMENTS.entries()) {
  const tokenPath = index === 0 ? "/api/tokens" : "/api/settings/tokens";

  describe(`adc-run killed ${moment} the server acts`, () => {
    const first = nextHome();
    it(`auth login in place of a token: what is stored works, and the next cleans up, on ${first.name}`, async () => {
      await using it = await tokenFixture(first, { tokenPath });
      const words = [...LOG_IN, "--storage=file"];
      await it.logIn("--storage=file");
      const { lines } = await killAtEachRequest(it, words, {
        moment,
        input: PASSWORD,
        afterwards: async (line) => {
          const stored = await it.storedInFile();
          assert.ok(
            it.sandbox.liveTokens.some(({ value }) => value === stored),
            `${line}: what is stored works`,
          );
          const next = await it.run(words, { input: PASSWORD });
          assert.equal(next.code, 0, `${line}: ${next.stderr}`);
          const token = it.onlyToken();
          assert.match(token.name, new RegExp(`^adc-run ${USER}@`), line);
          assert.equal(await it.storedInFile(), token.value, line);
          await assertClean(it, [token.name], line);
        },
      });
      assert.ok(lines.includes(`POST ${tokenPath}`), lines.join(", "));
      assert.equal(await it.storedInFile(), it.onlyToken().value);
      await it.assertDiscreet();
    });

    const second = nextHome();
    it(`auth login where nothing was stored: as if it had not been, on ${second.name}`, async () => {
      await using it = await tokenFixture(second, { tokenPath });
      const words = [...LOG_IN, "--storage=file"];
      const { lines } = await killAtEachRequest(it, words, {
        moment,
        input: PASSWORD,
        afterwards: async (line) => {
          const next = await it.run(words, { input: PASSWORD });
          assert.equal(next.code, 0, `${line}: ${next.stderr}`);
          assert.doesNotMatch(next.stderr, / 2"/, `${line}: the name is free again`);
          const out = await it.run(["auth", "logout"]);
          assert.equal(out.code, 0, `${line}: ${out.stderr}`);
          await assertClean(it, [], line);
        },
      });
      assert.ok(lines.includes(`POST ${tokenPath}`), lines.join(", "));
    });

    const third = nextHome();
    it(`auth rotate: what is stored works, and the next run cleans up, on ${third.name}`, async () => {
      await using it = await tokenFixture(third, { tokenPath });
      await it.logIn("--storage=file", "--name=mine");
      const { lines } = await killAtEachRequest(it, ["auth", "rotate"], {
        moment,
        afterwards: async (line) => {
          const stored = await it.storedInFile();
          assert.ok(
            it.sandbox.liveTokens.some(({ value }) => value === stored),
            `${line}: what is stored works`,
          );
          const next = await it.run([...ADC, "ping"]);
          assert.equal(next.code, 0, `${line}: ${next.stderr}`);
          const list = await it.run(["auth", "list", "--json"]);
          assert.equal(list.code, 0, `${line}: ${list.stderr}`);
          const token = it.onlyToken();
          assert.equal(token.value, stored, line);
          const { tokens } = JSON.parse(list.stdout);
          assert.deepEqual(
            tokens.map(({ id, current }: { id: string; current: boolean }) => [id, current]),
            [[token.id, true]],
            `${line}: it is known as the stored one`,
          );
          const known = await it.entries("state.json");
          assert.deepEqual(
            known.map(({ id, name }) => [id, name]),
            [[token.id, "mine"]],
            `${line}: what is known of it`,
          );
          await assertClean(it, ["mine"], line);
        },
      });
      const cut = lines.map((line) => line.split(" ")[0]);
      for (const method of ["POST", "DELETE", "PUT"]) assert.ok(cut.includes(method), `${lines}`);
      await assertClean(it, ["mine"], "at last");
      await it.assertDiscreet();
    });

    const fourth = nextHome();
    it(`an ephemeral run: the next one leaves the parent alone, on ${fourth.name}`, async () => {
      await using it = await tokenFixture(fourth, { tokenPath });
      const env = { ADC_TOKEN: it.sandbox.addToken({ user: USER, name: "parent" }).value };
      const words = ["--ephemeral", ...ADC, "ping"];
      const { lines } = await killAtEachRequest(it, words, {
        moment,
        env,
        afterwards: async (line) => {
          const next = await it.run(words, { env });
          assert.equal(next.code, 0, `${line}: ${next.stderr}`);
          await assertClean(it, ["parent"], line);
        },
      });
      const cut = lines.map((line) => line.split(" ")[0]);
      for (const method of ["POST", "DELETE"]) assert.ok(cut.includes(method), `${lines}`);
      await assertClean(it, ["parent"], "at last");
      await it.assertDiscreet();
    });

    // Each run has an empty home, as on a CI runner: what is known of a workflow's token is on the server.
    const fifth = nextHome();
    it(`auth create: the next one hands another over, and one is left, on ${fifth.name}`, async () => {
      await using it = await tokenFixture(fifth, { tokenPath });
      const secret = join(it.folder.path, "secret");
      const env = emptyHomes(it, it.sandbox.addToken({ user: USER, name: "parent" }).value);
      const to = index === 0
        ? ["--to-command", `sh -c 'cat > "$0"' ${secret}`]
        : ["--to-file", secret];
      const words = ["auth", "create", "ci", ...to];
      const { lines } = await killAtEachRequest(it, words, {
        moment,
        env,
        afterwards: async (line) => {
          const next = await it.run(words, { env });
          if (next.code === 0) {
            assert.deepEqual(it.liveNames(), ["ci", "parent"], line);
            await assertHeld(it, secret, line);
          } else {
            // It had its name before the kill: there was nothing left to do.
            assert.match(next.stderr, /already has a token with that name/, line);
            assert.match(line, /after PUT/);
          }
          await assertHeld(it, secret, line);
          it.sandbox.revokeToken(it.sandbox.liveTokens.find(({ name }) => name === "ci")!.id);
          await rm(secret);
        },
      });
      const cut = lines.map((line) => line.split(" ")[0]);
      for (const method of ["POST", "PUT"]) assert.ok(cut.includes(method), `${lines}`);
      await assertHeld(it, secret, "at last");
      it.sandbox.revokeToken(it.sandbox.liveTokens.find(({ name }) => name === "ci")!.id);
      await rm(secret);
      await it.assertDiscreet();
    });

    const sixth = nextHome();
    it(`auth rotate NAME: what was handed over works, and the next finishes, on ${sixth.name}`, async () => {
      await using it = await tokenFixture(sixth, { tokenPath });
      const secret = join(it.folder.path, "secret");
      it.sandbox.addToken({ user: USER, name: "parent" });
      const value = it.sandbox.addToken({ user: USER, name: "ci" }).value;
      await writeFile(secret, value, { mode: 0o600 });
      // The workflow renews its own token.
      const env = emptyHomes(it, undefined, secret);
      const words = ["auth", "rotate", "ci", "--to-file", secret];
      const { lines } = await killAtEachRequest(it, words, {
        moment,
        env,
        afterwards: async (line) => {
          await assertHeld(it, secret, line);
          const next = await it.run(words, { env });
          assert.equal(next.code, 0, `${line}: ${next.stderr}`);
          assert.deepEqual(it.liveNames(), ["ci", "parent"], line);
          await assertHeld(it, secret, line);
        },
      });
      const cut = lines.map((line) => line.split(" ")[0]);
      for (const method of ["POST", "DELETE", "PUT"]) assert.ok(cut.includes(method), `${lines}`);
      await assertHeld(it, secret, "at last");
      await rm(secret);
      await it.assertDiscreet();
    });
  });
}

describe("adc-run killed while it hands a token over", () => {
  const home = nextHome();
  it(`the next run hands another over, and one is left, on ${home.name}`, async () => {
    await using it = await tokenFixture(home);
    const [secret, up, on] = ["secret", "up", "on"].map((name) => join(it.folder.path, name));
    spawnSync("mkfifo", [up!, on!]);
    const env = emptyHomes(it, it.sandbox.addToken({ user: USER, name: "parent" }).value);
    const words = (script: string) => [
      ...["auth", "rotate", "ci", "--to-command"],
      `sh -c '${script}' ${secret} ${up} ${on}`,
    ];
    await writeFile(secret!, it.sandbox.addToken({ user: USER, name: "ci" }).value);
    // The command says that it is there, and waits until adc-run is not.
    const wait = 'echo > "$1"; read x < "$2"';
    for (const script of [`${wait}; cat > /dev/null`, `cat > "$0"; ${wait}`]) {
      const killed = await it.run(words(script), {
        env,
        whenStarted: async (child) => {
          child.stdin!.end();
          await readFile(up!);
          child.kill("SIGKILL");
          child.once("exit", () => void writeFile(on!, "\n"));
        },
      });
      assert.equal(killed.signal, "SIGKILL", killed.stderr);
      await assertHeld(it, secret!, script);
      const next = await it.run(words('cat > "$0"'), { env });
      assert.equal(next.code, 0, next.stderr);
      assert.deepEqual(it.liveNames(), ["ci", "parent"], script);
      await assertHeld(it, secret!, script);
    }
  });
});

/** An environment that names another folder, which is not there, each time it is read. */
function emptyHomes(it: TokenFixture, token: string | undefined, file?: string) {
  let count = 0;
  return {
    ...(token === undefined ? {} : { ADC_TOKEN: token }),
    ...(file === undefined ? {} : { ADC_TOKEN_FILE: file }),
    get ADC_RUN_CONFIG_DIR() {
      return `${it.config}-${++count}`;
    },
  };
}

async function assertHeld(it: TokenFixture, secret: string, line: string): Promise<void> {
  const held = await readFile(secret, "utf8");
  assert.ok(
    it.sandbox.liveTokens.some(({ value }) => value === held),
    `${line}: what the workflow has works`,
  );
}
