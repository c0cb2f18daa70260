/**
 * Files of profiles: good ones, and what can become of them.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import fc from "fast-check";
import { BACKEND_NAMES } from "../../src/connection/backends.ts";
import { ALLOWED_WORDS, SETTING_NAMES, SETTINGS } from "../../src/profiles/profile_settings.ts";
import type { SettingKind, StoredProfile } from "../../src/profiles/profile_settings.ts";
import { SOURCE_NAMES } from "../../src/token/sources.ts";

/** In every secret, and in nothing that adc-run says by itself. With a blank it is no name of anything. */
export const CANARY = "cAn ArY";

/** What a token looks like that got into a file, wherever it stands. */
export const TOKEN = "a7ee-cAnArYcAnArY";

/** Few enough that profiles use each other, and some in a circle. */
export const NAME = fc.constantFrom<string>("prod", "a", "b", "C.d-e_9", "0", "constructor");

const SERVER = fc.stringMatching(
  /^https?:\/\/[a-z]{1,4}(\.[a-z]{2})?(:[1-9]\d{0,3})?(\/[a-z]{1,3})?$/,
);

const TEXT = fc.stringMatching(/^[A-Za-z"\\{}\u00e9\u2028][\w "\\:/,{}\u00e9-]{0,8}$/);

/** Good values, for each kind of setting. */
const GOOD: Readonly<Record<SettingKind, fc.Arbitrary<unknown>>> = {
  name: NAME,
  backend: fc.constantFrom(...BACKEND_NAMES),
  server: fc.oneof(
    { weight: 5, arbitrary: SERVER },
    fc.tuple(SERVER, SERVER).map((pair) => pair.join(", ")),
  ),
  duration: fc.stringMatching(/^([1-9]\d{0,2}(ms|s|m|h|d)){1,2}$|^\d{1,5}$/),
  text: TEXT,
  path: TEXT,
  boolean: fc.boolean(),
  command: fc.oneof(
    fc.constantFrom("op read op://infra/adc/token", `sh -c 'echo "x"'`, '["cat", "a b"]'),
    fc.array(TEXT, { minLength: 1, maxLength: 3 }),
  ),
  sources: fc.uniqueArray(fc.constantFrom(...SOURCE_NAMES), { minLength: 1 }),
  commands: fc.uniqueArray(fc.constantFrom(...ALLOWED_WORDS), { minLength: 1 }),
  lifetime: fc.constantFrom("90d", "12h", "never"),
};

/** A profile whose values are good each by itself. It may use one that is not there. */
export const PROFILE: fc.Arbitrary<StoredProfile> = fc.uniqueArray(
  fc.constantFrom(...SETTING_NAMES.filter((name) => name !== "use"), "backend", "server").chain(
    (name) => fc.tuple(fc.constant(name), GOOD[SETTINGS[name as "server"].kind]),
  ),
  { selector: ([name]) => name, maxLength: 5 },
).chain((entries) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(Object.fromEntries(entries)) },
    { weight: 1, arbitrary: NAME.map((use) => Object.fromEntries([["use", use], ...entries])) },
  )
);

/** What a file says. */
export interface Profiles {
  readonly use?: string;
  readonly profiles: Readonly<Record<string, StoredProfile>>;
}

/** What a file of profiles may say, but for profiles that use others in the wrong way. */
export const PROFILES: fc.Arbitrary<Profiles> = fc.record({
  use: NAME,
  profiles: fc.dictionary(NAME, PROFILE, { maxKeys: 4, noNullPrototype: true }),
}, { requiredKeys: ["profiles"] });

/** The same as a text, in the ways that people and editors lay it out. */
export function layOut(
  value: unknown,
  { indent, windows, mark }: {
    readonly indent: number | string;
    readonly windows: boolean;
    readonly mark: boolean;
  },
): string {
  const text = JSON.stringify(value, null, indent) + "\n";
  return (mark ? "\ufeff" : "") + (windows ? text.replaceAll("\n", "\r\n") : text);
}

