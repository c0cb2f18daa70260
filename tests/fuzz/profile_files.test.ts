import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import { ConnectionError, UsageError } from "../../src/errors.ts";
import { removeProfiles, setProfile, useProfile } from "../../src/profiles/edit_profiles.ts";
import { parseProfiles } from "../../src/profiles/parse_profiles.ts";
import type { ParsedProfiles } from "../../src/profiles/parse_profiles.ts";
import { readProjectProfiles, readUserProfiles } from "../../src/profiles/profile_file.ts";
import { PROFILE_SCHEMA, ProfileFileError } from "../../src/profiles/profile_settings.ts";
import type { SettingName, StoredProfile } from "../../src/profiles/profile_settings.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { fuzz } from "./fuzz.ts";
import { CANARY, FILE, LAYOUT, layOut, NAME, PROFILE, PROFILES, TOKEN } from "./profile_cases.ts";
import type { Profiles } from "./profile_cases.ts";

const folder = await temporaryFolder();
after(() => folder[Symbol.asyncDispose]());
const cwd = folder.path;
const config = join(cwd, "config");
mkdirSync(config, { mode: 0o700 });
const userFile = join(config, "config.json");
const projectFile = join(cwd, "adc-run.json");
const env = { ADC_RUN_CONFIG_DIR: config };

const fitsSchema = new Ajv2020().compile(PROFILE_SCHEMA);

/** What is wrong with a file that is no text, or none that has lines. */
const WITHOUT_LINE = /: (it is empty|it is not valid UTF-8)$/;

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Reads the value, as JSON reads it. */
function valueOf(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(textOf(bytes) ?? "") };
  } catch {
    return undefined;
  }
}

/** All keys, however deep. */
function keysOf(value: unknown): string[] {
  const keys: string[] = [];
  JSON.stringify(value, (key, each) => {
    keys.push(key);
    return each;
  });
  return keys;
}

/** Whether nothing of a text is lost when it is read, as it is of a key that stands twice. */
function standsOnce(text: string, value: unknown): boolean {
  return text.replace(/\s/g, "") === JSON.stringify(value).replace(/\s/g, "");
}

/** Holds what came out of reading a file against what the schema says of it. */
function assertRead(bytes: Buffer, read: ParsedProfiles | unknown): void {
  const found = valueOf(bytes);
  if (read instanceof Error) {
    assert.ok(read instanceof ProfileFileError, String(read));
    const { line, column, message, cause } = read;
    assert.equal(cause, undefined);
    const shown = message + JSON.stringify({ ...read });
    assert.ok(!shown.includes(TOKEN), `It shows a token: ${message}`);
    // A key is quoted, unless it looks like a token.
    if (!keysOf(found?.value).join().includes(CANARY)) {
      assert.ok(!shown.includes(CANARY), `It shows a secret: ${message}`);
    }
    if (WITHOUT_LINE.test(message)) {
      assert.ok([undefined, ""].includes(textOf(bytes)?.trim()), message);
      return;
    }
    const lines = textOf(bytes)!.split(/\r\n|\r|\n/);
    assert.ok(line !== undefined && line >= 1 && line <= lines.length, message);
    assert.ok(
      column !== undefined && column >= 1 && column <= lines[line - 1]!.length + 1,
      message,
    );
    assert.ok(message.includes(`line ${line}, column ${column}: `), message);
    const [, key] = /no setting "([\w.]+)"$/.exec(message) ?? [];
    // Of a key that stands twice either place will do.
    if (key !== undefined && standsOnce(textOf(bytes)!, found!.value)) {
      assert.ok(lines[line - 1]!.slice(column - 1).startsWith(`"${key}"`), message);
    }
    return;
  }
  const { profiles, use } = read as ParsedProfiles;
  assert.ok(found !== undefined, "It is no JSON, and was taken");
  assert.ok(fitsSchema(found.value), "The schema refuses it");
  const value = found.value as Partial<Profiles>;
  assert.deepEqual(Object.fromEntries(profiles), value.profiles ?? {});
  assert.equal(use, value.use);
}

fuzz(
  "any file of profiles is read, or refused with its line and without a secret",
  FILE,
  async (bytes) => {
    writeFileSync(userFile, bytes, { mode: 0o600 });
    writeFileSync(projectFile, bytes);
    const own = await readUserProfiles(env).catch((error) => error);
    assertRead(bytes, own);
    const project = await readProjectProfiles(cwd).catch((error) => error);
    assertRead(bytes, project);
    if (own instanceof Error || project instanceof Error) {
      // A project may say less.
      assert.ok(project instanceof Error, String(own));
      return;
    }
    assert.deepEqual(project.profiles, own.profiles);
    assert.ok(![...project.profiles.values()].some((profile) => "tokenCommand" in profile));
    assert.equal(project.use, undefined);
  },
);

