import { ADC_COMMANDS } from "./adc_commands.ts";
import { AUTH_COMMANDS } from "./auth_commands.ts";
import type { AdcManualCommand, ManualCommand, ManualTopic } from "./entry.ts";
import { OTHER_COMMANDS } from "./other_commands.ts";
import { PROFILE_COMMANDS } from "./profile_commands.ts";
import { TOPICS } from "./topics.ts";

/** How adc-run is called, and what for. */
export const SYNOPSIS: readonly (readonly [usage: string, text: string])[] = [
  ["adc-run [options] <adc command> [adc options]", "run ADC with a checked token"],
  ["adc-run [options] exec -- <command> [args]", "run another program with it"],
  ["adc-run [options] api [METHOD] <path>", "one request to the Admin API"],
  ["adc-run auth login|status|token|list|rotate|revoke|logout", ""],
  ["adc-run profile list|show|set|remove|use|import|schema", ""],
  ["adc-run doctor", "look for what is wrong"],
  ["adc-run completion bash|zsh|fish|powershell", "complete words in a shell"],
  ["adc-run [options] -- <words>", "every word to ADC"],
];

/** adc-run's own commands, subcommands included. */
export const COMMANDS: readonly ManualCommand[] = [
  ...AUTH_COMMANDS,
  ...PROFILE_COMMANDS,
  ...OTHER_COMMANDS,
];

/** A page of the manual. */
export type Page =
  | { readonly kind: "command"; readonly command: ManualCommand }
  | { readonly kind: "adc"; readonly command: AdcManualCommand }
  | { readonly kind: "topic"; readonly topic: ManualTopic };

/** Finds a page. A command comes before a topic, and adc-run's own before ADC's. */
export function findPage(name: string): Page | undefined {
  const command = COMMANDS.find((each) => each.name === name);
  if (command) return { kind: "command", command };
  const topic = TOPICS.find((each) => each.name === name || each.aliases?.includes(name));
  if (topic) return { kind: "topic", topic };
  const adc = ADC_COMMANDS.find((each) => each.name === name);
  return adc && { kind: "adc", command: adc };
}

/** Every name that `findPage` knows. */
export function pageNames(): readonly string[] {
  return [
    ...COMMANDS.map(({ name }) => name),
    ...TOPICS.flatMap(({ name, aliases = [] }) => [name, ...aliases]),
    ...ADC_COMMANDS.map(({ name }) => name),
  ];
}

/** The subcommands of a command. */
export function subcommandsOf(name: string): readonly string[] {
  return COMMANDS.filter((each) => each.name.startsWith(`${name} `))
    .map((each) => each.name.slice(name.length + 1));
}
