import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { AdcRunError, EXIT, messageOf, UsageError } from "../../errors.ts";
import { day, describeEnd, readLifetime } from "../../lifecycle/expiry.ts";
import { type HandOver, labelOf } from "../../lifecycle/hand_over.ts";
import { requireTokenName } from "../../lifecycle/mint_token.ts";
import {
  createToken,
  rotateEach,
  type Workflow,
  type WorkflowResult,
  type WorkflowTerms,
} from "../../lifecycle/workflow_token.ts";
import { setWorkflow } from "../../profiles/edit_profiles.ts";
import { readUserProfiles } from "../../profiles/profile_file.ts";
import type { StoredWorkflow } from "../../profiles/profile_settings.ts";
import { absolutePath } from "../../profiles/select_profiles.ts";
import { isAdminKey, type Secret } from "../../secret.ts";
import { didYouMean } from "../../system/nearest.ts";
import type { Io } from "../io.ts";
import type { CreateOptions, RotateOptions } from "../manual/auth_commands.ts";
import type { OwnCall } from "../manual/manual.ts";
import { maskInRunner } from "../output/ci.ts";
import { fixed, handOutToken, line, requireReader, writeRest } from "../output/out.ts";
import { asAdcRunError, describeError, type Reporter, SCHEMA_VERSION } from "../output/report.ts";
import { type AccountSession, checkOf, describeOwner, withAccountSession } from "./account.ts";

type WorkflowCall = OwnCall<CreateOptions & RotateOptions>;

interface Target {
  readonly workflow: Workflow;
  readonly profile: string | undefined;
}

export async function authCreate(call: WorkflowCall, io: Io): Promise<number> {
  const { options, reporter, operands: [name = ""] } = call;
  requireTokenName(name);
  const printed: Secret[] = [];
  const target = (await targetsOf([name], call, io, printed))[0]!;
  return await withWorkflows(call, io, target.profile, async (session) => {
    const saved = options.save ? await savedWorkflow(target, session, io) : undefined;
    const token = await createToken(session, target.workflow, termsOf(session, call, io)).catch(
      (error) => {
        if (options.json && printed.length > 0) tell({ name }, printed, { reporter, io });
        throw error;
      },
    );
    const { user: owner } = session;
    const { expiresAt = null } = token;
    const handedTo = labelOf(target.workflow.handOver);
    if (saved !== undefined) {
      await setWorkflow(name, { env: io.env, set: saved }).catch((error) => {
        throw notSaved(`"${name}" was created and handed to ${handedTo}`, error);
      });
    }
    if (options.json) tell({ ...token, expiresAt, owner, handedTo }, printed, { reporter, io });
    const end = describeEnd(token.expiresAt, Date.now());
    reporter.info(
      line`created "${name}" of ${describeOwner(owner)}, ${end}; handed to ${handedTo}`,
    );
    if (saved !== undefined) reporter.info(line`saved: "adc-run auth rotate ${name}" rotates it`);
    return 0;
  });
}

function notSaved(done: string, cause: unknown): AdcRunError {
  const { exitCode, suggestion } = asAdcRunError(cause);
  const message = `${done}, but the workflow could not be saved: ${messageOf(cause)}`;
  return new AdcRunError(message, exitCode, { suggestion, cause });
}

/** With `--json` a token that is printed is a part of the answer, which began with it. */
function tell(
  answer: object,
  printed: readonly Secret[],
  { reporter, io }: { readonly reporter: Reporter; readonly io: Io },
): void {
  if (printed.length === 0) return void reporter.answer(answer);
  const { warnings } = reporter;
  writeRest({ schemaVersion: SCHEMA_VERSION, ...answer, warnings }, io);
}

