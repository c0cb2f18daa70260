import { UsageError } from "../../errors.ts";
import { resolveToken } from "../../token/resolve.ts";
import { withoutLogIn } from "../account_session.ts";
import type { Io } from "../io.ts";
import { maskInRunner } from "../mask_in_runner.ts";
import { readOwnCommand } from "../own_command.ts";
import type { OwnCall } from "../own_command.ts";
import { describeToken } from "../report.ts";

/** Prints the token that a run would take. It is not checked. */
export async function authToken(call: OwnCall, io: Io): Promise<number> {
  const { options, connection, sources, reporter } = await readOwnCommand(call, io, {
    name: "auth token",
    uses: ["--source", "--token"],
    options: [],
  });
  const looking = withoutLogIn(sources);
  if (looking.length === 0) {
    throw new UsageError('Cannot print a token: source "admin-api" makes one, for runs alone', {
      suggestion: 'Store one with "adc-run auth login".',
    });
  }
  const resolved = await resolveToken({ connection, sources: looking });
  // What a script does with it may show it.
  maskInRunner({ connection, resolved }, { reporter, io, options });
  const token = resolved.token.reveal();
  io.stdout.write(
    options.json ? `${JSON.stringify({ token, ...describeToken(resolved) })}\n` : `${token}\n`,
  );
  return 0;
}
