import process from "node:process";
import type { Environment } from "../../connection/origin.ts";
import { AdcRunError, EXIT, UsageError } from "../../errors.ts";
import { isSafe, SAFE_ADDRESSES } from "./redirect.ts";
import { isVersion, TESTED_ADC } from "./release_version.ts";

/** Where the releases are; a mirror has the same folders and files below its own address. */
export const RELEASES = "https://github.com/api7/adc/releases/download";

/**
 * The systems that ADC is released for, by the names of Node.js, in the names of its release files.
 */
const SYSTEMS: Readonly<Record<string, string>> = {
  "linux x64": "linux_amd64",
  "linux arm64": "linux_arm64",
  "darwin x64": "darwin_amd64",
  "darwin arm64": "darwin_arm64",
  "win32 x64": "windows_amd64",
  "win32 arm64": "windows_arm64",
};

/** The names of all systems that ADC is released for, such as `linux_amd64`. */
export const RELEASED_SYSTEMS: readonly string[] = Object.values(SYSTEMS);

/** A release archive. */
export interface Release {
  /** The version, such as `0.28.0`. */
  readonly version: string;
  /** The system in the names of the release files, such as `linux_amd64`. */
  readonly system: string;
  /** The archive's name. */
  readonly archive: string;
  /** How it is packed. */
  readonly format: "tar.gz" | "zip";
  /** The one file in it. */
  readonly program: "adc" | "adc.exe";
  /** Where it is. */
  readonly url: URL;
}

/** What a release is chosen by. */
export interface ReleaseOptions {
  /** The environment: `ADC_RUN_DOWNLOAD_URL` names a mirror. */
  readonly env: Environment;
  /** The version, with or without a leading `v`. */
  readonly version?: string | undefined;
  /** The system in the names of the release files. */
  readonly system?: string | undefined;
}

/** The system that this process runs on. */
export function systemName(
  platform: string = process.platform,
  arch: string = process.arch,
): string {
  const system = SYSTEMS[`${platform} ${arch}`];
  if (system !== undefined) return system;
  throw new AdcRunError(
    `Cannot install ADC: it is not released for ${platform} on ${arch}`,
    EXIT.config,
    { suggestion: "Build it from source, and name it with --adc or ADC_RUN_ADC." },
  );
}

/** Chooses the release archive. */
export function releaseFor({ env, system = systemName(), ...more }: ReleaseOptions): Release {
  const version = (more.version ?? TESTED_ADC).replace(/^v/, "");
  if (!isVersion(version)) {
    throw new UsageError(`Cannot install ADC: "${version}" is no version`, {
      suggestion: `Write it like "adc-run install-adc ${TESTED_ADC}".`,
    });
  }
  const format = system.startsWith("windows") ? "zip" : "tar.gz";
  const archive = `adc_${version}_${system}.${format}`;
  const base = readBase(env.ADC_RUN_DOWNLOAD_URL || RELEASES);
  const url = new URL(`${base}/v${version}/${archive}`);
  return { version, system, archive, format, url, program: format === "zip" ? "adc.exe" : "adc" };
}

/** Messages do not show the address: it may hold a password. */
function readBase(text: string): string {
  const wrong = (found: string) =>
    new AdcRunError(`Cannot use ADC_RUN_DOWNLOAD_URL: ${found}`, EXIT.config, {
      suggestion: 'Write it like "https://mirror.example.com/adc".',
    });
  if (!URL.canParse(text)) throw wrong("the address is no URL");
  const url = new URL(text);
  if (url.username !== "" || url.password !== "") {
    throw wrong("the address has a user name or a password in it, and none is sent");
  }
  if (url.search !== "" || url.hash !== "") throw wrong("the address has a query or a fragment");
  if (!isSafe(url)) throw wrong(`the address is none of ${SAFE_ADDRESSES}`);
  return url.href.replace(/\/+$/, "");
}
