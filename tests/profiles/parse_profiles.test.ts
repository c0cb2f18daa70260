import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProfiles } from "../../src/profiles/parse_profiles.ts";
import { ProfileFileError } from "../../src/profiles/profile_settings.ts";

async function failure(
  text: string,
  { project = false }: { readonly project?: boolean } = {},
): Promise<ProfileFileError> {
  try {
    await parseProfiles(text, { path: "/some/config.json", project });
  } catch (error) {
    assert.ok(error instanceof ProfileFileError, String(error));
    assert.equal(error.exitCode, 65);
    return error;
  }
  throw new assert.AssertionError({ message: `nothing is wrong with ${text}` });
}

/** A file with one profile, whose settings start at line 4. */
const profileText = (settings: string) =>
  `{
  "profiles": {
    "prod": {
${settings}
    }
  }
}
`;

test("`parseProfiles()` reads what a file may say", async () => {
  const text = JSON.stringify({
    $schema: "x",
    version: 1,
    use: "prod",
    profiles: {
      prod: {
        backend: "api7ee",
        server: "https://a7ee-gw.example.com:7443/base/",
        gatewayGroup: "größe 1",
        timeout: "1h10m",
        caCertFile: "ca a7ee-x.pem",
        tlsSkipVerify: false,
        tokenCommand: ["op", "read", ""],
        sources: ["env", "admin-api"],
      },
      constructor: { use: "prod" },
      list: { backend: "apisix-standalone", server: "http://a:1, http://b:1" },
    },
  });
  const { use, profiles } = await parseProfiles(text, { path: "/x", project: false });
  assert.equal(use, "prod");
  assert.deepEqual([...profiles.keys()], ["prod", "constructor", "list"]);
  assert.deepEqual(profiles.get("constructor"), { use: "prod" });
});

test("`parseProfiles()` takes an empty object for no profiles", async () => {
  for (const text of ["{}", '{"profiles":{}}', '{ "version": 1 }']) {
    const { use, profiles } = await parseProfiles(text, { path: "/x", project: true });
    assert.deepEqual([use, profiles.size], [undefined, 0]);
  }
});

test("`parseProfiles()` names line and column of what is no JSON", async () => {
  for (
    const [text, place] of [
      [
        '{\n  "profiles": {\n    "a": {},\n  }\n}',
        "line 4, column 3: it is not JSON: setting name missing",
      ],
      ['{\n  "use": "a"\n  "version": 1\n}', "line 3, column 3: it is not JSON: comma missing"],
      ["{\r\n  // why\r\n}", "line 2, column 3: it is not JSON: comments are not allowed"],
      ["{\n  \"use\": 'a'\n}", "line 2, column 10: it is not JSON"],
      ['{"use": "a\n"}', "line 1, column 9: it is not JSON: unterminated string"],
      ["{} {}", "line 1, column 4: it is not JSON: unexpected text after the end"],
      [" \n", "it is empty"],
    ] as const
  ) {
    const { message } = await failure(text);
    const start = `Cannot use the profiles in "/some/config.json": ${place}`;
    assert.ok(message.startsWith(start), message);
  }
});

