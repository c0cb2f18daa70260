import { describe, it } from "node:test";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { isProven } from "./fault.ts";
import type { ProvenFault } from "./fault.ts";
import { FAULTS } from "./fault_table.ts";
import { openScene } from "./scene.ts";

/** How many faults are shown at once: most of them wait for something. */
const AT_ONCE = 4;

/** Shows a fault, and that it made nobody lose anything. */
async function show(fault: ProvenFault, home: Home): Promise<void> {
  await using scene = await openScene(home, fault.sandbox);
  await fault.prove(scene);
  await scene.assertDiscreet();
  await scene.assertKept();
}

/** Starts all proofs, some at a time; each test waits for its own. */
function startAll(
  faults: readonly ProvenFault[],
  home: Home,
): (fault: ProvenFault) => Promise<void> {
  const proofs = new Map<ProvenFault, () => Promise<void>>();
  const waiting = faults.map((fault) => {
    const proof = Promise.withResolvers<void>();
    // The test whose it is will tell.
    proof.promise.catch(() => {});
    proofs.set(fault, () => proof.promise);
    return () => show(fault, home).then(proof.resolve, proof.reject);
  });
  let started = false;
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next();
  };
  return async (fault) => {
    if (!started) { for (let index = 0; index < AT_ONCE; index++) void work(); }
    started = true;
    await proofs.get(fault)!();
  };
}

for (const home of await testHomes("every engine")) {
  const here = FAULTS.flatMap(({ faults }) => faults).filter(isProven);
  const shown = startAll(here.filter(({ skip = false }) => skip === false), home);
  for (const { title, faults } of FAULTS) {
    describe(`faults on ${home.name}: ${title.toLowerCase()}`, () => {
      for (const fault of faults.filter(isProven)) {
        const { skip = false } = fault;
        it(`${fault.fault}: ${fault.verdict}, exit ${fault.exit}`, { skip }, async () => {
          await shown(fault);
        });
      }
    });
  }
}
