import type { Writable } from "node:stream";
import type { Profile } from "../../connection/origin.ts";
import type { GlobalOptions } from "../global_options.ts";
import type { Io } from "../io.ts";
import { isColourful } from "./layout.ts";
import { createReporter, type Reporter } from "./report.ts";
import { TargetLines, type TargetStream } from "./target_lines.ts";

/** The two streams of adc-run, for several targets. */
export interface TargetStreams {
  stdout(name: string): Writable;
  stderr(name: string): Writable;
  reporter(name: string): Reporter;
  finish(name: string): void;
  settled(): Promise<void>;
  close(): void;
  readonly failure: Error | undefined;
}

export function openTargetStreams(
  profiles: readonly Profile[],
  { io, options }: { readonly io: Io; readonly options: GlobalOptions },
): TargetStreams {
  const { env, terminals } = io;
  const names = profiles.map(({ name }) => name);
  const lines = (to: "stdout" | "stderr") =>
    new TargetLines(io[to], { names, colourful: isColourful(env, terminals[to]) });
  const [out, err] = [lines("stdout"), lines("stderr")];
  const open = new Map<string, TargetStream[]>();
  const streamOf = (from: TargetLines) => (name: string) => {
    const stream = from.stream(name);
    open.set(name, [...(open.get(name) ?? []), stream]);
    return stream;
  };
  const reporters = new Map(names.map((name) => {
    // Not a copy, which would open standard input.
    const own: Io = Object.create(io, {
      stdout: { value: out.report(name) },
      stderr: { value: err.report(name) },
      warnings: { value: [] },
      reportFile: { value: undefined },
    });
    return [name, createReporter(own, options)];
  }));
  return {
    stdout: streamOf(out),
    stderr: streamOf(err),
    reporter: (name) => reporters.get(name)!,
    finish: (name) => {
      for (const stream of open.get(name) ?? []) stream.finish();
      open.delete(name);
    },
    settled: async () => {
      await Promise.all([out.settled(), err.settled()]);
    },
    close: () => {
      out.close();
      err.close();
    },
    get failure() {
      return out.failure;
    },
  };
}
