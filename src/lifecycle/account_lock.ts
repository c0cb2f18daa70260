import { createHash } from "node:crypto";
import { join } from "node:path";
import { withLock } from "../store/lock.ts";

/** Runs something while no other process of adc-run changes the token of an account. */
export async function withAccount<T>(
  account: string,
  run: () => Promise<T>,
  options: {
    readonly folder: string;
    readonly timeout?: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<T> {
  const { folder, timeout = 60_000, signal } = options;
  const name = createHash("sha256").update(account).digest("hex").slice(0, 16);
  return await withLock(join(folder, `account-${name}.lock`), run, {
    timeout,
    // A keychain may ask for its password meanwhile, and nobody may be there to type it.
    stale: 15 * 60_000,
    what: `the token for ${account}`,
    ...(signal && { signal }),
  });
}
