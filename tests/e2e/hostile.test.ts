import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inParallel } from "../../src/run/targets.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import type { KeychainSession } from "../support/keychain_session.ts";
import { PASSWORD, USER } from "./hostile_repository.ts";
import type { HostilePart } from "./hostile_repository.ts";
import { hostileScene } from "./hostile_scene.ts";
import type { Scene, SceneOptions } from "./hostile_scene.ts";

const skip = keychainSkip();

/** What leads nowhere by itself: where it lies around, everything goes on as if it did not. */
const IDLE: readonly HostilePart[] = ["variables", "adc-run.json", "programs", ".git"];

/** What leads to the thief. */
const LURES: readonly (readonly HostilePart[])[] = [
  ["detour", ...IDLE],
  ["server", "detour", "diff.yaml", ...IDLE],
];

type Words = readonly string[];

/** Commands that take a way of their own to the token and to the server. */
const SOME: readonly Words[] = [
  ["sync", "-f", "adc.yaml"],
  ["exec", "--", "sh", "-c", ":"],
  ["api", "/api/users"],
  ["auth", "token"],
  ["doctor"],
];

/** All that use a token. */
const ALL: readonly Words[] = [
  ...SOME,
  ["diff", "-f", "adc.yaml"],
  ["validate", "-f", "adc.yaml"],
  ["dump", "-o", "dumped.yaml"],
  ["ping"],
  ["auth", "status"],
  // The login runs beside it, and may have stored its token first.
  ["auth", "login", "--with-token", "--storage", "file", "--replace"],
  ["auth", "login", "--username", USER, "--password-stdin", "--storage", "file"],
];

/** Those that use none, and what they end with. */
const NEEDLESS: readonly (readonly [Words, number])[] = [
  [["lint", "-f", "adc.yaml"], 0],
  [["convert", "openapi", "--help"], 0],
  [["profile", "list"], 0],
  [["profile", "show", "prod"], 0],
  [["profile", "show", "theirs"], 0],
  [["profile", "use", "theirs"], 64],
  [["profile", "use", "prod"], 0],
  [["profile", "import"], 64],
  [["complete", "--", "-p", ""], 0],
  [["complete", "--", "sync", "-"], 0],
];

/** Where the user's token comes from. */
interface Source extends SceneOptions {
  /** The store that `auth login` puts it into. */
  readonly storage?: "file" | "keychain";
  /** Whether it is there only once a run has logged in, which not every command does. */
  readonly later?: boolean;
  /** Whether it belongs to no server, and so goes wherever a `.env` that nothing contradicts says. */
  readonly free?: boolean;
}

const SOURCES: Readonly<Record<string, Source>> = {
  "in the environment": { env: ({ token }) => ({ ADC_TOKEN: token }), free: true },
  "in a file": { env: ({ tokenFile }) => ({ ADC_TOKEN_FILE: tokenFile }), free: true },
  "of a tokenCommand": { profile: ({ tokenFile }) => ({ tokenCommand: ["cat", tokenFile] }) },
  "in the file store": { storage: "file" },
  "in the keychain": { storage: "keychain" },
  "of a login": {
    env: () => ({ CI: "true", API7_USERNAME: USER, API7_PASSWORD: PASSWORD }),
    later: true,
  },
};

async function prepare(home: Home, source: Source, session?: KeychainSession): Promise<Scene> {
  const { DBUS_SESSION_BUS_ADDRESS = "", XDG_RUNTIME_DIR = "" } = session?.env ?? {};
  const scene = await hostileScene(home, {
    ...source,
    env: (own) => ({ DBUS_SESSION_BUS_ADDRESS, XDG_RUNTIME_DIR, ...source.env?.(own) }),
  });
  const { storage } = source;
  if (storage !== undefined) {
    // A named profile takes its own entry alone.
    for (const profile of [[], ["-p", "prod"], ["-p", "second"]]) {
      const words = [...profile, "auth", "login", "--with-token", "--storage", storage];
      const where = { env: scene.direct, input: scene.token };
      const { code, stderr } = await scene.run(await scene.clone([]), words, where);
      assert.equal(code, 0, stderr);
    }
  }
  return scene;
}

/** What commands ended with, by their words. */
type Endings = readonly (readonly [string, number])[];

