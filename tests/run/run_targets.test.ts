import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter } from "node:events";
import process from "node:process";
import { PassThrough, Writable } from "node:stream";
import { it } from "node:test";
import { MockAgent } from "undici";
import { CheckError } from "../../src/check/verdict.ts";
import type { Profile } from "../../src/connection/origin.ts";
import { AdcRunError, CommandError } from "../../src/errors.ts";
import type { TargetResult, TargetsOptions } from "../../src/run/options.ts";
import { runTargets } from "../../src/run/run_adc.ts";
import { Secret } from "../../src/secret.ts";
import type { Spawner } from "../../src/system/spawn.ts";
import type { TokenSource } from "../../src/token/sources.ts";

const PATH = "/api/gateway_groups?search=default&name=default";

function profiles(...names: string[]): Profile[] {
  return names.map((name) => ({
    name,
    file: "/config.json",
    project: false,
    explicit: true,
    backend: "api7ee",
    server: `http://${name}.example`,
  }));
}

/** Gateways that take the tokens of their own targets, but for those of some names. */
function gateways(names: readonly string[], refused: readonly string[] = []): MockAgent {
  const agent = new MockAgent();
  agent.disableNetConnect();
  for (const name of names) {
    const headers = { "x-api-key": `a7ee-canary-of-${name}` };
    const pool = agent.get(`http://${name}.example`);
    if (refused.includes(name)) {
      pool.intercept({ path: PATH, headers }).reply(401, { error_msg: `no, ${name}` }).persist();
    } else {
      const body = { list: [{ id: "1", name: "default" }] };
      pool.intercept({ path: PATH, headers }).reply(200, body).persist();
    }
  }
  return agent;
}

/** Tokens that are made for the run; tells whose were given back. */
function leases(): {
  readonly released: string[];
  sources(connection: unknown, profile: Profile): TokenSource[];
} {
  const released: string[] = [];
  const sources = (_: unknown, { name }: Profile): TokenSource[] => [{
    name: "admin-api",
    timeoutMs: 10_000,
    find: () =>
      Promise.resolve({
        status: "found",
        token: new Secret(`a7ee-canary-of-${name}`),
        detail: "a test",
        lease: {
          name,
          expiresAt: 0,
          release: () => {
            released.push(name);
            return Promise.resolve();
          },
        },
      }),
  }];
  return { released, sources };
}

/** Runs a shell script in ADC's place; `$ADC_RUN_PROFILE` tells the targets apart. */
function shell(script: string): Spawner {
  return (_program, _args, options) => spawn("sh", ["-c", script], options);
}

const never: Spawner = () => assert.fail("nothing may be started");

function collector(): { readonly stream: PassThrough; readonly text: () => string } {
  const stream = new PassThrough();
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => text += chunk);
  return { stream, text: () => text };
}

function run(
  names: readonly string[],
  more: Partial<TargetsOptions> = {},
): Promise<readonly TargetResult[]> {
  return runTargets(["sync"], {
    profiles: profiles(...names),
    env: { PATH: process.env.PATH },
    cwd: "/",
    adc: "sh",
    dispatcher: gateways(names),
    sources: leases().sources,
    spawn: shell("exit 0"),
    ...more,
  });
}

const outcomes = (results: readonly TargetResult[]) => results.map(({ outcome }) => outcome);

it("`runTargets()` gives each child its own token and server, and results in order", async () => {
  const outputs = new Map<string, () => string>();
  const { released, sources } = leases();
  const results = await run(["eu", "us", "asia"], {
    parallel: 2,
    sources,
    stdout: ({ name }) => {
      const { stream, text } = collector();
      outputs.set(name, text);
      return stream;
    },
    spawn: shell(
      'echo "$ADC_RUN_PROFILE $ADC_SERVER ${ADC_TOKEN#a7ee-canary-} $ADC_TOKEN"; [ $ADC_RUN_PROFILE != us ]',
    ),
    keepGoing: true,
  });
  assert.deepEqual(results.map(({ profile }) => profile.name), ["eu", "us", "asia"]);
  assert.deepEqual(results.map(({ result }) => result?.exitCode), [0, 1, 0]);
  for (const name of ["eu", "us", "asia"]) {
    assert.equal(outputs.get(name)!(), `${name} http://${name}.example of-${name} ***\n`);
  }
  assert.deepEqual(released.toSorted(), ["asia", "eu", "us"]);
});

