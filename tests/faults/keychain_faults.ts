/**
 * Faults of the keychain: what lies in it must be there, and work, when it is back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { standIn } from "../support/adc_run.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import type { KeychainState } from "../support/keychain_session.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";
import { reportOf } from "./scene.ts";

const skip = keychainSkip();

function keychain(
  row: Pick<ProvenFault, "fault" | "verdict" | "bound"> & { readonly exit: number },
  state: KeychainState,
  message: RegExp,
): ProvenFault {
  return {
    ...row,
    skip,
    prove: async ({ run, sandbox, token }) => {
      await using session = await startKeychainSession();
      const { env } = session;
      const ping = ["--adc", standIn("adc.mjs"), "ping"];
      const stored = await run(["auth", "login", "--with-token"], { env, input: token });
      assert.equal(stored.code, 0, stored.stderr);

      await session.turn(state);
      const asked = sandbox.requests.length;
      const [plain, json] = await Promise.all([
        run(ping, { env }),
        run(["--json", ...ping], { env }),
      ]);
      assert.equal(plain.code, row.exit, plain.stderr);
      assert.match(plain.stderr, message);
      const { error } = reportOf(json);
      assert.deepEqual([error?.verdict ?? error?.name, json.code], [row.verdict, row.exit]);
      assert.deepEqual([plain.stdout, json.stdout], ["", ""], "ADC was not started");
      assert.equal(sandbox.requests.length, asked, "nothing was sent");

      await session.turn("unlocked");
      const back = await run(ping, { env });
      assert.equal(back.code, 0, back.stderr);
      assert.match(back.stderr, / \(keychain\)$/m);
      assert.equal(sandbox.requests.at(-1)?.apiKey, token);
    },
  };
}

/** Keychains that do not answer as they should. */
export const KEYCHAIN_FAULTS: FaultGroup = {
  title: "The keychain",
  file: "tests/faults/keychain_faults.ts",
  faults: [
    keychain(
      {
        fault: "keychain locked",
        verdict: "SourceError",
        exit: 74,
        bound: "it is not asked again",
      },
      "locked",
      /the keychain failed: it is locked/,
    ),
    keychain(
      { fault: "keychain absent: no D-Bus", verdict: "no-token", exit: 77, bound: "at once" },
      "no-bus",
      /no token for/,
    ),
    keychain(
      { fault: "keychain absent: no service", verdict: "no-token", exit: 77, bound: "at once" },
      "no-service",
      /no token for/,
    ),
    keychain(
      { fault: "keychain hanging", verdict: "SourceError", exit: 74, bound: "5 s" },
      "hanging",
      /it does not respond|no response within/,
    ),
    {
      fault: "keychain locked, hanging or absent at login",
      verdict: "SourceError",
      exit: 74,
      bound: "6 s, before a token is created",
      shownBy: [
        ["tests/e2e/auth_login.test.ts", "says so, and creates none, with a keychain that is"],
        ["tests/e2e/auth_login.test.ts", "revokes it when the keychain goes away meanwhile"],
        [
          "tests/e2e/auth_login.test.ts",
          "the old token stays stored and alive when the new one cannot be",
        ],
      ],
    },
  ],
};
