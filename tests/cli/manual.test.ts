import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { splitLine } from "../../src/cli/completion/complete.ts";
import {
  CONNECTION_FLAGS,
  GLOBAL_OPTIONS,
  namesOf,
  type OptionSpec,
} from "../../src/cli/global_options.ts";
import { main } from "../../src/cli/main.ts";
import {
  ADC_COMMANDS,
  COMMANDS,
  type CommandSpec,
  findPage,
  pageNames,
} from "../../src/cli/manual/manual.ts";
import { connectionFlags, renderPage, sharedOptions } from "../../src/cli/manual/help.ts";
import { TOPICS } from "../../src/cli/manual/topics.ts";
import { readCommandLine } from "../../src/cli/options.ts";
import { fakeIo } from "../support/fake_io.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

/** The sources, by file. */
async function sources(): Promise<ReadonlyMap<string, string>> {
  const folder = fileURLToPath(new URL("../../src/", import.meta.url));
  const names = (await readdir(folder, { recursive: true }))
    .map((name) => name.replaceAll("\\", "/"))
    .filter((name) => name.endsWith(".ts"));
  return new Map(
    await Promise.all(names.map(async (name): Promise<[string, string]> => [
      name,
      await readFile(`${folder}${name}`, "utf8"),
    ])),
  );
}

const written = (option: OptionSpec) => {
  const { short, long } = namesOf(option);
  return short === undefined ? [long] : [short, long];
};

/** The option that main() finds unknown; each line has one, so that no command gets to do anything. */
async function stray(words: readonly string[]): Promise<string | undefined> {
  await using folder = await temporaryFolder();
  const io = fakeIo({ cwd: folder.path, env: { ADC_RUN_CONFIG_DIR: `${folder.path}/c` } });
  assert.equal(await main(words, io), 64, words.join(" "));
  return /[Uu]nknown option \\?"([^"\\]+)\\?"/.exec(io.err.join(""))?.[1];
}

const parsed = COMMANDS.filter(({ run }) => run !== undefined);

const optionsOf = (command: CommandSpec): readonly OptionSpec[] => [
  ...command.options ?? [],
  ...sharedOptions(command),
  ...connectionFlags(command),
];

it("every option in the manual is one that its command takes, with a value or without", async () => {
  for (const command of parsed) {
    for (const option of optionsOf(command)) {
      for (const name of written(option)) {
        const long = name.startsWith("--");
        const words = namesOf(option).value === undefined
          ? [name, "--zqzq", "--yqyq"]
          : long
          ? [`${name}=1`, "--zqzq"]
          : [name, "1", "--zqzq"];
        const line = [...command.name.split(" "), ...words];
        assert.equal(await stray(line), "--zqzq", line.join(" "));
      }
    }
  }
});

it("no command takes an option that its manual does not have", async () => {
  const all = [...COMMANDS.flatMap(optionsOf), ...GLOBAL_OPTIONS, ...CONNECTION_FLAGS];
  const names = new Set(all.map((option) => namesOf(option).long));
  // They are read everywhere and refused where they mean nothing: tests/cli/main.test.ts.
  const everywhere = [
    "--profile",
    "--no-profile",
    "--source",
    "--env-file",
    "--no-check",
    "--json",
    "--quiet",
    "--verbose",
    "--token",
    "--help",
  ];
  for (const command of parsed) {
    const known = [...everywhere, ...optionsOf(command).map((option) => namesOf(option).long)];
    for (const name of names) {
      if (known.includes(name)) continue;
      const line = [...command.name.split(" "), name, "--zqzq", "--yqyq"];
      assert.equal(await stray(line), name, `${line.join(" ")}: it is not in the manual`);
    }
  }
});

