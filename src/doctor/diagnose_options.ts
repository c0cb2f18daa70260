import type { Connection } from "../connection/connection.ts";
import type { HttpDispatcher } from "../http/http_client.ts";
import type { Environment } from "../connection/origin.ts";
import type { Spawner } from "../spawn.ts";
import type { Keychain } from "../token/keychain.ts";
import type { TokenSource } from "../token/source.ts";

/** What `diagnose()` looks at. */
export interface DiagnoseOptions {
  /** The environment, usually `process.env`. */
  readonly env: Environment;
  /** The working directory. */
  readonly cwd: string;
  /**
   * ADC's connection flags, as they would stand behind a command.
   *
   * @default []
   */
  readonly args?: readonly string[];
  /**
   * An environment file to read instead of `.env`.
   *
   * @default undefined
   */
  readonly envFile?: string | undefined;
  /**
   * The name of a profile; `false` for none.
   *
   * @default the one that `ADC_RUN_PROFILE` names, else the one in use
   */
  readonly profile?: string | false | undefined;
  /**
   * The ADC to run.
   *
   * @default the one that `ADC_RUN_ADC` names, else `adc` on `PATH`, else in `node_modules/.bin`
   */
  readonly adc?: string | undefined;
  /**
   * Makes the sources that are asked for a token.
   *
   * @default those of `defaultSources()`
   */
  readonly sources?:
    | ((connection: Connection, keychain: Keychain) => readonly TokenSource[])
    | undefined;
  /**
   * The keychain.
   *
   * @default the system's
   */
  readonly keychain?: Keychain | undefined;
  /**
   * Ends the look.
   *
   * @default undefined
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Sends the requests; undici's `MockAgent`, say.
   *
   * @default a dispatcher of the connection's own
   */
  readonly dispatcher?: HttpDispatcher | undefined;
  /**
   * How ADC and git are started.
   *
   * @default the system's own way
   */
  readonly spawn?: Spawner | undefined;
  /**
   * The clock, in milliseconds.
   *
   * @default Date.now
   */
  readonly now?: (() => number) | undefined;
}
