import { PROFILE_SCHEMA } from "../../profiles/profile_schema.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";

/** Prints the schema. */
export async function profileSchema(call: OwnCall, io: Io): Promise<number> {
  const { reporter } = readPlainCommand(call, io, { name: "profile schema", options: [] });
  reporter.print(JSON.stringify(PROFILE_SCHEMA, null, 2));
  return await Promise.resolve(0);
}