it("every variable that is read is in the manual, and the other way round", async () => {
  const { text } = TOPICS.find(({ name }) => name === "environment")!;
  const listed = text.flatMap((block) =>
    typeof block === "object" && "rows" in block ? block.rows : []
  ).flatMap(([name]) => name.split(", "));
  const all = [...await sources()];
  const code = all.filter(([name]) => !name.startsWith("cli/manual/"))
    .map(([, text]) => text).join("\n");
  const constants = all.flatMap(([, text]) => text.match(/(?<=\bconst )[A-Z0-9_]+\b/g) ?? []);
  const pattern = /\b(?:ADC_RUN|ADC|API7)_[A-Z0-9_]+\b/g;
  // Read for what ADC makes of them, or to say that nobody reads them.
  const others = ["ADC_RUNNING_MODE", "ADC_TIMEOUT", ...constants];
  for (const name of new Set(code.match(pattern))) {
    if (name.endsWith("_") || others.includes(name)) continue;
    assert.ok(listed.includes(name), `${name} is in the manual`);
  }
  // The table of options makes their variables out of their names.
  const made = GLOBAL_OPTIONS.map(({ variable }) => variable);
  for (const name of listed) {
    assert.ok(made.includes(name) || code.includes(name), `${name} is read somewhere`);
  }
});

it("every example can be typed as it stands", async () => {
  const examples = [...COMMANDS, ...TOPICS].flatMap(({ examples = [] }) => examples);
  assert.ok(examples.length > 40);
  for (const [, line] of examples) {
    const words = splitLine(line.slice(line.search(/\badc-run /)).replace(/\)"?$/, ""));
    const end = words.findIndex((word) => ["|", ">", "<"].includes(word));
    const args = words.slice(1, end < 0 ? undefined : end);
    const { words: command } = readCommandLine(args);
    const page = [command.slice(0, 2).join(" "), command[0]!].map(findPage)
      .find((each) => each !== undefined);
    assert.ok(page !== undefined && page.kind !== "topic", line);
    if (page.kind === "command" && parsed.includes(page.command)) {
      assert.equal(await stray([...args, "--zqzq"]), "--zqzq", line);
    }
    if (page.kind === "command" && page.command.name === "help") {
      assert.ok(findPage(command.slice(1).join(" ")), line);
    }
  }
});

it("every page is there, fits a terminal, and leads to pages that are there", async () => {
  for (const name of pageNames()) {
    const page = findPage(name)!;
    for (const line of renderPage(page).split("\n")) {
      assert.ok(line.length <= 80 || /^ {2}\S*.*(adc-run|https:)/.test(line), line);
      assert.match(line, /^[\x20-\x7e]*$/);
      assert.equal(line, line.trimEnd());
    }
    const io = fakeIo();
    assert.equal(await main(["help", ...name.split(" ")], io), 0, name);
    assert.equal(io.out.join(""), renderPage(page));
  }
  for (const { seeAlso = [] } of [...COMMANDS, ...TOPICS]) {
    for (const name of seeAlso) assert.ok(findPage(name), name);
  }
});

it("the page on a command is what `--help` behind it shows", async () => {
  for (const { name } of COMMANDS) {
    const io = fakeIo();
    assert.equal(await main([...name.split(" "), "--help"], io), 0, name);
    assert.equal(io.out.join(""), renderPage(findPage(name)!), name);
  }
});

it("the main help is one screen that names every command and topic, and options have a page", async () => {
  const io = fakeIo();
  assert.equal(await main(["help"], io), 0);
  const text = io.out.join("");
  const lines = text.split("\n");
  assert.ok(lines.length <= 24, `${lines.length} lines`);
  assert.ok(lines.every((line) => line.length <= 80), text);
  const commands = [...COMMANDS, ...ADC_COMMANDS].flatMap(({ name }) => name.split(" "));
  const topics = TOPICS.map(({ name }) => name);
  for (const name of [...commands, ...topics]) {
    assert.ok(text.includes(name), `${name} is in the main help`);
  }
  const options = renderPage(findPage("options")!);
  for (const name of GLOBAL_OPTIONS.flatMap(written)) {
    assert.ok(options.includes(name), `${name} is in the help on options`);
  }
});
