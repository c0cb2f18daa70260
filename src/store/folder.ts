import { isAbsolute, join, resolve } from "node:path";
import process from "node:process";
import type { Environment } from "../connection/origin.ts";
import { homeFolder } from "../home_folder.ts";

/** The name of adc-run's folder below the folder of all programs' settings. */
const NAME = "adc-run";

/**
 * The folder of adc-run's own files: `ADC_RUN_CONFIG_DIR`; else `adc-run` below `XDG_CONFIG_HOME`, below
 * `APPDATA` on Windows, below `~/Library/Application Support` on macOS, or below `~/.config`.
 *
 * An empty variable counts as unset, and so does a relative `XDG_CONFIG_HOME`, as the XDG Base Directory
 * Specification has it.
 */
export function storeFolder(env: Environment, platform: string = process.platform): string {
  const { ADC_RUN_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, APPDATA: appData } = env;
  if (own) return resolve(own);
  if (xdg && isAbsolute(xdg)) return join(xdg, NAME);
  if (platform === "win32" && appData) return join(appData, NAME);
  const userHome = homeFolder(env);
  return platform === "darwin"
    ? join(userHome, "Library", "Application Support", NAME)
    : join(userHome, ".config", NAME);
}