test("`parseProfiles()` names line and column of a wrong key or value", async () => {
  for (
    const [settings, line, column, found, suggestion] of [
      [
        '      "backend": "api7ee",\n      "servr": "http://x"',
        5,
        7,
        /no setting "servr"/,
        /"server"/,
      ],
      ['      "token": "zqzq"', 4, 7, /no setting "token"/, /never holds a secret/],
      ['      "backend": "apisx"', 4, 18, /"backend" is not a backend of ADC/, /api7ee/],
      ['      "server": 7', 4, 17, /"server" is not a string/],
      ['      "server": "ftp://x"', 4, 17, /not an http or https URL/],
      ['      "server": "http://x:99999"', 4, 17, /not an http or https URL/],
      ['      "server": " http://x"', 4, 17, /not an http or https URL/],
      ['      "server": "http://x?y=1"', 4, 17, /not an http or https URL/],
      ['      "server": "http://a,http://b"', 4, 17, /a list of servers/],
      ['      "timeout": 30', 4, 18, /"timeout" is not a duration/, /"30s"/],
      ['      "timeout": "soon"', 4, 18, /"timeout" is not a duration/],
      ['      "gatewayGroup": " "', 4, 23, /"gatewayGroup" is empty/],
      ['      "caCertFile": ""', 4, 21, /"caCertFile" is not a path/],
      ['      "tlsSkipVerify": "false"', 4, 24, /neither true nor false/],
      ['      "tokenCommand": "op \'x"', 4, 23, /a quote \('\) is not closed/],
      ['      "tokenCommand": []', 4, 23, /names no program/],
      ['      "tokenCommand": [7]', 4, 23, /neither a string nor/],
      ['      "sources": ["env",\n"keychian"]', 5, 1, /not a source/, /"keychain"/],
      ['      "sources": ["env", "env"]', 4, 26, /"env" twice/],
      ['      "sources": "env"', 4, 18, /not an array/],
      ['      "use": "prodd"', 4, 14, /no profile "prodd" in this file/, /"prod"/],
      ['      "use": "prod"', 4, 14, /circle: prod → prod/],
    ] as const
  ) {
    const error = await failure(profileText(settings));
    assert.match(error.message, found);
    assert.deepEqual([error.line, error.column], [line, column], error.message);
    assert.ok(error.message.includes(`line ${line}, column ${column}: `), error.message);
    if (suggestion !== undefined) assert.match(error.suggestion ?? "", suggestion);
  }
});

test("`parseProfiles()` refuses wrong things outside of profiles", async () => {
  for (
    const [text, found] of [
      ["[]", /it is not a JSON object/],
      ['{"profile": {}}', /no setting "profile"/],
      ['{"profiles": []}', /"profiles" is not an object/],
      ['{"profiles": {"a": 1}}', /profile "a" is not an object/],
      ['{"profiles": {"a,b": {}}}', /"a,b" is not a profile name/],
      ['{"profiles": {"-a": {}}}', /"-a" is not a profile name/],
      ['{"profiles": {"__proto__": {}}}', /"__proto__" is not a profile name/],
      ['{"profiles": {"": {}}}', /"" is not a profile name/],
      [`{"profiles": {"${"a".repeat(64)}": {}}}`, /is not a profile name/],
      ['{"use": 1}', /"use" is not a string/],
      ['{"version": "1"}', /"version" is not 1/],
      ['{"version": 0}', /"version" is not 1/],
      ['{"version": 1.5}', /"version" is not 1/],
      ['{"$schema": 1}', /"\$schema" is not a string/],
    ] as const
  ) {
    assert.match((await failure(text)).message, found);
  }
});

test("`parseProfiles()` leaves a newer version's file to that version", async () => {
  const { message, suggestion } = await failure('{\n  "version": 2,\n  "targets": []\n}');
  assert.match(message, /line 2, column 14: a newer adc-run wrote it$/);
  assert.match(suggestion ?? "", /that version/);
});

test("`parseProfiles()` refuses a key that stands twice, and names the second", async () => {
  for (
    const [text, line, key] of [
      ['{\n"profiles": {},\n"profiles": {}\n}', 3, "profiles"],
      ['{"profiles": {\n"a": {},\n"b": {},\n"a": {"backend": "api7ee"}}}', 4, "a"],
      [profileText('"server": "http://a",\n"server": "http://b"'), 5, "server"],
      [profileText('"server": "http://a",\n"s\\u0065rver": "http://b"'), 5, "server"],
    ] as const
  ) {
    const error = await failure(text);
    assert.equal(error.line, line);
    assert.ok(error.message.endsWith(`"${key}" is here twice`), error.message);
  }
});

test("`parseProfiles()` refuses secrets without showing them", async () => {
  for (
    const settings of [
      '"tokenCommand": "echo a7ee-zqzqzq"',
      '"tokenCommand": ["echo", "A7ADM-zqzqzq"]',
      '"username": "a7ee-zqzqzq"',
      '"gatewayGroup": "a7adm-zqzqzq"',
      '"server": "https://zqzq:zqzq@gw"',
      '"server": "https://zqzq@gw"',
      '"server": "https://gw/a7ee-zqzqzq"',
    ]
  ) {
    const error = await failure(profileText(settings));
    assert.match(error.message, /never holds a secret/);
    assert.doesNotMatch(`${error.message}${error.suggestion}${error.stack}`, /zqzq/);
    assert.equal(error.cause, undefined);
  }
});

test("`parseProfiles()` refuses in a project's file what would choose or run something", async () => {
  const use = await failure('{\n  "use": "prod", "profiles": {"prod": {}}}', { project: true });
  assert.match(use.message, /line 2, column 3: a project's file must not have "use"/);
  const command = await failure(profileText('"tokenCommand": "x"'), { project: true });
  assert.match(command.message, /line 4, column 1: .*"tokenCommand".* run programs/);
  const { profiles } = await parseProfiles('{"profiles":{"a":{},"b":{"use":"a"}}}', {
    path: "/x",
    project: true,
  });
  assert.deepEqual(profiles.get("b"), { use: "a" });
});

test("`parseProfiles()` finds a circle of many, and shows it", async () => {
  const { message } = await failure(
    '{"profiles": {"a": {"use": "b"}, "b": {"use": "c"}, "c": {"use": "b"}}}',
  );
  assert.match(message, /in a circle: a → b → c → b/);
});

test("`parseProfiles()` follows profiles over 32 others and no more, in a moment", async () => {
  const chain = (length: number) => {
    const profiles = Array.from({ length }, (_, index) => [
      `p${index}`,
      index + 1 < length ? { use: `p${index + 1}` } : { timeout: "1s" },
    ]);
    return JSON.stringify({ profiles: Object.fromEntries(profiles) });
  };
  const { profiles } = await parseProfiles(chain(32), { path: "/x", project: true });
  assert.equal(profiles.size, 32);
  assert.match(
    (await failure(chain(20_000))).message,
    /"p0" inherits through more than 32 others/,
  );
});

test("`parseProfiles()` reads long texts in a moment", async () => {
  const [a, colons] = ["a".repeat(1_000_000), "://".repeat(300_000)];
  for (
    const settings of [
      { username: `${a}\u0001` },
      { caCertFile: `${a}\u0001` },
      { server: `http://x/${colons}@` },
      { server: `http://x${",http://x".repeat(100_000)} ` },
      { timeout: `${"1s".repeat(400_000)}x` },
      { tokenCommand: `${"a7ee".repeat(200_000)} '` },
    ]
  ) {
    await failure(JSON.stringify({ profiles: { prod: settings } }));
  }
});

test("`parseProfiles()` shows no more of a key than a person can read", async () => {
  const long = "k".repeat(100_000);
  for (
    const text of [
      `{"${long}": 1}`,
      `{"profiles": {"${long}": {}}}`,
      profileText(`"${long}": 1`),
    ]
  ) {
    assert.ok((await failure(text)).message.length < 300);
  }
});

test("`parseProfiles()` refuses a list of servers where the backend is inherited, too", async () => {
  const { message } = await failure(
    '{"profiles": {"a": {"backend": "apisix"}, "b": {"use": "a", "server": "http://a,http://b"}}}',
  );
  assert.match(message, /a list of servers is only for backend apisix-standalone/);
});

test("`parseProfiles()` stands files that are nested without end", async () => {
  const deep = "[".repeat(200_000);
  assert.match((await failure(deep)).message, /it is not JSON/);
  const closed = `{"profiles": ${deep}${"]".repeat(200_000)}}`;
  assert.match((await failure(closed)).message, /"profiles" is not an object|it is no JSON/);
});

test("`parseProfiles()` shows no token that stands where a name should", async () => {
  const token = "a7ee-0123456789";
  for (
    const text of [
      `{"${token}": 1}`,
      `{"profiles": {"x ${token}": {}}}`,
      profileText(`"${token}": 1`),
    ]
  ) {
    const { message, suggestion } = await failure(text);
    assert.ok(!`${message} ${suggestion}`.includes(token), message);
    assert.match(message, /"(x )?a7ee-\*\*\*"/);
  }
});

test("`parseProfiles()` refuses a duration without end, like any other", async () => {
  const { message } = await failure(profileText(`"timeout": "${"1s".repeat(1_000_000)}"`));
  assert.match(message, /line 4, column 12: "timeout" is not a duration$/);
});

test("`parseProfiles()` names line and column of what is wrong with a workflow", async () => {
  for (
    const [lines, line, column, found] of [
      ['      "profile": "prdo",\n      "toFile": "x"', 5, 18, /no profile "prdo" in this file/],
      ['      "toComand": "x"', 5, 7, /no setting "toComand"/],
      ['      "expiresIn": "90",\n      "toFile": "x"', 5, 20, /"expiresIn" is not a lifetime/],
      ['      "toCommand": "gh \'x"', 5, 20, /a quote \('\) is not closed/],
      ['      "toCommand": ["gh"],\n      "toFile": "x"', 4, 11, /either "toCommand" or "toFile"/],
      ['      "expiresIn": "90d"', 4, 11, /either "toCommand" or "toFile"/],
    ] as const
  ) {
    const text =
      `{\n  "profiles": {"prod": {}},\n  "workflows": {\n    "ci": {\n${lines}\n    }\n  }\n}`;
    const { message, suggestion } = await failure(text);
    const place = `line ${line}, column ${column}: `;
    assert.ok(message.includes(place), `${message} instead of ${place}`);
    assert.match(message, found);
    if (/prdo/.test(message)) assert.match(String(suggestion), /"prod"/);
  }
  const long = await failure(
    `{\n  "workflows": {\n    "${"x".repeat(41)}": {"toFile": "a"}\n  }\n}`,
  );
  assert.match(long.message, /line 3, column 5: .* is not a workflow name/);
  const project = await failure('{\n  "workflows": {}\n}', { project: true });
  assert.match(project.message, /line 2, column 3: a project's file must not have "workflows"/);
});
