/**
 * The account under which a token is stored: the server's origin, or `PROFILE@ORIGIN` where a profile is
 * in force, so that two profiles for one server have a token each.
 */
export function accountOf(
  origin: string,
  { profile }: { readonly profile?: { readonly name: string } | undefined },
): string {
  return profile === undefined ? origin : `${profile.name}@${origin}`;
}

/**
 * The accounts under which a token is looked for: the profile's own, then the server's, which all share.
 */
export function accountsFor(
  origin: string,
  connection: { readonly profile?: { readonly name: string } | undefined },
): readonly string[] {
  return [...new Set([accountOf(origin, connection), origin])];
}

/** The origins of a list of servers. */
export function originsOf(servers: readonly { readonly origin: string }[]): readonly string[] {
  return [...new Set(servers.map(({ origin }) => origin))];
}
