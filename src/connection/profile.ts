import type { AdcFlags } from "../adc/settings.ts";
import type { Backend } from "./backends.ts";

/** What a profile may say: what ADC's connection flags say, and where its token comes from. */
export interface ProfileSettings extends AdcFlags {
  /** The kind of gateway, as `--backend`. */
  readonly backend?: Backend;
  /** Who logs in, where `API7_USERNAME` is not set. */
  readonly username?: string;
  /** A command that prints the token: its words, or a text that is split without a shell. */
  readonly tokenCommand?: string | readonly string[];
  /** The sources to ask for a token, in this order. */
  readonly sources?: readonly string[];
}

/** A profile that was chosen; paths in it are absolute. */
export interface Profile extends ProfileSettings {
  /** Its name. */
  readonly name: string;
  /** The file that holds it. */
  readonly file: string;
  /** Whether that file came along with the project, and may be somebody else's work. */
  readonly project: boolean;
  /** Whether it was named for this run, and is not merely the one that is used by default. */
  readonly explicit: boolean;
}
