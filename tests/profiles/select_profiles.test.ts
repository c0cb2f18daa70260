import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { ConnectionError } from "../../src/errors.ts";
import { selectProfiles } from "../../src/profiles/select_profiles.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import type { TemporaryFolder } from "../support/temporary_folder.ts";

const USER = {
  use: "staging",
  profiles: {
    base: { backend: "api7ee", server: "https://gw", timeout: "5s", caCertFile: "tls/ca.pem" },
    staging: { use: "base", gatewayGroup: "staging", timeout: "9s" },
    both: { server: "https://own" },
  },
};
const PROJECT = {
  profiles: {
    ci: { server: "https://ci", caCertFile: "ca.pem", tlsClientKeyFile: "~/key.pem" },
    both: { server: "https://theirs" },
  },
};

async function folders(user: unknown = USER, project: unknown = PROJECT): Promise<
  TemporaryFolder & { readonly env: Readonly<Record<string, string>>; readonly cwd: string }
> {
  const folder = await temporaryFolder();
  await folder.write("config/config.json", JSON.stringify(user));
  await folder.write("project/adc-run.json", JSON.stringify(project));
  return {
    ...folder,
    env: { ADC_RUN_CONFIG_DIR: join(folder.path, "config"), HOME: join(folder.path, "home") },
    cwd: join(folder.path, "project"),
  };
}

test("`selectProfiles()` takes the names in their order, from either file", async () => {
  await using it = await folders();
  const profiles = await selectProfiles({ ...it, names: ["ci", "base"] });
  assert.deepEqual(profiles.map(({ name, project, explicit }) => [name, project, explicit]), [
    ["ci", true, true],
    ["base", false, true],
  ]);
  assert.equal(profiles[0]!.file, join(it.cwd, "adc-run.json"));
});

test("`selectProfiles()` fills a profile with what it takes from another, its own first", async () => {
  await using it = await folders();
  const [profile] = await selectProfiles({ ...it, names: ["staging"] });
  assert.deepEqual(profile, {
    name: "staging",
    file: join(it.path, "config/config.json"),
    project: false,
    explicit: true,
    backend: "api7ee",
    server: "https://gw",
    gatewayGroup: "staging",
    timeout: "9s",
    caCertFile: join(it.path, "config/tls/ca.pem"),
  });
});

test("`selectProfiles()` makes paths absolute, from the file's folder or from HOME", async () => {
  await using it = await folders();
  const [profile] = await selectProfiles({ ...it, names: ["ci"] });
  assert.equal(profile?.caCertFile, join(it.cwd, "ca.pem"));
  assert.equal(profile?.tlsClientKeyFile, join(it.path, "home/key.pem"));
});

test("`selectProfiles()` asks ADC_RUN_PROFILE, then the default, where no name is given", async () => {
  await using it = await folders();
  const select = (variable?: string) =>
    selectProfiles({ ...it, env: { ...it.env, ADC_RUN_PROFILE: variable } });
  const named = await select(" ci , both ");
  assert.deepEqual(named.map(({ name, explicit }) => [name, explicit]), [
    ["ci", true],
    ["both", true],
  ]);
  for (const variable of [undefined, ""]) {
    const [profile, ...others] = await select(variable);
    assert.deepEqual([profile?.name, profile?.explicit, others], ["staging", false, []]);
  }
});

test("`selectProfiles()` selects none where none is named and none is the default", async () => {
  await using it = await folders({ profiles: { a: {} } });
  assert.deepEqual(await selectProfiles(it), []);
});

test("`selectProfiles()` takes the user's own of two with one name, and warns", async () => {
  await using it = await folders();
  const warnings: string[] = [];
  const onWarning = (warning: string) => void warnings.push(warning);
  const [profile] = await selectProfiles({ ...it, names: ["both"], onWarning });
  assert.deepEqual([profile?.server, profile?.project], ["https://own", false]);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /"both" is in both/);
});

test("`selectProfiles()` never takes a project's profile for the default one", async () => {
  await using it = await folders({ use: "ci" });
  await assert.rejects(selectProfiles(it), /"use" in .*config\.json: there is no profile "ci"/);
});

test("`selectProfiles()` does not look at a project's file unless a profile is named", async () => {
  await using it = await folders(USER, { nonsense: true });
  assert.equal((await selectProfiles(it)).length, 1);
  await assert.rejects(selectProfiles({ ...it, names: ["base"] }), /no setting "nonsense"/);
});

test("`selectProfiles()` refuses names that lead nowhere, with the code of who gave them", async () => {
  await using it = await folders();
  await using gone = await folders({ use: "gone", profiles: {} }, {});
  for (
    const [select, exitCode, message, suggestion] of [
      [{ ...it, names: ["stagin"] }, 64, /^There is no profile "stagin"/, /"staging"/],
      [{ ...it, names: ["zz"] }, 64, /no profile "zz"/, /base, staging, both, ci\./],
      [{ ...it, names: ["base", "base"] }, 64, /lists "base" twice/],
      [{ ...it, names: [] }, 64, /it is empty/],
      [{ ...it, names: ["a b"] }, 64, /"a b" is not a profile name/],
      [{ ...it, names: ["__proto__"] }, 64, /is not a profile name/],
      [{ ...it, names: ["constructor"] }, 64, /no profile "constructor"/],
      [{ ...it, env: { ...it.env, ADC_RUN_PROFILE: "zz" } }, 78, /ADC_RUN_PROFILE: there is no/],
      [{ ...it, env: { ...it.env, ADC_RUN_PROFILE: " , " } }, 78, /ADC_RUN_PROFILE: it is empty/],
      [gone, 78, /"use" in .*: there is no profile "gone"/, /profile set NAME/],
    ] as const
  ) {
    await assert.rejects(selectProfiles(select), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.exitCode, exitCode);
      assert.match(error.message, message);
      if (suggestion !== undefined) assert.match(error.suggestion ?? "", suggestion);
      return true;
    });
  }
});