export async function rotateWorkflows(call: WorkflowCall, io: Io): Promise<number> {
  const { options, operands, reporter } = call;
  const { all, due: within, dryRun = false } = options;
  if ([operands.length > 0, all === true, within !== undefined].filter(Boolean).length > 1) {
    throw new UsageError("Cannot rotate: use only one of names, --all and --due");
  }
  const due = within === undefined ? undefined : await readLifetime(within, "--due");
  if (within === "never") throw new UsageError('Cannot use --due "never": expected a duration');
  const printed: Secret[] = [];
  const targets = await targetsOf(operands, call, io, printed);
  const results: WorkflowResult[] = [];
  const add = (found: readonly WorkflowResult[]) => {
    results.push(...found);
    // What one server answers all of its workflows is said once.
    for (const error of new Set(found.map((each) => each.error))) {
      if (error !== undefined && !options.json) reporter.fail(error);
    }
  };
  for (const profile of new Set(targets.map((each) => each.profile))) {
    const workflows = targets.flatMap((each) => each.profile === profile ? [each.workflow] : []);
    try {
      await withWorkflows(call, io, profile, async (session) => {
        const terms = termsOf(session, call, io);
        add(await rotateEach(session, workflows, { ...terms, due, dryRun }));
        return 0;
      });
    } catch (error) {
      // One server that is down does not keep the others' workflows from theirs.
      if (!(error instanceof AdcRunError) || error.exitCode === EXIT.interrupted) throw error;
      add(workflows.map(({ name }) => ({ name, outcome: "failed", error })));
    }
  }
  const failure = results.find(({ error }) => error !== undefined)?.error;
  const exitCode = failure === undefined ? 0 : asAdcRunError(failure).exitCode;
  const handedTo = (name: string) =>
    labelOf(targets.find(({ workflow }) => workflow.name === name)!.workflow.handOver);
  if (options.json) {
    const workflows = results.map(({ error, expiresAt = null, ...rest }) => ({
      ...rest,
      expiresAt,
      handedTo: handedTo(rest.name),
      error: error === undefined ? undefined : describeError(asAdcRunError(error)),
    }));
    tell({ workflows, exitCode }, printed, { reporter, io });
  } else if (!options.quiet || exitCode !== 0) {
    // Nothing but the token is on standard output.
    const stream = options.print ? "stderr" : "stdout";
    const rows = results.map(({ name, outcome, expiresAt }) => [
      name,
      outcome,
      expiresAt !== undefined ? day(expiresAt) : outcome === "failed" ? "" : "never",
      handedTo(name),
    ]);
    reporter.table([["NAME", "RESULT", "EXPIRES", "GOES TO"].map(fixed), ...rows], stream);
  }
  return exitCode;
}

/** What the words and the configuration say of workflows; a token that is printed is added to `printed`. */
async function targetsOf(
  names: readonly string[],
  { options, operands, spec, reporter }: WorkflowCall,
  io: Io,
  printed: Secret[],
): Promise<readonly Target[]> {
  const { env } = io;
  const { path, workflows } = await readUserProfiles(env);
  const { toCommand, toFile, print } = options;
  const given = [toCommand !== undefined, toFile !== undefined, print === true].filter(Boolean);
  if (given.length > 1) {
    throw new UsageError("Cannot combine --to-command, --to-file and --print: use one of them");
  }
  if (given.length === 1 && names.length !== 1) {
    throw new UsageError("Cannot hand over several tokens to one place: name one workflow");
  }
  if (print) requireReader(io);
  const own: HandOver | undefined = toCommand !== undefined
    ? { toCommand }
    : toFile !== undefined
    ? { toFile }
    : print
    ? async (token, { signal }) => {
      const minted = {
        connection: { backend: { value: "api7ee" } },
        token,
        source: "made",
      } as const;
      maskInRunner(minted, { reporter, io, options });
      await handOutToken(token, io, { json: options.json === true, signal });
      printed.push(token);
    }
    : undefined;
  const chosen = operands.length > 0 ? names : [...workflows.keys()];
  const asked = options.fromEnvironment.has("profile") ? undefined : options.profile;
  const targets = [...new Set(chosen)].map((name): Target => {
    const stored = workflows.get(name);
    const handOver = own ?? (stored && handOverOf(stored, { file: path, env }));
    if (handOver === undefined) throw unknownWorkflow(name, [...workflows.keys()], spec.name);
    const profile = stored?.profile;
    if (profile !== undefined && asked !== undefined && operands.length > 0) {
      if (asked === false || asked.join() !== profile) {
        throw new UsageError(`Cannot use another profile: workflow "${name}" is for "${profile}"`);
      }
    }
    const expiresIn = options.expiresIn ?? stored?.expiresIn;
    return { workflow: { name, expiresIn, handOver }, profile };
  });
  if (targets.length === 0) {
    const missing = existsSync(path)
      ? `there are no workflows in ${path}`
      : `there is no file ${path}`;
    throw new UsageError(`Cannot rotate: ${missing}`, {
      suggestion: 'Save one with "adc-run auth create NAME --to-command CMD --save".',
    });
  }
  // With a profile, those that are for it.
  return operands.length > 0 || !asked
    ? targets
    : targets.filter(({ profile }) => profile === undefined || asked.includes(profile));
}

