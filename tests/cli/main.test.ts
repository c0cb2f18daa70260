import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { Readable, Writable } from "node:stream";
import { it } from "node:test";
import { canAsk, hasTerminal } from "../../src/cli/io.ts";
import type { Io } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { fakeKeychain } from "../token/fake_keychain.ts";

/** A process without a process. */
function fakeIo(more: Partial<Io> = {}): Io & { readonly out: string[]; readonly err: string[] } {
  const sink = (into: string[]) =>
    new Writable({
      decodeStrings: false,
      write: (chunk, _encoding, done) => {
        into.push(String(chunk));
        done();
      },
    });
  const [out, err]: [string[], string[]] = [[], []];
  return {
    out,
    err,
    env: {},
    cwd: "/nowhere",
    stdin: Readable.from([]),
    stdout: sink(out),
    stderr: sink(err),
    terminals: { stdin: false, stdout: false, stderr: false },
    signals: new EventEmitter(),
    keychain: fakeKeychain(),
    ...more,
  };
}

it("`main()` shows help and version on standard output", async () => {
  for (
    const [args, start] of [
      [["--help"], "Usage:\n  adc-run [options] <adc command>"],
      [["help"], "Usage:\n  adc-run"],
      [["help", "auth", "login"], "Usage: adc-run auth login"],
      [["auth", "login", "--help"], "Usage: adc-run auth login"],
      [["auth", "--help"], "Usage: adc-run auth login|status"],
      [["exec", "--help"], "Usage: adc-run [options] exec"],
      [["--version"], "adc-run "],
    ] as const
  ) {
    const io = fakeIo();
    assert.equal(await main(args, io), 0);
    assert.ok(io.out.join("").startsWith(start), io.out.join(""));
    assert.deepEqual(io.err, []);
  }
});

it("`main()` ends with 64 on a command line that is wrong, and says what to do", async () => {
  for (
    const [args, message] of [
      [[], /no command/],
      [["auth"], /no auth command/],
      [["auth", "frob"], /no command "auth frob"/],
      [["auth", "login"], /no user name[\s\S]*--username/],
      [["auth", "login", "--username", "zqzq"], /no password[\s\S]*--password-stdin/],
      [["auth", "login", "--backend", "apisix"], /the backend apisix knows no users/],
      [["auth", "login", "--username", "u", "--with-token"], /Cannot use --username with/],
      [["auth", "login", "--name", "x".repeat(41)], /41 characters/],
      [["auth", "login", "--expires-in", "2020-01-01"], /"2020-01-01": it is no duration/],
      [["auth", "login", "--expires-in", "-1d"], /would have ended already/],
      [["auth", "login", "--storage", "cloud"], /there are keychain and file/],
      [["auth", "login", "--with-token", "zqzq"], /takes options only/],
      [["auth", "login", "--with-token", "--token", "zqzq"], /read it there/],
      [["auth", "revoke"], /no token is named/],
      [["auth", "revoke", "zqzq"], /--yes/],
      [["--ephemeral=never", "sync"], /has an end/],
      [["--ephemeral=soon", "sync"], /it is no duration/],
      [["--ephemeral", "auth", "list"], /Cannot use --ephemeral with "adc-run auth list"/],
      [["--ephemeral", "sync"], /Cannot use --ephemeral with the backend apisix/],
      [["auth", "status", "--frob=zqzq"], /no option "--frob"/],
      [["exec"], /no command to execute/],
      [["exec", "--frob"], /no command to execute/],
    ] as const
  ) {
    const io = fakeIo();
    assert.equal(await main(args, io), 64, args.join(" "));
    assert.match(io.err.join(""), message);
    assert.ok(!io.err.join("").includes("zqzq"));
    assert.deepEqual(io.out, []);
  }
});

it("`main()` ends with 70 on a defect of its own, without a stack trace", async () => {
  const broken = new Readable({
    read() {
      this.destroy(new RangeError("boom"));
    },
  });
  const io = fakeIo({ stdin: broken });
  assert.equal(await main(["auth", "login", "--with-token"], io), 70);
  assert.match(io.err.join(""), /defect of adc-run: RangeError: boom[\s\S]*report/);
});

it("`main()` prints the bare token for `auth token`, and the winner's source as JSON", async () => {
  const io = fakeIo({ keychain: fakeKeychain({ "http://localhost:9180": "kept-token" }) });
  assert.equal(await main(["auth", "token"], io), 0);
  assert.deepEqual([io.out.join(""), io.err.join("")], ["kept-token\n", ""]);
  const json = fakeIo({ env: { ADC_TOKEN: "env-token" } });
  assert.equal(await main(["--json", "auth", "token"], json), 0);
  assert.equal(JSON.parse(json.out.join("")).source, "env");
});

it("`canAsk()` wants terminals at both ends, and no CI", () => {
  const both = { stdin: true, stdout: false, stderr: true };
  assert.equal(canAsk(fakeIo({ terminals: both })), true);
  assert.equal(canAsk(fakeIo({ terminals: both, env: { CI: "true" } })), false);
  assert.equal(canAsk(fakeIo({ terminals: { ...both, stdin: false } })), false);
  assert.equal(hasTerminal(fakeIo()), false);
  assert.equal(hasTerminal(fakeIo({ terminals: { ...both, stdin: false } })), true);
});
