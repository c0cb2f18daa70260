/** Exit codes of adc-run's own making; everything else is the child's. */
export const EXIT = {
  findings: 3,
  usage: 64,
  data: 65,
  unavailable: 69,
  software: 70,
  source: 74,
  permission: 77,
  config: 78,
  notExecutable: 126,
  notFound: 127,
  interrupted: 130,
} as const;

export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  findings: "drift, with --fail-on-drift; or tokens found, with auth list --fail",
  usage: "the command line is wrong",
  data: "invalid data: a token, .env or profile; or a leak, with --fail-on-leak",
  unavailable: "the server cannot be reached, or failed",
  software: "an internal error; please report it",
  source: "a source failed, or something could not be written",
  permission: "no token, or the server refused it or the login",
  config: "invalid settings, or they do not match the server",
  notExecutable: "ADC was found but cannot be executed",
  notFound: "ADC was not found",
  interrupted: "cancelled at a prompt",
};

/**
 * What every error of adc-run can carry besides its message.
 * @category Errors
 */
export interface AdcRunErrorOptions {
  /** What to do about it, as a sentence for a person. */
  readonly suggestion?: string | undefined;
  /** What led to it. */
  readonly cause?: unknown;
}

/**
 * The base of all errors that adc-run throws on purpose.
 *
 * The message says what was tried and what was found; {@linkcode AdcRunError.suggestion} says what to
 * do about it. Neither holds a secret.
 * @category Errors
 */
export class AdcRunError extends Error {
  /** The error's name, for `error.name` checks across package copies. */
  override readonly name: string = "AdcRunError";
  /** The code that the command line exits with. */
  readonly exitCode: number;
  /** What to do about it, as a sentence for a person. */
  readonly suggestion: string | undefined;

  /**
   * Creates the error.
   *
   * @param message What was tried, and what was found.
   * @param exitCode The code that the command line exits with, one of `EXIT`.
   * @param options The suggestion and the cause.
   */
  constructor(message: string, exitCode: number, options: AdcRunErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = exitCode;
    this.suggestion = options.suggestion;
  }
}

/**
 * The command line is wrong: an unknown option, a missing value, words that exclude each other.
 * @category Errors
 */
export class UsageError extends AdcRunError {
  /** `"UsageError"`. */
  override readonly name = "UsageError";

  /**
   * Creates the error.
   *
   * @param message What is wrong with the command line.
   * @param options The suggestion and the cause.
   */
  constructor(message: string, options: AdcRunErrorOptions = {}) {
    super(message, EXIT.usage, options);
  }
}

/**
 * A value that says how to connect is wrong: the backend, the server, a certificate file, a time limit.
 *
 * `exitCode` is 64 where the value came from a flag, and 78 where it came from anywhere else.
 * @category Errors
 */
export class ConnectionError extends AdcRunError {
  /** `"ConnectionError"`. */
  override readonly name = "ConnectionError";
}

/**
 * A token source is broken, as opposed to having no token: the chain of sources stops here.
 * @category Errors
 */
export class SourceError extends AdcRunError {
  /** `"SourceError"`. */
  override readonly name = "SourceError";
  /** The source's name, such as `keychain`. */
  readonly source: string;

  /**
   * Creates the error.
   *
   * @param source The source's name.
   * @param message What was tried, and what was found.
   * @param options The suggestion and the cause; `exitCode` is 74 unless the token itself is malformed (65).
   */
  constructor(
    source: string,
    message: string,
    options: AdcRunErrorOptions & { readonly exitCode?: number | undefined } = {},
  ) {
    super(message, options.exitCode ?? EXIT.source, options);
    this.source = source;
  }
}

/**
 * ADC, or another program that was to be run, was not found (127) or cannot be executed (126).
 * @category Errors
 */
export class CommandError extends AdcRunError {
  /** `"CommandError"`. */
  override readonly name = "CommandError";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOENT: "no such file or folder",
  ENOSPC: "no space left",
  EDQUOT: "quota exceeded",
  EFBIG: "the file would be too large",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of the path is not a directory",
  ENAMETOOLONG: "the name is too long",
  EIO: "device error",
  ELOOP: "too many symbolic links",
  EBUSY: "another program has it open",
};

/** The system's name for an error in words. */
export function reasonOf(code = "unknown error"): string {
  return Object.hasOwn(REASONS, code) ? `${REASONS[code]} (${code})` : code;
}

/**
 * Lets a permission that Deno withheld through, which would be taken for a file that is not there.
 */
export function throwIfNotCapable(error: unknown): void {
  if (error instanceof Error && error.name === "NotCapable") throw error;
}
