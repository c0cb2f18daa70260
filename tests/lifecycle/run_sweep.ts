/**
 * A sweep, and what it leaves.
 *
 * @module
 */

import { sweep } from "../../src/lifecycle/sweep.ts";
import type { SweepOptions } from "../../src/lifecycle/sweep.ts";
import { NOW } from "../support/lifecycle_fixture.ts";
import type { Fixture, UserName } from "../support/lifecycle_fixture.ts";

/**
 * Logs in and clears up.
 *
 * @param it Where.
 * @param options As whom, ann by default, and what is special.
 * @returns What was told: the name of a token that was revoked, else the whole sentence.
 */
export async function runSweep(
  { logIn, stores }: Fixture,
  { as, ...more }: Partial<SweepOptions> & { readonly as?: UserName } = {},
): Promise<readonly string[]> {
  const { api, user } = await logIn(as);
  const told: string[] = [];
  const onWarning = (warning: string) => {
    const [, name] = /^Revoked "(.*)", left behind by an interrupted run\.$/.exec(warning) ??
      [];
    told.push(name ?? warning);
  };
  await sweep(api, { stores, user, onWarning, now: () => NOW, ...more });
  return told;
}

/** The names in the journal. */
export async function entryNames({ stores }: Fixture): Promise<readonly string[]> {
  return (await stores.journal.list()).map(({ name }) => name);
}