function handOverOf(
  { toCommand, toFile }: StoredWorkflow,
  from: Parameters<typeof absolutePath>[1],
): HandOver {
  if (toFile !== undefined) return { toFile: absolutePath(toFile, from) };
  // Not in the working directory, whose repository may not be the one that the token is for.
  return { toCommand: toCommand!, cwd: absolutePath(".", from) };
}

function unknownWorkflow(name: string, known: readonly string[], command: string): UsageError {
  const found = command === "auth create"
    ? `Where should the token of "${name}" go?`
    : `Cannot rotate "${name}": config.json has no workflow of that name`;
  return new UsageError(found, {
    suggestion: didYouMean(name, known) ??
      "Say where its token goes: --to-command CMD, --to-file PATH or --print.",
  });
}

async function withWorkflows(
  call: WorkflowCall,
  io: Io,
  profile: string | undefined,
  work: (session: AccountSession) => Promise<number>,
): Promise<number> {
  const { spec, options } = call;
  return await withAccountSession(
    {
      ...call,
      spec: { ...spec, connection: "to connect" },
      options: profile === undefined ? options : { ...options, profile: [profile] },
    },
    io,
    async (session) => {
      if (session.resolved !== undefined && isAdminKey(session.resolved.token)) {
        throw new AdcRunError(
          `Cannot create a token with the admin key from ${session.resolved.detail}: it does not belong to a user`,
          EXIT.permission,
          { suggestion: "Use a user's token, or log in." },
        );
      }
      return await work(session);
    },
  );
}

function termsOf(
  { connection, signal }: AccountSession,
  call: WorkflowCall,
  io: Io,
): WorkflowTerms {
  const { env, cwd, keychain } = io;
  const { warn: onWarning, info: onOutput } = call.reporter;
  return {
    env,
    cwd,
    keychain,
    connection,
    signal,
    onWarning,
    onOutput,
    check: checkOf(call, io, { connection, signal }),
    now: Date.now,
  };
}

/** What is to be saved has to be fit for that before there is a token. */
async function savedWorkflow(
  { workflow: { expiresIn, handOver } }: Target,
  { connection: { profile } }: AccountSession,
  { env, cwd }: Io,
): Promise<StoredWorkflow> {
  if (typeof handOver === "function") {
    throw new UsageError(
      "Cannot use --save with --print: there is no command or file to hand the token to",
    );
  }
  if (profile?.explicit && !(await readUserProfiles(env)).profiles.has(profile.name)) {
    throw new UsageError(`Cannot use --save: profile "${profile.name}" is not one of your own`);
  }
  return {
    ...(profile?.explicit && { profile: profile.name }),
    ...(expiresIn !== undefined && { expiresIn }),
    ..."toFile" in handOver
      ? { toFile: resolve(cwd, handOver.toFile) }
      : { toCommand: handOver.toCommand },
  };
}
