import { posix } from "node:path";
import { MAN_PAGE } from "./man_page.ts";

/** What `deno.json` says that the npm package needs. */
export interface DenoConfig {
  /** The version, which JSR and npm share. */
  readonly version: string;
  /** The SPDX name of the license. */
  readonly license: string;
  /** The import map; what is on npm becomes a dependency. */
  readonly imports: Readonly<Record<string, string>>;
}

/** The `package.json` of the npm package. */
export interface NpmManifest {
  /** JSR wants a scope in front of this name, npm does not. */
  readonly name: string;
  /** The version. */
  readonly version: string;
  /** One line for the registry's search. */
  readonly description: string;
  /** Words for the registry's search. */
  readonly keywords: string[];
  /** Where a reader goes. */
  readonly homepage: string;
  /** Where the source is. */
  readonly repository: { readonly type: string; readonly url: string };
  /** The SPDX name of the license. */
  readonly license: string;
  /** Where a bug is reported. */
  readonly bugs: { readonly url: string };
  /** Every file is an ES module. */
  readonly type: string;
  /** For tools that do not read `exports`. */
  readonly types: string;
  /** What can be imported. */
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly default: string }>
  >;
  /** The command. */
  readonly bin: Readonly<Record<string, string>>;
  /** The pages for `man`. */
  readonly man: string[];
  /** What `npm pack` takes besides the manifest, the README and the license. */
  readonly files: string[];
  /** No module does anything by being imported. */
  readonly sideEffects: boolean;
  /** The runtimes. */
  readonly engines: Readonly<Record<string, string>>;
  /** What must be there. */
  readonly dependencies: Readonly<Record<string, string>>;
  /** What npm may leave out. */
  readonly optionalDependencies: Readonly<Record<string, string>>;
}

/** The folder, inside the package, of everything that is code. */
export const CODE_FOLDER = "esm";

/** The command. CommonJS, whatever the package says of its other files. */
export const BIN_FILE = "bin/adc-run.cjs";

/** The folder, beside the command, of the parts that it loads. */
export const PARTS_FOLDER = "parts";

/** The licenses of what the command holds. */
export const LICENSES_FILE = "bin/LICENSES.txt";

/** The file, inside {@linkcode CODE_FOLDER}, that declares what can be imported. */
export const TYPES_FILE = "mod.d.ts";

/** The JSON Schema of `adc-run.json` and `config.json`. */
export const SCHEMA_FILE = "schema.json";

const REPOSITORY = "https://github.com/adc-run/adc-run";

/** Native: not built for every system, and adc-run works without them. */
const OPTIONAL = ["@lydell/node-pty", "@napi-rs/keyring"];

/** Used by the build and the tests, and by nothing in the package. */
const DEVELOPMENT = ["ajv", "axios", "rolldown", "fast-check"];

/** The floor that undici 7 sets; 21 and the first of 22 have no `process.getBuiltinModule()`. */
const NODE = "^20.18.1 || >=22.3.0";

/**
 * The manifest of the npm package, whichever way it is built.
 *
 * @param config The contents of `deno.json`.
 * @returns The manifest.
 * @throws {Error} An import of `deno.json` is not on npm.
 */
export function npmManifest(config: DenoConfig): NpmManifest {
  const imported = npmDependencies(config.imports);
  const isOptional = ([name]: [string, string]) => OPTIONAL.includes(name);
  return {
    name: "adc-run",
    version: config.version,
    description:
      "Finds a token for ADC, checks it, runs ADC with it, and keeps it secret on the way",
    keywords: [
      "adc",
      "api7",
      "apisix",
      "api-gateway",
      "cli",
      "credentials",
      "dotenv",
      "keychain",
      "mask",
      "secrets",
      "token",
    ],
    homepage: `${REPOSITORY}#readme`,
    repository: { type: "git", url: `git+${REPOSITORY}.git` },
    license: config.license,
    bugs: { url: `${REPOSITORY}/issues` },
    type: "module",
    types: `./${CODE_FOLDER}/${TYPES_FILE}`,
    exports: {
      ".": { types: `./${CODE_FOLDER}/${TYPES_FILE}`, default: `./${CODE_FOLDER}/mod.js` },
      "./package.json": "./package.json",
      "./schema.json": `./${SCHEMA_FILE}`,
    },
    // npm 11 corrects a leading "./" here and says so at every `npm publish`.
    bin: { "adc-run": BIN_FILE },
    man: [MAN_PAGE],
    files: [CODE_FOLDER, posix.dirname(BIN_FILE), MAN_PAGE, SCHEMA_FILE],
    sideEffects: false,
    engines: { node: NODE },
    dependencies: Object.fromEntries(imported.filter((entry) => !isOptional(entry))),
    optionalDependencies: Object.fromEntries(imported.filter(isOptional)),
  };
}

function npmDependencies(imports: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(imports)
    .filter(([specifier]) => !DEVELOPMENT.includes(specifier))
    .map(([specifier, target]) => {
      const [, name, range] = /^npm:((?:@[^/]+\/)?[^@/]+)@([^/]+)$/.exec(target) ?? [];
      if (name === undefined || range === undefined || name !== specifier) {
        throw new Error(
          `Cannot make a dependency of "${specifier}" in deno.json: "${target}" is not "npm:${specifier}@RANGE"`,
        );
      }
      return [name, range];
    });
}
