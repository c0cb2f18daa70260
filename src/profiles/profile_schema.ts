import { BACKENDS, FILE_VERSION, PATTERNS, SETTINGS, SOURCES } from "./profile_settings.ts";
import type { SettingKind } from "./profile_settings.ts";

/** A part of a JSON Schema. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What looks like a token is refused. */
const NO_TOKEN = { not: { pattern: PATTERNS.token } };

const KINDS: Readonly<Record<SettingKind, JsonSchema>> = {
  backend: { enum: BACKENDS },
  server: { type: "string", pattern: PATTERNS.server, not: { pattern: PATTERNS.tokenInPath } },
  duration: { type: "string", pattern: PATTERNS.duration },
  text: {
    type: "string",
    pattern: PATTERNS.plain,
    not: { anyOf: [{ pattern: PATTERNS.token }, { pattern: PATTERNS.blank }] },
  },
  path: { type: "string", pattern: PATTERNS.plain },
  boolean: { type: "boolean" },
  command: {
    oneOf: [
      { type: "string", pattern: "\\S", ...NO_TOKEN },
      { type: "array", minItems: 1, items: { type: "string", ...NO_TOKEN } },
    ],
  },
  sources: { type: "array", minItems: 1, uniqueItems: true, items: { enum: SOURCES } },
  name: { type: "string", pattern: PATTERNS.name, ...NO_TOKEN },
};

/**
 * The schema of `config.json` and `adc-run.json`, draft 2020-12.
 *
 * adc-run itself checks more than a schema can say: that `use` leads somewhere and in no circle, that no
 * key stands twice, and that a project's file has neither `use` at the top nor `tokenCommand`.
 */
export const PROFILE_SCHEMA: JsonSchema & { readonly $id: string } = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://raw.githubusercontent.com/adc-run/adc-run/main/schema.json",
  title: "adc-run profiles",
  description: "Named targets of adc-run: config.json in the configuration folder, adc-run.json " +
    "beside adc.yaml. A profile never holds a secret.",
  type: "object",
  additionalProperties: false,
  properties: {
    $schema: { type: "string", description: "The address of this schema." },
    version: { const: FILE_VERSION, description: "The version of the file's shape." },
    use: {
      ...KINDS.name,
      description: "The profile that is used where none is named. Only in the user's own file.",
    },
    profiles: {
      type: "object",
      description: "The profiles by name.",
      propertyNames: { pattern: PATTERNS.name, ...NO_TOKEN },
      additionalProperties: { $ref: "#/$defs/profile" },
    },
  },
  $defs: {
    profile: {
      type: "object",
      additionalProperties: false,
      properties: Object.fromEntries(
        Object.entries(SETTINGS).map((
          [name, { kind, about }],
        ) => [name, { ...KINDS[kind], description: about }]),
      ),
    },
  },
};
