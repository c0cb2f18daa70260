import assert from "node:assert/strict";
import { it } from "node:test";
import { npmManifest } from "../../scripts/npm_manifest.ts";

const CONFIG = { version: "1.2.3", license: "Apache-2.0" };

it("`npmManifest()` turns npm imports into dependencies, and the keychain into an optional one", () => {
  const { version, dependencies, optionalDependencies } = npmManifest({
    ...CONFIG,
    imports: {
      "@clack/prompts": "npm:@clack/prompts@^1.9.0",
      "@lydell/node-pty": "npm:@lydell/node-pty@1.1.0",
      "@napi-rs/keyring": "npm:@napi-rs/keyring@^2.1.2",
      undici: "npm:undici@7.30.2",
    },
  });
  assert.equal(version, "1.2.3");
  assert.deepEqual(dependencies, { "@clack/prompts": "^1.9.0", undici: "7.30.2" });
  assert.deepEqual(optionalDependencies, {
    "@lydell/node-pty": "1.1.0",
    "@napi-rs/keyring": "^2.1.2",
  });
});

for (
  const [what, specifier, target] of [
    ["a JSR package", "@std/assert", "jsr:@std/assert@^1.0.0"],
    ["an npm package without a range", "undici", "npm:undici"],
    ["an npm package under another name", "http", "npm:undici@^7.30.2"],
    ["a file", "secret", "./src/secret.ts"],
  ] as const
) {
  it(`\`npmManifest()\` refuses ${what} among the imports`, () => {
    assert.throws(
      () => npmManifest({ ...CONFIG, imports: { [specifier]: target } }),
      {
        message: new RegExp(
          `Cannot make a dependency of "${specifier}" .*"${target.replaceAll(/[.^]/g, "\\$&")}"`,
        ),
      },
    );
  });
}