it("`runTargets()` masks the tokens of all targets in the output of each", async () => {
  const { stream, text } = collector();
  const results = await run(["eu", "us"], {
    stdout: () => stream,
    spawn: shell("echo a7ee-canary-of-eu; echo a7ee-canary-of-us"),
  });
  assert.equal(text(), "***\n***\n***\n***\n");
  assert.deepEqual(results.map(({ result }) => result?.masked), [2, 2]);
});

it("`runTargets()` collects the output of each", async () => {
  const stdout = () => "collect" as const;
  const results = await run(["eu", "us"], { stdout, spawn: shell("echo $ADC_RUN_PROFILE") });
  assert.deepEqual(results.map(({ result }) => result?.stdout), ["eu\n", "us\n"]);
});

it("`runTargets()` masks what its caller names beside the tokens", async () => {
  const { stream, text } = collector();
  await run(["eu", "us"], {
    stdout: () => stream,
    secrets: [new Secret("zqzq-canary")],
    spawn: shell("echo zqzq-canary"),
  });
  assert.equal(text(), "***\n***\n");
});

it("`runTargets()` runs nothing when one is refused, tells of all, and gives tokens back", async () => {
  const names = ["eu", "us", "asia", "dev"];
  const { released, sources } = leases();
  const planned: string[] = [];
  const results = await run(names, {
    dispatcher: gateways(names, ["us", "dev"]),
    sources,
    spawn: never,
    onPrepared: (targets) => {
      planned.push(...targets.filter(({ plan }) => plan).map(({ profile: { name } }) => name));
    },
  });
  assert.deepEqual(outcomes(results), ["skipped", "refused", "skipped", "refused"]);
  for (const [index, name] of [[1, "us"], [3, "dev"]] as const) {
    const { error } = results[index]!;
    assert.ok(error instanceof CheckError);
    assert.match(error.message, new RegExp(`no, ${name}`));
  }
  assert.deepEqual(released.toSorted(), names.toSorted());
  assert.deepEqual(planned, ["eu", "asia"]);
});

it("`runTargets()` runs those that can with `keepGoing`", async () => {
  const names = ["eu", "us", "asia"];
  const results = await run(names, {
    dispatcher: gateways(names, ["us"]),
    spawn: shell("[ $ADC_RUN_PROFILE != eu ]"),
    keepGoing: true,
  });
  assert.deepEqual(outcomes(results), ["done", "refused", "done"]);
  assert.deepEqual(results.map(({ result }) => result?.exitCode), [1, undefined, 0]);
});

it("`runTargets()` has every token checked before the first child starts", async () => {
  const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
  let [now, highest, asked] = [0, 0, 0];
  const told: string[] = [];
  await run(names, {
    parallel: 20,
    sources: (connection, profile) => {
      const [source] = leases().sources(connection, profile);
      return [{
        ...source!,
        find: async (context) => {
          highest = Math.max(highest, ++now);
          await new Promise((resolve) => setImmediate(resolve));
          now--;
          asked++;
          return await source!.find(context);
        },
      }];
    },
    onPrepared: (targets) => {
      assert.equal(asked, names.length);
      for (const { plan, profile: { name } } of targets) {
        assert.ok(plan?.kind === "online" && plan.checked?.verdict === "valid");
        told.push(name);
      }
    },
    spawn: (...args) => {
      assert.deepEqual(told, names);
      return shell("exit 0")(...args);
    },
  });
  assert.equal(highest, 8);
});

it("`runTargets()` starts nothing, and gives tokens back, where `onPrepared` says no", async () => {
  const { released, sources } = leases();
  const results = await run(["eu", "us"], { sources, spawn: never, onPrepared: () => false });
  assert.deepEqual(outcomes(results), ["skipped", "skipped"]);
  assert.deepEqual(released.toSorted(), ["eu", "us"]);
});

