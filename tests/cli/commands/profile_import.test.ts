import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { AdcRunError } from "../../../src/errors.ts";
import { readA7Contexts } from "../../../src/cli/commands/profile_import.ts";
import { temporaryFolder } from "../../support/temporary_folder.ts";

/** As a7 itself writes it. */
const FILE = `current-context: local
contexts:
    - name: local
      server: https://localhost:7443
      token: a7ee-zqzq-1
      gateway-group: default
      tls-skip-verify: true
    - name: production
      server: https://api7.example.com:7443
      token: a7ee-zqzq-2
      gateway-group: 9f3c
      ca-cert: certs/ca.crt
    - name: bare
      server: https://bare.example.com
`;

async function read(text: string) {
  await using folder = await temporaryFolder({ "a7/config.yaml": text });
  return await readA7Contexts({ env: {}, cwd: folder.path }, "a7/config.yaml");
}

test("`readA7Contexts()` makes profiles of contexts, tokens apart", async () => {
  const { contexts, current, refused, path } = await read(FILE);
  assert.deepEqual([current, refused], ["local", []]);
  assert.deepEqual(contexts.map(({ profile, settings }) => [profile, settings]), [
    ["local", {
      backend: "api7ee",
      server: "https://localhost:7443",
      gatewayGroup: "default",
      tlsSkipVerify: true,
    }],
    ["production", {
      backend: "api7ee",
      server: "https://api7.example.com:7443",
      gatewayGroup: "9f3c",
      caCertFile: join(path, "..", "certs/ca.crt"),
    }],
    ["bare", { backend: "api7ee", server: "https://bare.example.com" }],
  ]);
  assert.deepEqual(contexts.map(({ token }) => token?.reveal()), [
    "a7ee-zqzq-1",
    "a7ee-zqzq-2",
    undefined,
  ]);
  assert.ok(!JSON.stringify(contexts).includes("zqzq"));
});

test("`readA7Contexts()` says that a7 names gateway groups by their ids", async () => {
  const { contexts } = await read(FILE);
  const [local, production, bare] = contexts.map(({ note }) => note);
  assert.deepEqual([local, bare], [undefined, undefined]);
  assert.match(production ?? "", /by id, ADC by name.*"9f3c"/);
});

test("`readA7Contexts()` puts dashes where a profile's name must not have a character", async () => {
  const { contexts, refused } = await read(`contexts:
  - { name: "prod eu/1", server: "https://a" }
  - { name: "prod eu 1", server: "https://b" }
  - { name: "@@@", server: "https://c" }
  - { name: "", server: "https://d" }
`);
  assert.deepEqual(contexts.map(({ name, profile }) => [name, profile]), [
    ["prod eu/1", "prod-eu-1"],
  ]);
  assert.deepEqual(refused.map(({ reason }) => reason), [
    'another context has the same profile name, "prod-eu-1"',
    "its name is not valid for a profile",
    "it has no name",
  ]);
});

test("`readA7Contexts()` refuses contexts that no profile can hold, and takes the others", async () => {
  const { contexts, refused } = await read(`contexts:
  - 7
  - { name: a }
  - { name: b, server: "gw.example.com" }
  - { name: c, server: "https://u:zqzq@gw" }
  - { name: d, server: "https://d", token: 7 }
  - { name: e, server: "https://e", tls-skip-verify: "zqzq" }
  - { name: f, server: "https://f", gateway-group: a7ee-zqzq }
  - { name: g, server: "https://g", token: "  " }
`);
  assert.deepEqual(contexts.map(({ name, token }) => [name, token]), [["g", undefined]]);
  assert.deepEqual(refused.map(({ name }) => name), ["number 1", "a", "b", "c", "d", "e", "f"]);
  assert.ok(!JSON.stringify(refused).includes("zqzq"));
});

test("`readA7Contexts()` takes an empty file for no contexts", async () => {
  for (const text of ["", "contexts: []\n", "contexts:\n", "current-context: x\n", "# nothing\n"]) {
    const { contexts, refused } = await read(text);
    assert.deepEqual([contexts, refused], [[], []], text);
  }
});

test("`readA7Contexts()` looks where a7 does", async () => {
  await using folder = await temporaryFolder();
  const at = (name: string) => `contexts: [{ name: ${name}, server: "https://gw" }]`;
  await folder.write("own/config.yaml", at("own"));
  await folder.write("xdg/a7/config.yaml", at("xdg"));
  await folder.write("home/.config/a7/config.yaml", at("home"));
  const [own, xdg, home] = ["own", "xdg", "home"].map((name) => join(folder.path, name));
  for (
    const [env, found] of [
      [{ A7_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, HOME: home }, "own"],
      [{ XDG_CONFIG_HOME: xdg, HOME: home }, "xdg"],
      [{ HOME: home }, "home"],
    ] as const
  ) {
    const { contexts } = await readA7Contexts({ env, cwd: "/nowhere" }, undefined);
    assert.equal(contexts[0]?.name, found);
  }
});

test("`readA7Contexts()` says what is wrong with a file, and quotes nothing of it", async () => {
  for (
    const [text, exitCode, message] of [
      ["contexts:\n  - { name: [zqzq\n", 65, /line \d+ is not YAML/],
      ["zqzq", 65, /contains no contexts/],
      ["contexts: zqzq\n", 65, /"contexts" is not a list/],
    ] as const
  ) {
    await assert.rejects(read(text), (error) => {
      assert.ok(error instanceof AdcRunError);
      assert.equal(error.exitCode, exitCode);
      assert.match(error.message, message);
      assert.ok(!`${error.stack}${error.cause}`.includes("zqzq"));
      return true;
    });
  }
  const gone = readA7Contexts({ env: {}, cwd: "/nowhere" }, "x.yaml");
  await assert.rejects(gone, /"\/nowhere\/x\.yaml": no such file/);
});
