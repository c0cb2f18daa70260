import type { Connection } from "../connection/connection.ts";
import { describeOrigin, isFromProject, type Origin, type Profile } from "../connection/origin.ts";
import { crossesInPlain } from "../connection/server.ts";
import type { Environment } from "../context.ts";
import { AdcRunError, EXIT } from "../errors.ts";
import { Secret } from "../secret.ts";

/**
 * Reads `API7_USERNAME`, `API7_PASSWORD`, and `API7_LOGIN_OPTION` for users of LDAP. A `.env` file is not
 * asked: it comes along with a cloned repository.
 */
export function credentialsOf(
  env: Environment,
  { profile }: { readonly profile?: Profile | undefined } = {},
): {
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  readonly loginOption: string | undefined;
} {
  const { API7_USERNAME: username, API7_PASSWORD: password, API7_LOGIN_OPTION: option } = env;
  return {
    username: username?.trim() || profile?.username,
    password: password ? new Secret(password) : undefined,
    loginOption: option?.trim() || undefined,
  };
}

/**
 * Says why a password must not be sent without asking: a `.env` file in the working directory, or the
 * project's adc-run.json, which a cloned repository brings along, decides where it would go, or who vouches for that.
 */
export function needsConsent(connection: Connection): string | undefined {
  const { server, proxies, tls, overrides: [override] } = connection;
  const alone = (what: string, origin: Origin) =>
    isFromProject(origin) ? `${what} is set only by ${describeOrigin(origin)}` : undefined;
  const proxy = proxies.find((each) => each && isFromProject(each.host.origin))?.host;
  return alone(`the server ${server.value}`, server.origin) ??
    (proxy && alone(`the proxy ${proxy.value}`, proxy.origin)) ??
    (tls.skipVerify.value
      ? alone("skipping certificate verification", tls.skipVerify.origin)
      : undefined) ??
    (tls.caCertFile && alone("the trusted CA", tls.caCertFile.origin)) ??
    (override && alone("the choice of proxy", override));
}

/** Refuses to send a password that way where the caller has not agreed to it. */
export function requireConsent(connection: Connection, consent: boolean | undefined): void {
  const reason = consent ? undefined : needsConsent(connection);
  if (reason === undefined) return;
  throw new AdcRunError(`Cannot send a password: ${reason}`, EXIT.config, {
    suggestion: "Set it in the environment, or pass consent: true.",
  });
}

/** Says that others on the network can read the password on its way. */
export function plainPasswordWarning({ servers }: Connection): string | undefined {
  const server = servers.find(crossesInPlain);
  return server && `The password will be sent to ${server.display} unencrypted. Use https.`;
}
