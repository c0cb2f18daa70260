/**
 * Runs the steps of a composite action as GitHub's runner does.
 *
 * @module
 */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { collect } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";

/** A step that runs a script. */
export interface ActionStep {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly shell: string;
  readonly "working-directory"?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run: string;
}

/** What is used of `action.yml`. */
export interface Action {
  readonly inputs: Readonly<
    Record<string, { readonly description?: string; readonly default?: string }>
  >;
  readonly outputs: Readonly<
    Record<string, { readonly description?: string; readonly value: string }>
  >;
  readonly runs: { readonly using: string; readonly steps: readonly ActionStep[] };
}

/** Reads `action.yml`. */
export async function readAction(): Promise<Action> {
  const path = fileURLToPath(new URL("../../action.yml", import.meta.url));
  return load(await readFile(path, "utf8")) as Action;
}

/** The job around the action. */
export interface Job {
  /** What stands under `with`. */
  readonly inputs?: Readonly<Record<string, string>>;
  /** The job's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder of the runner; the workspace is `workspace` in it. */
  readonly folder: string;
  /** A folder of programs that come first. */
  readonly programs: string;
  /** Where the others are. @default the PATH of the tests */
  readonly path?: string;
}

/**
 * Runs the action's steps until one fails.
 *
 * @param job The job.
 * @returns How each step ended that was run, by its name.
 */
export async function runAction(job: Job): Promise<ReadonlyMap<string, Ending>> {
  const { runs, inputs: declared } = await readAction();
  const inputs = new Map(
    Object.entries(declared).map(([name, input]) => [name, String(input.default ?? "")]),
  );
  for (const [name, value] of Object.entries(job.inputs ?? {})) {
    if (!inputs.has(name)) throw new Error(`The action has no input "${name}"`);
    inputs.set(name, value);
  }
  const [temp, workspace] = [join(job.folder, "temp"), join(job.folder, "workspace")];
  const pathFile = join(job.folder, "path");
  await mkdir(temp, { recursive: true });
  await mkdir(workspace, { recursive: true });
  await writeFile(pathFile, "");
  const fill = (text: string) =>
    text.replace(/\$\{\{ (inputs|runner)\.([\w-]+) \}\}/g, (all, context: string, name: string) => {
      const value = context === "inputs" ? inputs.get(name) : name === "temp" ? temp : undefined;
      if (value === undefined) throw new Error(`Cannot fill in ${all}`);
      return value;
    });
  const endings = new Map<string, Ending>();
  for (const [index, step] of runs.steps.entries()) {
    if (!holds(step.if, inputs)) continue;
    const script = join(temp, `${index}.sh`);
    await writeFile(script, step.run);
    const added = (await readFile(pathFile, "utf8")).split("\n").filter((each) => each !== "");
    const ending = await collect(["bash", "--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: resolve(workspace, fill(step["working-directory"] ?? ".")),
      env: {
        HOME: job.folder,
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_PATH: pathFile,
        RUNNER_OS: "Linux",
        RUNNER_ARCH: "X64",
        RUNNER_TEMP: temp,
        ...job.env,
        ...Object.fromEntries(
          Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]),
        ),
        PATH: [...added.toReversed(), job.programs, job.path ?? process.env.PATH].join(delimiter),
      },
    });
    endings.set(step.name, ending);
    if (ending.code !== 0) break;
  }
  return endings;
}

/** The one kind of condition that the action has. */
function holds(condition: string | undefined, inputs: ReadonlyMap<string, string>): boolean {
  if (condition === undefined) return true;
  const [, name] = /^inputs\.([\w-]+) != ''$/.exec(condition) ?? [];
  const value = name === undefined ? undefined : inputs.get(name);
  if (value === undefined) throw new Error(`Cannot judge "${condition}"`);
  return value !== "";
}
