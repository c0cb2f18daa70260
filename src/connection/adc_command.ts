import { Command, Option } from "commander";
import { CONNECTION_OPTIONS, OTHER_OPTIONS } from "./adc_options.ts";

/**
 * A commander command that reads ADC's options, reports nothing, and lets unknown options pass: a newer
 * ADC may have more of them.
 */
export function adcCommand(): Command {
  const command = new Command("adc")
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} })
    .helpOption(false)
    .allowUnknownOption()
    .allowExcessArguments();
  for (const flags of [...CONNECTION_OPTIONS, ...OTHER_OPTIONS]) {
    command.addOption(new Option(flags));
  }
  return command;
}