/** For {@linkcode layOut}. */
export const LAYOUT = fc.record({
  indent: fc.constantFrom(0, 1, 2, 4, "\t"),
  windows: fc.boolean(),
  mark: fc.boolean(),
});

const SCRAPS = fc.constantFrom(
  ...'{}[]",:\\/*\n\r\t \ufeff\0\u2028-.e0é',
  '"use":',
  '"profiles":',
  '"version": 2',
  '"__proto__": {},',
  "//",
  "/* */",
  "true",
  "null",
  "NaN",
  "1e999",
  "01",
  '"\\ud800"',
  '"\\x41"',
  `"${CANARY}"`,
  `"${TOKEN}":`,
  `"server": "https://u:${CANARY}@gw",`,
  `"tokenCommand": "echo ${TOKEN}",`,
  '{"a":'.repeat(50),
);

/** A change to bytes: what is at a place goes, and something else comes. */
const CHANGE = fc.record({
  at: fc.nat(),
  gone: fc.oneof(fc.nat(3), fc.nat(40)),
  comes: fc.oneof(
    { weight: 4, arbitrary: SCRAPS.map((text) => Buffer.from(text)) },
    { weight: 3, arbitrary: fc.constant(Buffer.alloc(0)) },
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
  ),
  cut: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
});

/** Values that nobody should write, with secrets among them. */
const WRONG: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(CANARY, TOKEN, `https://u:${CANARY}@gw`, `x/${TOKEN}`, "", " ", "\u0000", null),
  fc.constantFrom(0, 1, 2, -1, 1.5, 1e300, true, [], {}, [CANARY], [TOKEN, 1], { [TOKEN]: CANARY }),
  fc.array(fc.constantFrom("env", "flag", CANARY, TOKEN, 1), { maxLength: 3 }),
  fc.constantFrom(`'${CANARY}`, `["${CANARY}`, `["${CANARY}", 1]`, `a${CANARY},b`, "10 s"),
  fc.jsonValue({ maxDepth: 3 }),
);

const KEY = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom<string>(...SETTING_NAMES) },
  fc.constantFrom("$schema", "version", "profiles", "Server", TOKEN, `x ${TOKEN}`, "__proto__", ""),
  fc.string({ maxLength: 100, unit: "binary" }),
);

/** Anything that has the outline of a file of profiles. */
const OUTLINE: fc.Arbitrary<unknown> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.dictionary(
      fc.oneof({ weight: 5, arbitrary: NAME }, KEY),
      fc.oneof(
        {
          weight: 5,
          arbitrary: fc.tuple(PROFILE, KEY, WRONG).map(([profile, key, value]) =>
            Object.fromEntries([...Object.entries(profile), [key, value]])
          ),
        },
        WRONG,
      ),
      { maxKeys: 3, noNullPrototype: true },
    ).map((profiles) => ({ profiles })),
  },
  fc.tuple(PROFILES, KEY, WRONG).map(([profiles, key, value]) =>
    Object.fromEntries([...Object.entries(profiles), [key, value]])
  ),
  WRONG,
);

/** What may be found where a file of profiles should be. */
export const FILE: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.tuple(PROFILES, LAYOUT, fc.array(CHANGE, { maxLength: 4 })).map(
      ([profiles, layout, changes]) => {
        let bytes = Buffer.from(layOut(profiles, layout));
        for (const { at, gone, comes, cut } of changes) {
          const from = at % (bytes.length + 1);
          const rest = cut ? [] : [bytes.subarray(from + gone)];
          bytes = Buffer.concat([bytes.subarray(0, from), comes, ...rest]);
        }
        return bytes;
      },
    ),
  },
  {
    weight: 5,
    arbitrary: fc.tuple(OUTLINE, LAYOUT).map(([value, layout]) =>
      Buffer.from(layOut(value, layout))
    ),
  },
  fc.array(SCRAPS, { maxLength: 12 }).map((scraps) => Buffer.from(scraps.join(""))),
  fc.uint8Array().map((bytes) => Buffer.from(bytes)),
);