/** Runs commands in a repository, two at a time; see {@linkcode Scene.run} for what must not happen. */
async function runAll(
  scene: Scene,
  parts: readonly HostilePart[],
  { words: commands, env = {} }: {
    readonly words: readonly Words[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<Endings> {
  const cwd = await scene.clone(parts);
  return await inParallel(commands, async (words) => {
    const input = words.includes("--with-token") ? scene.token : PASSWORD;
    const prints = words.at(-1) === "token";
    const { status } = await scene.run(cwd, words, { env, input, prints });
    return [words.join(" "), status];
  }, { most: 2 });
}

/** Commands that do not log in. */
const LOOKING: readonly string[] = ["auth token", "doctor"];

const engines = await testHomes("every engine");

for (const home of engines) {
  // What a runtime itself makes of a repository does not depend on where the token is.
  const [first, ...others] = Object.entries(SOURCES);
  const isFirst = home === engines[0];

  describe(`a hostile repository on ${home.name}`, () => {
    for (const [name, source] of isFirst ? [first!, ...others] : [first!]) {
      const { storage, later = false, free = false } = source;
      it(`gets no token ${name}`, { skip: storage === "keychain" && skip }, async () => {
        await using session = storage === "keychain" ? await startKeychainSession() : undefined;
        await using scene = await prepare(home, source, session);
        const own = ["-p", "prod"];
        const commands = name === "in the environment" ? ALL : SOME;
        const words = [
          ...commands.map((command) => [...own, ...command]),
          ["-p", "prod,second", "--parallel", "2", "sync", "-f", "adc.yaml"],
        ];
        for (const [command, status] of await runAll(scene, IDLE, { words })) {
          const found = !later || !LOOKING.some((each) => command.endsWith(each));
          assert.equal(status, found ? 0 : 77, command);
        }
        for (const parts of LURES) {
          for (const [command, status] of await runAll(scene, parts, { words })) {
            assert.ok([65, 78].includes(status), `${command}: ${status}`);
          }
        }
        const files: readonly Words[] = [
          [...own, "sync", "-f", "adc.yaml"],
          [...own, "validate", "-f", "adc.json"],
          [...own, "diff", "-f", "harmless.yaml"],
        ];
        const traps = ["adc.yaml", "diff.yaml"] as const;
        for (const [command, status] of await runAll(scene, traps, { words: files })) {
          assert.equal(status, 65, command);
        }
        const theirs = SOME.map((command) => ["-p", "theirs", ...command]);
        assert.equal(scene.thief.connections(), 0);
        await scene.assertNothingTaken();
        if (free) return;
        // Without a profile of the user's own the thief is asked, and is sent nothing that is worth having.
        const { ADC_CA_CERT_FILE: _, ...env } = scene.direct;
        for (
          const endings of [
            await runAll(scene, LURES[0]!, { words: SOME, env }),
            await runAll(scene, LURES[1]!, { words: SOME }),
            await runAll(scene, IDLE, { words: theirs }),
          ]
        ) {
          for (const [command, status] of endings) {
            assert.ok(status >= 65, `${command}: ${status}`);
          }
        }
        await scene.assertNothingTaken();
      });
    }

    it("is of no interest to commands that need no token", async () => {
      await using scene = await hostileScene(home, { env: everything });
      const parts: readonly HostilePart[] = ["server", "detour", "adc.yaml", "diff.yaml", ...IDLE];
      const expected = NEEDLESS.map(([words, status]) => [words.join(" "), status]);
      const words = NEEDLESS.map(([words]) => words);
      assert.deepEqual(await runAll(scene, parts, { words }), expected);
      assert.equal(scene.thief.connections(), 0);
      assert.deepEqual(scene.sandbox.requests, []);
      await scene.assertNothingTaken();
    });

    if (!isFirst) return;

    it("is refused as well where the servers are listed, and where a profile is used by default", async () => {
      await using scene = await hostileScene(home, { env: everything });
      const env = { ADC_RUN_ALLOWED_SERVERS: scene.sandbox.url };
      for (const parts of LURES) {
        for (const [command, status] of await runAll(scene, parts, { words: ALL, env })) {
          assert.ok([65, 78].includes(status), `${command}: ${status}`);
        }
      }
      const theirs = SOME.map((command) => ["-p", "theirs", ...command]);
      for (const [command, status] of await runAll(scene, IDLE, { words: theirs, env })) {
        assert.equal(status, 78, command);
      }
      const program = ["tokenCommand", "programs"] as const;
      for (const [command, status] of await runAll(scene, program, { words: theirs })) {
        assert.equal(status, 65, command);
      }
      const use = await scene.run(await scene.clone(IDLE), ["profile", "use", "prod"]);
      assert.equal(use.code, 0, use.stderr);
      for (const parts of LURES) {
        for (const [command, status] of await runAll(scene, parts, { words: SOME })) {
          assert.equal(status, 78, command);
        }
      }
      assert.equal(scene.thief.connections(), 0);
      await scene.assertNothingTaken();
    });

    it("gets what SECURITY.md says, and no password, where nothing says which server is meant", async () => {
      for (const name of ["in the environment", "in a file"]) {
        await using scene = await prepare(home, SOURCES[name]!);
        const cwd = await scene.clone(["server", ...IDLE]);
        const ended = await scene.run(cwd, ["sync", "-f", "adc.yaml"], {
          env: { ADC_CA_CERT_FILE: "thief.pem", API7_USERNAME: USER, API7_PASSWORD: PASSWORD },
        });
        assert.equal(ended.code, 77, ended.stderr);
        assert.ok(ended.stderr.includes(scene.thief.url), ended.stderr);
        assert.ok(scene.thief.heard().includes(scene.token));
        assert.ok(!scene.thief.heard().includes(PASSWORD));
      }
      await using scene = await hostileScene(home);
      const logIn = ["auth", "login", "--username", USER, "--password-stdin", "--storage", "file"];
      for (const words of [logIn, ["-p", "theirs", ...logIn]]) {
        const parts = words === logIn ? LURES[1]! : IDLE;
        const [[, status] = []] = await runAll(scene, parts, { words: [words] });
        assert.equal(status, 78, words.join(" "));
      }
      assert.equal(scene.thief.connections(), 0);
    });
  });
}

/** A token and a password in the environment. */
function everything({ token }: { readonly token: string }): Readonly<Record<string, string>> {
  return { ADC_TOKEN: token, API7_USERNAME: USER, API7_PASSWORD: PASSWORD };
}
