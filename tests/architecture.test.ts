import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join, posix, sep } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { VERSION } from "../src/version.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The folders and single files of `src/`; imports point to the left only. */
const LAYERS = [
  ["secret", "errors", "version", "context"],
  ["system"],
  ["mask"],
  ["adc"],
  ["connection"],
  ["http"],
  ["token"],
  ["check"],
  ["admin_api"],
  ["store"],
  ["profiles"],
  ["lifecycle"],
  ["run"],
  ["doctor"],
  ["cli"],
];

async function readSources(): Promise<ReadonlyMap<string, string>> {
  const names = await readdir(join(ROOT, "src"), { recursive: true });
  const sources = names.filter((name) => name.endsWith(".ts")).map((name) =>
    `src/${name.split(sep).join("/")}`
  );
  return new Map(
    await Promise.all(
      sources.sort().map(async (name): Promise<[string, string]> => [
        name,
        await readFile(join(ROOT, name), "utf8"),
      ]),
    ),
  );
}

/** The code without its comments; good enough for sources that hold no `//` but in URLs. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:"'`])\/\/.*$/gm, "$1");
}

/** What a file imports, `import type` and `import()` included. */
function importsOf(source: string): string[] {
  const pattern = /\b(?:from|import)\s*\(?\s*"([\w@.][\w@./:-]*)"/g;
  return [...withoutComments(source).matchAll(pattern)].map(([, specifier]) => specifier!);
}

function layerOf(file: string): number {
  const name = file.split("/")[1]?.replace(/\.ts$/, "") ?? "";
  const layer = LAYERS.findIndex((names) => names.includes(name));
  assert.notEqual(layer, -1, `${file} belongs to no layer`);
  return layer;
}

const sources = await readSources();

test("`importsOf()` of this test sees every kind of import", () => {
  const text = [
    'import a from "./a.ts";',
    'import type { B } from "./b.ts";',
    'export { c } from "./c.ts";',
    'import "./d.ts";',
    'const e = await import("./e.ts");',
    'const f = await import(\n  "./f.ts"\n);',
    'type G = typeof import("./g.ts");',
    ' * import { h } from "./h.ts"; */',
    '// import "./i.ts";',
  ].join("\n").replace(" * import", "/* import");
  assert.deepEqual(importsOf(text), ["a", "b", "c", "d", "e", "f", "g"].map((n) => `./${n}.ts`));
  assert.ok(sources.size > 30);
});

test("imports in `src/` point one way only", () => {
  for (const [file, source] of sources) {
    for (const specifier of importsOf(source).filter((each) => each.startsWith("."))) {
      const target = posix.join(posix.dirname(file), specifier);
      assert.ok(sources.has(target), `${file} imports ${specifier}, which is not there`);
      assert.ok(layerOf(target) <= layerOf(file), `${file} imports ${target}`);
    }
  }
});

test("no two files in `src/` import each other, over however many others", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `A circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    // Types are gone at run time; a circle of them does no harm.
    const source = sources.get(file)!.replace(/\b(?:import|export) type [^;]*;/g, "");
    for (const specifier of importsOf(source).filter((each) => each.startsWith("."))) {
      visit(posix.join(posix.dirname(file), specifier), [...path, file]);
    }
    done.add(file);
  };
  for (const file of sources.keys()) visit(file, []);
});

test("`src/` imports `node:` modules, itself, and the packages of deno.json", async () => {
  const { imports } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  const packages = Object.keys(imports);
  for (const [file, source] of sources) {
    for (const specifier of importsOf(source)) {
      const known = /^(node:|\.\.?\/)/.test(specifier) || packages.includes(specifier);
      assert.ok(known, `${file} imports "${specifier}"`);
    }
  }
});

test("nothing in `src/` uses `Deno`, which Node has not", () => {
  for (const [file, source] of sources) {
    assert.doesNotMatch(withoutComments(source), /\bDeno\s*[.[]/, file);
  }
});

/** The edge of the library: what a caller leaves out is this process' own. */
const LIBRARY_EDGE = ["src/run/run_adc.ts", "src/connection/connection.ts"];

test("nothing in `src/` outside `src/cli/` reads the environment, prints, or exits", () => {
  const forbidden =
    /\bprocess\s*\.\s*(env|argv|stdin|stdout|stderr|exit|exitCode|cwd|chdir|on|once)\b/;
  for (const [file, source] of sources) {
    if (file.startsWith("src/cli/") || LIBRARY_EDGE.includes(file)) continue;
    const code = withoutComments(source);
    assert.doesNotMatch(code, forbidden, file);
    assert.doesNotMatch(code, /\bconsole\s*[.[]|\b(prompt|alert|confirm)\s*\(/, file);
    assert.doesNotMatch(
      code,
      /import\s*{[^}]*\b(env|argv|stdout|stderr|exit)\b[^}]*}\s*from "node:process"/,
    );
  }
});

test("`src/cli/bin.ts` alone touches the process", () => {
  for (const [file, source] of sources) {
    if (!file.startsWith("src/cli/") || file === "src/cli/bin.ts") continue;
    assert.doesNotMatch(
      withoutComments(source),
      /\bprocess\s*\.\s*(env|argv|exit|exitCode)\b/,
      file,
    );
    assert.doesNotMatch(withoutComments(source), /\bconsole\s*\./, file);
  }
});

/** Whose own the streams are, in `src/cli/`, and what goes there past `out.ts`. */
const STREAMS: Readonly<Record<string, string>> = {
  "src/cli/bin.ts": "the process' streams, handed on",
  "src/cli/io.ts": "their types",
  "src/cli/terminal_prompt.ts": "questions, which a library draws",
  "src/cli/commands/api.ts": "the body that was asked for",
  "src/cli/commands/run.ts": "the child's output",
  "src/cli/commands/run_many.ts": "the output of children",
  "src/cli/output/ci.ts": "whether standard error is a file",
  "src/cli/output/out.ts": "all that adc-run says",
  "src/cli/output/sign.ts": "where it is drawn",
  "src/cli/output/target_lines.ts": "the output of children, with their names",
};

test("adc-run writes to the process' streams in `src/cli/output/out.ts` alone", () => {
  const writes = /\.\s*(write|writev|end|pipe|cork)\s*\(|\bpipeline\(|\bwriteSync\b|\bconsole\b/;
  const writers = [
    "src/cli/output/out.ts",
    "src/cli/output/target_lines.ts",
    "src/cli/terminal_prompt.ts",
  ];
  for (const [file, source] of sources) {
    if (!file.startsWith("src/cli/")) continue;
    const code = withoutComments(source);
    assert.equal(writes.test(code), writers.includes(file), `${file} writes by itself`);
    // Names of streams in quotes are for `out.ts`, and terminals are none.
    const named = /(?<!terminals\.|["'\w])(stdout|stderr)\b(?!["'\w])/.test(code);
    assert.equal(named, file in STREAMS, `${file} takes a stream of the process`);
  }
});

test("`VERSION` is the version in deno.json", async () => {
  const { version } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
  assert.equal(VERSION, version);
});

test("`mod.ts` re-exports and does nothing else", async () => {
  const code = withoutComments(await readFile(join(ROOT, "mod.ts"), "utf8"));
  const statements = code.split(";").map((each) => each.trim()).filter((each) => each !== "");
  assert.ok(statements.length > 20);
  for (const statement of statements) {
    assert.match(statement, /^export (type )?{[\w\s,]+} from "\.\/src\/[\w/]+\.ts"$/);
  }
});

test("`mod.ts` exports nothing of `src/cli/`", async () => {
  const imports = importsOf(await readFile(join(ROOT, "mod.ts"), "utf8"));
  assert.ok(imports.every((each) => !each.startsWith("./src/cli/")));
});
