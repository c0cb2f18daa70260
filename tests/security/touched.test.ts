import assert from "node:assert/strict";
import { basename, relative } from "node:path";
import { describe, it } from "node:test";
import { collect, standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { fixture, traces } from "../support/fixture.ts";
import type { Fixture } from "../support/fixture.ts";
import { testHomes } from "../support/homes.ts";
import type { Home } from "../support/homes.ts";
import { keychainSkip, startKeychainSession } from "../support/keychain_session.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";
import { purposeOf } from "./allowed.ts";
import type { Place } from "./allowed.ts";
import { straceSkip, traced } from "./strace.ts";
import type { TracedProcess } from "./strace.ts";
import { addressesOf, filesOf, programsOf, receiversOf } from "./touched.ts";

const skip = straceSkip();
const EXEC = ["exec", "--", "true"];
const ADC = standIn("adc.mjs");
const SYNC = ["--adc", ADC, "sync", "-f", "adc.yaml"];

/** What every run looks for in the user's folder, and does not find there. */
const NOTHING_OF_THE_USER = [
  "looked at ~/.config/adc-run/config.json",
  "looked at ~/.config/adc-run/journal.json",
  "looked at ~/.config/adc-run/state.json",
];

/** A line for each file that the purpose of none explains: what the user's own is, and what nobody expects. */
function ownFiles(traced: TracedProcess, place: Place): readonly string[] {
  const { project, user, named } = place;
  const nameOf = (path: string): string => {
    if (path.startsWith(`${project}/`)) return relative(project, path);
    if (path.startsWith(`${user}/`)) return `~/${relative(user, path)}`;
    return named[path] ?? path;
  };
  return [...filesOf(traced, project)]
    .filter(([path, touch]) => purposeOf(path, touch, place) === undefined)
    .map(([path, touch]) => `${touch} ${nameOf(path)}`)
    .sort();
}

/** The addresses that bytes went to. */
function contacts(processes: readonly TracedProcess[], { sandbox }: Fixture): readonly string[] {
  const { hostname, port, host } = new URL(sandbox.url);
  // The C library asks the kernel and the services of this machine what `localhost` is; port 0 stands for
  // the question which of several addresses to prefer, and nothing is sent there.
  const resolving =
    /^\{sa_family=AF_NETLINK|^unix:(?:\/var)?\/run\/(?:nscd|systemd\/resolve)\/|^(?:127\.0\.0\.1|::1):0$/;
  const found = processes.flatMap(addressesOf)
    .filter((address) => hostname !== "localhost" || !resolving.test(address))
    .map((address) => [`127.0.0.1:${port}`, `::1:${port}`].includes(address) ? host : address);
  return [...new Set(found)].sort();
}

/** What holds for every run, wherever the token came from. */
function assertDiscreet(
  { processes, ended, it, child }: {
    readonly processes: readonly TracedProcess[];
    readonly ended: Pick<Ending, "stderr" | "stdout">;
    readonly it: Fixture;
    readonly child: "true" | "node";
  },
): void {
  const [own, ...others] = processes as [TracedProcess, ...TracedProcess[]];
  const other = others.at(-1)!;
  const canaries = traces(it.token);
  const server = new URL(it.sandbox.url).host;

  const started = others.map(({ program }) => basename(program!));
  // Deno has pipes of its own, and leaves /proc to other programs.
  assert.deepEqual(started.filter((name) => !["mkfifo", "cat"].includes(name)), [child]);
  assert.ok(started.length <= 2, "adc-run starts one program, and one that it needs itself");
  for (const traced of processes) {
    assert.ok(!traced.calls.some(({ name }) => name === "io_uring_enter"), "every call was seen");
    for (const { argv } of programsOf(traced)) {
      assert.ok(!canaries.some((canary) => argv.includes(canary)), "the token is in no argv");
    }
    for (const receiver of receiversOf(traced, canaries)) {
      assert.match(
        receiver,
        new RegExp(`^TCP(?:v6)?:\\[.*->${server}\\]$`),
        "the server alone got it",
      );
    }
  }
  assert.ok(
    programsOf(other).every(({ environment }) => environment.includes(`"ADC_TOKEN=${it.token}"`)),
    "the program has it in its environment",
  );
  if (it.sandbox.url.startsWith("http:")) {
    assert.equal(receiversOf(own, [it.token]).length, 1, "what went to the server was seen");
  }
  for (const text of [ended.stdout, ended.stderr]) {
    assert.ok(!canaries.some((canary) => text.includes(canary)), "it was not printed");
  }
}

function placeOf(home: Home, it: Fixture, user: string): Place {
  const { ADC_CA_CERT_FILE: certificate } = it.env;
  const named = {
    [ADC]: "ADC",
    ...(certificate !== undefined && { [certificate]: "the CA's certificate" }),
  };
  return { home, project: it.folder.path, user, named };
}

async function trace(
  home: Home,
  words: readonly string[],
  { it, user, env = {} }: {
    readonly it: Fixture;
    readonly user: string;
    readonly env?: Readonly<Record<string, string>>;
  },
) {
  const { ended, processes } = await traced((strace) =>
    collect([...strace, ...home.command, ...words], {
      env: { ...it.env, HOME: user, ...env },
      cwd: it.folder.path,
    })
  );
  assert.equal(ended.status, 0, ended.stderr);
  return { ended, processes, own: processes[0]!, place: placeOf(home, it, user) };
}

// Bun and the binary have runtimes of their own, whose habits are not listed here.
const homes = (await testHomes()).filter(({ name }) => /^(?:deno|node\d+)$/.test(name));

for (const home of homes) {
  describe(`under strace, adc-run on ${home.name}`, { skip }, () => {
    it("touches nothing but the server, with a token from the environment", async () => {
      await using it = await fixture();
      await using user = await temporaryFolder();
      const env = { ADC_TOKEN: it.token };
      const run = await trace(home, EXEC, { it, user: user.path, env });
      assert.deepEqual(ownFiles(run.own, run.place), ["looked at .env", ...NOTHING_OF_THE_USER]);
      assert.deepEqual(contacts(run.processes, it), [new URL(it.sandbox.url).host]);
      assertDiscreet({ ...run, it, child: "true" });
    });

    it("reads .env for a token, and has it in no environment but the child's", async () => {
      await using it = await fixture();
      await using user = await temporaryFolder();
      await it.folder.write(".env", `ADC_TOKEN=${it.token}\n`);
      const run = await trace(home, EXEC, { it, user: user.path });
      assert.deepEqual(ownFiles(run.own, run.place), [...NOTHING_OF_THE_USER, "read .env"]);
      assert.deepEqual(contacts(run.processes, it), [new URL(it.sandbox.url).host]);
      assertDiscreet({ ...run, it, child: "true" });
      for (const { environment } of programsOf(run.own)) {
        assert.ok(!environment.includes(it.token));
      }
    });

    it("reads for a synchronization what was named, and changes nothing", async () => {
      await using it = await fixture({ https: true });
      await using user = await temporaryFolder();
      const { ADC_BACKEND: backend, ADC_SERVER: server } = it.env;
      const profiles = JSON.stringify({ profiles: { staging: { backend, server } } });
      await it.folder.write("adc-run.json", profiles);
      await user.write(".config/adc-run/config.json", JSON.stringify({ profiles: {} }));
      const env = { ADC_TOKEN: it.token };
      const words = ["--profile", "staging", ...SYNC];
      const run = await trace(home, words, { it, user: user.path, env });
      assert.deepEqual(ownFiles(run.own, run.place), [
        "looked at .env",
        "looked at ADC",
        ...NOTHING_OF_THE_USER.slice(1),
        "read adc-run.json",
        "read adc.yaml",
        "read the CA's certificate",
        "read ~/.config/adc-run/config.json",
      ]);
      assert.deepEqual(contacts(run.processes, it), [new URL(server!).host]);
      assertDiscreet({ ...run, it, child: "node" });
      for (const traced of run.processes) {
        assert.deepEqual(receiversOf(traced, traces(it.token)), [], "what goes out is encrypted");
      }
    });

    it("reads for a synchronization .env and the configuration, and changes nothing", async () => {
      await using it = await fixture();
      await using user = await temporaryFolder();
      await it.folder.write(".env", `ADC_TOKEN=${it.token}\n`);
      const run = await trace(home, SYNC, { it, user: user.path });
      assert.deepEqual(ownFiles(run.own, run.place), [
        "looked at ADC",
        ...NOTHING_OF_THE_USER,
        "read .env",
        "read adc.yaml",
      ]);
      assert.deepEqual(contacts(run.processes, it), [new URL(it.sandbox.url).host]);
      assertDiscreet({ ...run, it, child: "node" });
      assert.ok(receiversOf(run.processes.at(-1)!, [it.token]).length > 0, "ADC sent it as well");
    });

    it("asks the keychain through D-Bus alone", { skip: skip || keychainSkip() }, async () => {
      await using it = await fixture();
      await using session = await startKeychainSession();
      const { HOME: user, DBUS_SESSION_BUS_ADDRESS: bus } = session.env;
      const entry = ["service", "adc-run", "username", it.sandbox.url];
      const stored = await session.run(["secret-tool", "store", "--label=adc-run", ...entry], {
        input: it.token,
      });
      assert.equal(stored.code, 0, stored.stderr);
      const { ended, processes } = await traced((strace) =>
        session.run([...strace, ...home.command, ...EXEC], {
          env: it.env,
          cwd: it.folder.path,
        })
      );
      assert.equal(ended.code, 0, ended.stderr);
      assert.match(ended.stderr, / \(keychain\)$/m);
      assert.deepEqual(ownFiles(processes[0]!, placeOf(home, it, user!)), [
        "looked at .env",
        ...NOTHING_OF_THE_USER,
        "looked at ~/.config/adc-run/tokens.json",
      ]);
      assert.deepEqual(
        contacts(processes, it),
        [new URL(it.sandbox.url).host, bus!.replace("unix:path=", "unix:")],
      );
      assertDiscreet({ processes, ended, it, child: "true" });
    });
  });
}
