import { AdcRunError, EXIT } from "../../errors.ts";

/** What `isSafe` lets through, for messages. */
export const SAFE_ADDRESSES = "https, or http on this machine";

/** Statuses that name another address. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Tells whether nobody on the way can change what an address answers. */
export function isSafe(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname));
}

/** Tells whether an answer leads to another address. */
export function isRedirect(status: number): boolean {
  return REDIRECTS.includes(status);
}

/**
 * The address that a redirect leads to. Another host is fine, GitHub's files are on one; the checksum
 * decides what is installed.
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const refuse = (found: string) =>
    new AdcRunError(
      `Cannot download from "${from.origin}": it redirects ${found}`,
      EXIT.unavailable,
      { suggestion: "Look at ADC_RUN_DOWNLOAD_URL and at what answers there." },
    );
  if (location === undefined || !URL.canParse(location, from)) throw refuse("to no address");
  const to = new URL(location, from);
  if (!isSafe(to)) throw refuse(`to an address that is none of ${SAFE_ADDRESSES}`);
  if (from.protocol === "https:" && to.protocol !== "https:") throw refuse("from https to http");
  if (to.username !== "" || to.password !== "") throw refuse("to an address with a password in it");
  return to;
}
