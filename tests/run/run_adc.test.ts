import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import process from "node:process";
import { PassThrough } from "node:stream";
import { it } from "node:test";
import { inspect } from "node:util";
import { MockAgent } from "undici";
import { CheckError } from "../../src/check/verdict.ts";
import { CommandError } from "../../src/errors.ts";
import type { RunOptions } from "../../src/run/options.ts";
import { runAdc } from "../../src/run/run_adc.ts";
import type { Spawner } from "../../src/system/spawn.ts";
import { NoTokenError } from "../../src/token/resolve.ts";
import { envSource } from "../../src/token/sources/variables.ts";

const ENV = {
  PATH: process.env.PATH,
  ADC_BACKEND: "api7ee",
  ADC_SERVER: "http://gateway.example",
  ADC_TOKEN: "a7ee-canary-in-run-adc",
};

/** A gateway that takes the token so many times, and refuses it then. */
function gateway(times: number): MockAgent {
  const agent = new MockAgent();
  agent.disableNetConnect();
  const pool = agent.get(ENV.ADC_SERVER);
  const path = "/api/gateway_groups?search=default&name=default";
  if (times > 0) {
    pool.intercept({ path }).reply(200, { list: [{ id: "1", name: "default" }] }).times(times);
  }
  pool.intercept({ path }).reply(401, { error_msg: "gone" }).persist();
  return agent;
}

/** Runs a shell script in ADC's place. */
function shell(script: string): Spawner {
  return (_program, _args, options) => spawn("sh", ["-c", script], options);
}

function collector(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
  return { stream, text: () => text };
}

function options(more: Partial<RunOptions>): RunOptions {
  return { env: ENV, cwd: "/", adc: "sh", dispatcher: gateway(1), ...more };
}

it("`runAdc()` gives the exit code, and the output goes masked where it was told to", async () => {
  const stdout = collector();
  const stderr = collector();
  const result = await runAdc(
    ["sync"],
    options({
      dispatcher: gateway(2),
      stdout: stdout.stream,
      stderr: stderr.stream,
      spawn: shell('echo "out $ADC_TOKEN"; echo "err $ADC_TOKEN" >&2; exit 4'),
    }),
  );
  assert.equal(result.exitCode, 4);
  assert.equal(result.masked, 2);
  assert.equal(result.checkAfter, undefined);
  assert.equal(stdout.text(), "out ***\n");
  assert.equal(stderr.text(), "err ***\n");
});

it("`runAdc()` says what is wrong where its arguments are no array", async () => {
  const words = "ping" as unknown as string[];
  await assert.rejects(runAdc(words), { name: "UsageError", message: /not an array/ });
});

it("`runAdc()` collects the output, masked", async () => {
  for (const mask of [true, false]) {
    const script = 'printf "out $ADC_TOKEN ü"; printf "err $ADC_TOKEN" >&2';
    const collect = { stdout: "collect", stderr: "collect", spawn: shell(script), mask } as const;
    const result = await runAdc(["sync"], options(collect));
    const token = mask ? "***" : ENV.ADC_TOKEN;
    assert.deepEqual([result.stdout, result.stderr], [`out ${token} ü`, `err ${token}`]);
    assert.equal(result.outputFailure, undefined);
  }
  const { stdout, stderr } = await runAdc(["lint"], { adc: "echo", stdout: "collect" });
  assert.deepEqual([stdout, stderr], ["lint\n", undefined]);
});

it("`runAdc()` collects 16 MiB, lets the child write more, and says so", async () => {
  const limit = 16 * 2 ** 20;
  for (const [length, failure] of [[limit, undefined], [limit + 1, "ENOBUFS"]] as const) {
    const script = `head -c ${length} /dev/zero | tr '\\0' x; exit 3`;
    const result = await runAdc(["sync"], options({ stdout: "collect", spawn: shell(script) }));
    assert.equal(result.stdout, "x".repeat(limit));
    assert.deepEqual([result.exitCode, result.outputFailure], [3, failure]);
  }
});

it("`runAdc()` refuses a lifetime that is none, before any token is asked for", async () => {
  const sources = [{ name: "never", timeoutMs: 1, find: () => assert.fail("not to be asked") }];
  for (const ephemeral of ["soon", "never", "0s", "300000"]) {
    const message = new RegExp(`^Cannot use ephemeral "${ephemeral}": `);
    const run = runAdc(["sync"], options({ ephemeral, sources }));
    await assert.rejects(run, { name: "UsageError", message, exitCode: 64 });
  }
});

