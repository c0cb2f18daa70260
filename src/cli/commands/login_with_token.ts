import { tokensByServer } from "../../check/check_token.ts";
import type { Connection } from "../../connection/connection.ts";
import { AdcRunError, EXIT } from "../../errors.ts";
import { adoptToken } from "../../lifecycle/adopt_token.ts";
import { withAccount } from "../../lifecycle/account_lock.ts";
import { openTokenStores } from "../../lifecycle/token_stores.ts";
import { Secret } from "../../secret.ts";
import { accountOf } from "../../token/accounts.ts";
import { isBlank, tokenDefect } from "../../token/token_value.ts";
import { describeEntries, warnOfFile } from "../entries.ts";
import { canAsk } from "../io.ts";
import type { Io } from "../io.ts";
import { tryToken } from "../kept_token.ts";
import { describeOwner, findOwner } from "../owner.ts";
import { askSecret } from "../prompts.ts";
import { warnOfShadows } from "../shadows.ts";
import { readStandardInput } from "../standard_input.ts";
import type { LoginCommand } from "./auth_login.ts";

/** Stores a token, if the server takes it. */
export async function loginWithToken(command: LoginCommand, io: Io): Promise<number> {
  const { options, connection, sources, reporter, storage } = command;
  const token = await readToken(connection, io);
  if (options.check) await tryToken(token, { connection, reporter });
  const owner = options.check ? await findOwner(connection, token, { reporter }) : undefined;
  const stores = openTokenStores({ env: io.env, keychain: io.keychain, onWarning: reporter.warn });
  const tokens = new Map<string, Secret>();
  for (const [index, each] of tokensByServer(connection, token).entries()) {
    tokens.set(connection.servers[index]!.origin, each);
  }
  const { folder } = stores;
  const { warn: onWarning } = reporter;
  const revoked: string[] = [];
  for (const [origin, each] of tokens) {
    const account = accountOf(origin, connection);
    const place = { connection, stores, storage, account, origin, onWarning };
    const adopt = () => adoptToken(each, { ...place, user: owner });
    revoked.push(...await withAccount(account, adopt, { folder }));
  }
  await warnOfShadows(connection, { sources, storage, reporter });
  if (storage === "file") warnOfFile(reporter);
  const accounts = [...tokens.keys()].map((origin) => accountOf(origin, connection));
  if (options.json) {
    const { redacted, fingerprint } = token;
    const { warnings } = reporter;
    reporter.print(
      JSON.stringify({
        stored: storage,
        accounts,
        redacted,
        fingerprint,
        owner,
        ...(revoked.length > 0 && { revoked }),
        warnings,
      }),
    );
    return 0;
  }
  const whose = owner === undefined ? "" : ` of ${describeOwner(owner)}`;
  reporter.info(
    `stored token ${token}${whose} in ${describeEntries(accounts, { storage, folder })}`,
  );
  for (const name of revoked) reporter.info(`revoked the token "${name}" that it replaces`);
  return 0;
}

async function readToken(connection: Connection, io: Io): Promise<Secret> {
  const { backend, server } = connection;
  const token = canAsk(io)
    ? await askSecret(`Token for ${backend.value} at ${server.value}`, io)
    : new Secret(await readStandardInput(io));
  if (isBlank(token.reveal())) {
    throw new AdcRunError("Cannot log in: standard input holds no token", EXIT.data, {
      suggestion: "Pipe it in: adc-run auth login --with-token < token.txt",
    });
  }
  const defect = tokenDefect(token, backend.value === "apisix-standalone");
  if (defect !== undefined) {
    throw new AdcRunError(`Cannot use the token on standard input: ${defect}`, EXIT.data, {
      suggestion: "Copy it once more, without quotes, spaces and line breaks.",
    });
  }
  return token;
}