/** A change to a file, with the numbers that choose a profile and its settings. */
const EDIT = fc.oneof(
  fc.record({
    kind: fc.constant("set" as const),
    name: NAME,
    set: PROFILE,
    unset: fc.array(fc.constantFrom<SettingName>("use", "server", "backend", "sources")),
    replace: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("remove" as const), names: fc.array(NAME, { maxLength: 2 }) }),
  fc.record({ kind: fc.constant("use" as const), name: fc.option(NAME, { nil: undefined }) }),
);

type EditCase = typeof EDIT extends fc.Arbitrary<infer T> ? T : never;

/** What the file should say afterwards; `undefined` where it names what is not there. */
function edited({ use, profiles }: Profiles, edit: EditCase): Profiles | undefined {
  const all = new Map(Object.entries(profiles));
  let chosen = use;
  if (edit.kind === "use") {
    if (edit.name !== undefined && !all.has(edit.name)) return undefined;
    chosen = edit.name;
  } else if (edit.kind === "remove") {
    if (!edit.names.every((name) => all.has(name))) return undefined;
    for (const name of edit.names) all.delete(name);
    if (use !== undefined && edit.names.includes(use)) chosen = undefined;
  } else {
    const kept = new Map(Object.entries(edit.replace ? {} : all.get(edit.name) ?? {}));
    for (const key of edit.unset) kept.delete(key);
    const profile: StoredProfile = { ...Object.fromEntries(kept), ...edit.set };
    all.set(edit.name, profile);
  }
  return { ...chosen !== undefined && { use: chosen }, profiles: Object.fromEntries(all) };
}

async function apply(
  edit: EditCase,
  env: Readonly<Record<string, string>>,
): Promise<ParsedProfiles> {
  switch (edit.kind) {
    case "set":
      return (await setProfile(edit.name, { ...edit, env })).after;
    case "remove":
      return (await removeProfiles(edit.names, { env })).after;
    case "use":
      return (await useProfile(edit.name, { env })).after;
  }
}

/** Whether a file that says so can be read. */
function isGood(profiles: Profiles): Promise<boolean> {
  const where = { path: userFile, project: false };
  return parseProfiles(JSON.stringify(profiles), where).then(() => true, () => false);
}

const CHANGED = fc.record({ start: fc.option(PROFILES), layout: LAYOUT, edit: EDIT });

type ChangedCase = typeof CHANGED extends fc.Arbitrary<infer T> ? T : never;

async function checkEdit({ start, layout, edit }: ChangedCase, config: string): Promise<void> {
  const file = join(config, "config.json");
  const env = { ADC_RUN_CONFIG_DIR: config };
  const before: Profiles = start ?? { profiles: {} };
  if (!await isGood(before)) return;
  rmSync(file, { force: true });
  if (start !== null) writeFileSync(file, layOut(start, layout), { mode: 0o600 });
  const bytes = start === null ? undefined : readFileSync(file, "utf8");
  const expected = edited(before, edit);
  const good = expected !== undefined && await isGood(expected);
  const result = await apply(edit, env).catch((error: unknown) => error);
  const read = await readUserProfiles(env);
  const { use, profiles } = good ? expected : before;
  assert.deepEqual(Object.fromEntries(read.profiles), profiles);
  assert.equal(read.use, use);
  if (good) {
    const { use: newUse, profiles: newProfiles } = result as typeof read;
    assert.deepEqual([newUse, newProfiles], [read.use, read.profiles]);
    if (bytes === undefined) return;
    const text = readFileSync(file, "utf8");
    assert.equal(text.startsWith("\ufeff"), layout.mark);
    if (!layout.windows) assert.ok(!text.includes("\r"));
  } else {
    assert.ok(result instanceof UsageError || result instanceof ConnectionError, String(result));
    if (bytes !== undefined) assert.equal(readFileSync(file, "utf8"), bytes);
  }
}

/** At once, each in a folder of its own: most of an edit is waiting for the disk. */
const TOGETHER = 20;

fuzz(
  "profiles come out of an edit as they went in, but for what was changed",
  fc.array(CHANGED, { minLength: TOGETHER, maxLength: TOGETHER }),
  async (cases) => {
    await Promise.all(cases.map(async (each, index) => {
      const config = join(cwd, String(index));
      mkdirSync(config, { mode: 0o700, recursive: true });
      await checkEdit(each, config);
    }));
  },
  { batch: TOGETHER },
);