it("`runTargets()` starts no more after a failure, and lets those under way end", async () => {
  const { released, sources } = leases();
  let waiting: NodeJS.WritableStream | undefined;
  const started: string[] = [];
  const results = await run(["slow", "bad", "next", "last"], {
    parallel: 2,
    sources,
    spawn: (_program, _args, options) => {
      const name = options.env!.ADC_RUN_PROFILE!;
      started.push(name);
      if (name !== "slow") return spawn("sh", ["-c", "exit 3"], options);
      const child = spawn("sh", ["-c", "read line; exit 0"], {
        ...options,
        stdio: ["pipe", "pipe", "pipe"],
      });
      waiting = child.stdin!;
      return child;
    },
    onEnd: ({ profile }) => {
      if (profile.name === "last") waiting?.end("go\n");
    },
  });
  assert.deepEqual(started, ["slow", "bad"]);
  assert.deepEqual(outcomes(results), ["done", "done", "skipped", "skipped"]);
  assert.deepEqual(results.map(({ result }) => result?.exitCode), [0, 3, undefined, undefined]);
  assert.deepEqual(released.toSorted(), ["bad", "last", "next", "slow"]);
});

it("`runTargets()` asks its caller what a failure is", async () => {
  const results = await run(["eu", "us"], { isFailure: () => true });
  assert.deepEqual(outcomes(results), ["done", "skipped"]);
});

it("`runTargets()` runs one child at a time unless it is told otherwise", async () => {
  for (const [parallel, most] of [[undefined, 1], [3, 3], [50, 5]] as const) {
    let [now, highest] = [0, 0];
    await run(["a", "b", "c", "d", "e"], {
      parallel,
      spawn: (...args) => {
        highest = Math.max(highest, ++now);
        const child = shell("exit 0")(...args);
        child.once("exit", () => now--);
        return child;
      },
    });
    assert.equal(highest, most);
  }
});

it("`runTargets()` passes a signal on to all children, and starts no more", async () => {
  const port = new EventEmitter();
  const { released, sources } = leases();
  let ready = 0;
  const results = await run(["a", "b", "c", "d"], {
    parallel: 3,
    keepGoing: true,
    signals: port,
    sources,
    spawn: shell("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done"),
    stdout: () =>
      new Writable({
        write: (_chunk, _encoding, done) => {
          assert.ok(port.listenerCount("SIGTERM") <= 1);
          if (++ready === 3) port.emit("SIGTERM");
          done();
        },
      }),
  });
  assert.deepEqual(results.map(({ result }) => result?.exitCode), [7, 7, 7, undefined]);
  assert.equal(results[3]!.outcome, "skipped");
  assert.deepEqual(released.toSorted(), ["a", "b", "c", "d"]);
  assert.deepEqual(port.eventNames(), [], "no listener stays behind");
});

it("`runTargets()` leaves a terminal's SIGINT to the children, and starts no more", async () => {
  const port = new EventEmitter();
  const results = await run(["a", "b"], {
    keepGoing: true,
    terminal: true,
    signals: port,
    // It would end with 6 were the signal passed on.
    spawn: shell("trap 'exit 6' INT; echo ready; sleep 0.2; exit 0"),
    stdout: () =>
      new Writable({
        write: (_chunk, _encoding, done) => {
          port.emit("SIGINT");
          done();
        },
      }),
  });
  assert.equal(results[0]!.result?.exitCode, 0);
  assert.equal(results[1]!.outcome, "skipped");
});

it("`runTargets()` gives tokens back when it is aborted before the run", async () => {
  const controller = new AbortController();
  const { released, sources } = leases();
  const reason = new Error("enough");
  const found: string[] = [];
  await assert.rejects(
    run(["a", "b", "c"], {
      signal: controller.signal,
      spawn: never,
      sources: (connection, profile) => {
        const [source] = sources(connection, profile);
        const find: TokenSource["find"] = async (context) => {
          const answer = await source!.find(context);
          found.push(profile.name);
          if (found.length === 2) controller.abort(reason);
          return answer;
        };
        return [{ ...source!, graceMs: 1000, find }];
      },
    }),
    reason,
  );
  assert.ok(found.length >= 2);
  assert.deepEqual(released.toSorted(), found.toSorted());
});

it("`runTargets()` asks nobody any more once a person gave up, and gives tokens back", async () => {
  const { released, sources } = leases();
  let asked = 0;
  const names = Array.from({ length: 20 }, (_, index) => `t${index}`);
  await assert.rejects(
    run(names, {
      spawn: never,
      sources: (connection, profile) => {
        const [source] = sources(connection, profile);
        if (profile.name === "t0") return [source!];
        asked++;
        return [{ ...source!, find: () => Promise.reject(new AdcRunError("Cancelled", 130)) }];
      },
    }),
    (error: unknown) => error instanceof AdcRunError && error.exitCode === 130,
  );
  assert.ok(asked <= 8);
  assert.deepEqual(released, ["t0"]);
});

