import { installAdc } from "../../adc/install/install_adc.ts";
import type { InstallStep } from "../../adc/install/place_program.ts";
import { abortOnInterrupt } from "../interrupt.ts";
import type { Io } from "../io.ts";
import type { OwnCall } from "../own_command.ts";
import { readPlainCommand } from "../plain_command.ts";

interface InstallAdcOptions {
  readonly sha256?: string;
  readonly force?: boolean;
}

/** How it went, for people. */
const DONE = {
  downloaded: "Installed ADC",
  present: "Already installed: ADC",
  restored: "Went back to ADC",
} as const;

/** Downloads ADC and keeps it for the runs to come. */
export async function installAdcCommand(call: OwnCall, io: Io): Promise<number> {
  const { options, reporter, operands } = readPlainCommand<InstallAdcOptions>(call, io, {
    name: "install-adc",
    options: ["--sha256 <hex>", "--force"],
    operands: { most: 1, what: "a version" },
  });
  const { env } = io;
  const { signal, release } = abortOnInterrupt(io.signals);
  try {
    const result = await installAdc({
      env,
      version: operands[0],
      sha256: options.sha256,
      force: options.force,
      signal,
      onWarning: reporter.warn,
      onStep: (step, { version, url }) =>
        reporter.info(describeStep(step, { version, from: url.href })),
    });
    if (env.ADC_RUN_ADC) {
      reporter.warn("ADC_RUN_ADC names another ADC, and goes before the one that is installed");
    }
    if (options.json) {
      reporter.print(JSON.stringify({ ...result, warnings: reporter.warnings }));
    } else {
      reporter.info(`${DONE[result.how]} ${result.version} in ${result.file}`);
    }
    return 0;
  } finally {
    release();
  }
}

function describeStep(
  step: InstallStep,
  { version, from }: { readonly version: string; readonly from: string },
): string {
  switch (step) {
    case "waiting":
      return "Waiting for another adc-run that installs ADC";
    case "downloading":
      return `Downloading ADC ${version} from ${from}`;
    case "unpacking":
      return "The SHA-256 sum is right: unpacking";
    case "trying":
      return `Trying "adc --version"`;
  }
}