it("`runAdc()` tells when the token stopped working during the run", async () => {
  const result = await runAdc(["sync"], options({ spawn: shell("exit 1") }));
  assert.equal(result.exitCode, 1);
  assert.equal(result.checkAfter?.verdict, "rejected");
});

it("`runAdc()` starts nothing without a token, or with one that is refused", async () => {
  const never: Spawner = () => assert.fail("nothing may be started");
  const { ADC_TOKEN: _, ...bare } = ENV;
  await assert.rejects(runAdc(["sync"], options({ env: bare, spawn: never })), NoTokenError);
  await assert.rejects(
    runAdc(["sync"], options({ dispatcher: gateway(0), spawn: never })),
    (error: unknown) => error instanceof CheckError && error.result.verdict === "rejected",
  );
});

it("`runAdc()` ends the child when its signal is aborted, and waits for it", async () => {
  const controller = new AbortController();
  const stdout = new PassThrough();
  stdout.once("data", () => controller.abort());
  const result = await runAdc(
    ["sync"],
    options({
      stdout,
      signal: controller.signal,
      spawn: shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"),
    }),
  );
  assert.equal(result.exitCode, 5);
});

it("`runAdc()` passes signals on, and SIGINT only where no terminal does", async () => {
  for (const terminal of [false, true]) {
    const port = new EventEmitter();
    const stdout = new PassThrough();
    stdout.once("data", () => {
      port.emit("SIGINT");
      if (terminal) port.emit("SIGTERM");
    });
    const result = await runAdc(
      ["sync"],
      options({
        stdout,
        signals: port,
        terminal,
        spawn: shell(
          "trap 'exit 6' INT; trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        ),
      }),
    );
    assert.equal(result.exitCode, terminal ? 7 : 6);
    assert.deepEqual(port.eventNames(), [], "no listener stays behind");
  }
});

it("`runAdc()` says which program was not found", async () => {
  await assert.rejects(
    runAdc(["sync"], options({ adc: "no-such-adc" })),
    (error: unknown) => error instanceof CommandError && error.exitCode === 127,
  );
});

it("`runAdc()` says why a program does not start, where Node throws as well, and no value", async () => {
  for (
    const [code, found] of [["E2BIG", /too long for the system/], [
      "EPERM",
      /: permission denied \(EPERM\)$/,
    ]] as const
  ) {
    const spawn = () => {
      throw Object.assign(new Error(`spawn ${code}, for A=zqzq`), { code });
    };
    await assert.rejects(runAdc(["sync"], options({ spawn })), (error: unknown) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.exitCode, 126);
      assert.match(error.message, found);
      assert.doesNotMatch(inspect(error, { showHidden: true }), /zqzq/);
      return true;
    });
  }
});

it("`runAdc()` warns of a --token that is not asked for, and of tokens that ADC leaves out", async () => {
  const warnings: string[] = [];
  const run = (words: string[], more: Partial<RunOptions>) =>
    runAdc(
      words,
      options({
        check: false,
        spawn: shell("exit 0"),
        onWarning: (each) => warnings.push(each),
        ...more,
      }),
    );
  await run(["sync", "--token", "a7ee-unused"], { sources: [envSource({ env: ENV })] });
  assert.match(warnings.join(), /--token is ignored/);
  warnings.length = 0;
  const servers = "http://127.0.0.1:1,http://127.0.0.1:2,http://127.0.0.1:3";
  const standalone = ["sync", "--backend", "apisix-standalone", "--server", servers];
  await run([...standalone, "--token", "first-token,second-token"], {});
  assert.deepEqual(warnings, ["2 tokens for 3 servers: ADC uses the first for all."]);
  await run([...standalone, "--token", "token-one,token-two,token-three"], {});
  await run([...standalone, "--token", "token-one"], {});
  assert.equal(warnings.length, 1);
  await run([...standalone, "--token", "test"], {});
  assert.deepEqual(warnings.slice(1), [
    "The token has 4 characters: it is masked only where it stands alone.",
  ]);
});

it("`runAdc()` tells the warnings before any request", async () => {
  const warnings: string[] = [];
  await assert.rejects(
    runAdc(["sync"], options({ dispatcher: gateway(0), onWarning: (each) => warnings.push(each) })),
  );
  assert.match(warnings.join(), /unencrypted/);
});