it("`runTargets()` ends the children when it is aborted, and starts no more", async () => {
  const controller = new AbortController();
  const { released, sources } = leases();
  const opened: string[] = [];
  const results = await run(["a", "b"], {
    keepGoing: true,
    signal: controller.signal,
    sources,
    spawn: shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.05; done"),
    stdout: ({ name }) => {
      opened.push(name);
      return new Writable({
        write: (_chunk, _encoding, done) => {
          controller.abort();
          done();
        },
      });
    },
  });
  assert.equal(results[0]!.result?.exitCode, 5);
  assert.deepEqual(outcomes(results), ["done", "skipped"]);
  assert.deepEqual(opened, ["a"]);
  assert.deepEqual(released.toSorted(), ["a", "b"]);
});

it("`runTargets()` starts no more once an output takes no more", async () => {
  const results = await run(["a", "b"], {
    keepGoing: true,
    spawn: shell("echo line; exit 0"),
    stdout: () =>
      new Writable({
        write: (_chunk, _encoding, done) => done(Object.assign(new Error(), { code: "EPIPE" })),
      }),
  });
  assert.equal(results[0]!.result?.outputFailure, "EPIPE");
  assert.deepEqual(outcomes(results), ["done", "skipped"]);
});

it("`runTargets()` looks for ADC before it asks anybody", async () => {
  await assert.rejects(
    run(["a", "b"], { adc: "no-such-adc", sources: () => assert.fail("nobody may be asked") }),
    (error: unknown) => error instanceof CommandError && error.exitCode === 127,
  );
});

it("`runTargets()` looks for another program before it asks anybody", async () => {
  const sources = () => assert.fail("nobody may be asked");
  const options = { profiles: profiles("a"), env: {}, cwd: "/", exec: true, sources };
  await assert.rejects(runTargets(["no-such-program"], options), { exitCode: 127 });
});

it("`runTargets()` tells of a program that does not start for each target", async () => {
  const results = await runTargets(["true"], {
    profiles: profiles("a", "b"),
    env: { PATH: process.env.PATH },
    cwd: "/",
    exec: true,
    dispatcher: gateways(["a", "b"]),
    sources: leases().sources,
    keepGoing: true,
    spawn: () => {
      throw Object.assign(new Error("spawn EPERM"), { code: "EPERM" });
    },
  });
  assert.deepEqual(outcomes(results), ["refused", "refused"]);
  for (const { error } of results) assert.ok(error instanceof CommandError);
});

it("`runTargets()` gives warnings with the target that they are about", async () => {
  const warnings: string[] = [];
  await run(["a", "b"], {
    sources: (connection, profile) => [{
      name: "env",
      timeoutMs: 1000,
      find: async (context) => {
        const answer = await leases().sources(connection, profile)[0]!.find(context);
        assert.ok(answer.status === "found");
        const release = () => Promise.reject(new Error(`kept ${profile.name}`));
        return { ...answer, lease: { ...answer.lease!, release } };
      },
    }],
    onWarning: (warning, { name }) => warnings.push(`${name}: ${warning}`),
  });
  for (const name of ["a", "b"]) {
    const own = warnings.filter((warning) => warning.startsWith(`${name}: `));
    assert.match(own.join(), new RegExp(`http://${name}.example unencrypted.*kept ${name}`));
  }
});

it("`runTargets()` refuses targets and limits that make no sense", async () => {
  await assert.rejects(run([]), { name: "RangeError", message: /the list is empty/ });
  await assert.rejects(run(["a", "b", "a"]), {
    name: "RangeError",
    message: /"a" is listed twice/,
  });
  for (const parallel of [0, -1, 1.5, NaN, Infinity]) {
    await assert.rejects(run(["a"], { parallel }), { name: "RangeError", message: /parallel/ });
  }
});

it("`runTargets()` serves a hundred targets with no more listeners than for one", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `t${index}`);
  const port = new EventEmitter();
  let most = 0;
  port.on("newListener", (name) => {
    most = Math.max(most, port.listenerCount(name) + 1);
  });
  const results = await run(names, {
    parallel: 20,
    signals: port,
    signal: new AbortController().signal,
  });
  assert.deepEqual(new Set(results.map(({ result }) => result?.exitCode)), new Set([0]));
  assert.ok(most <= 2, `${most} listeners`);
});
