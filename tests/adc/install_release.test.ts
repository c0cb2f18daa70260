import assert from "node:assert/strict";
import { it } from "node:test";
import { checksumFor } from "../../src/adc/install/checksum.ts";
import { PINS } from "../../src/adc/install/pins.ts";
import { redirectTarget } from "../../src/adc/install/redirect.ts";
import { RELEASED_SYSTEMS, releaseFor, systemName } from "../../src/adc/install/release.ts";
import { isVersion } from "../../src/adc/install/release_version.ts";
import { AdcRunError, UsageError } from "../../src/errors.ts";

const SUM = "0123456789abcdef".repeat(4);

function assertThrows(call: () => unknown, exitCode: number, words: RegExp): void {
  assert.throws(call, (error: unknown) => {
    assert.ok(error instanceof AdcRunError, String(error));
    assert.equal(error.exitCode, exitCode, error.message);
    assert.match(error.message, words);
    assert.doesNotMatch(error.message + error.suggestion, /hidden/);
    return true;
  });
}

it("`releaseFor()` names the archives as ADC's releases do", () => {
  const base = "https://github.com/api7/adc/releases/download/v0.28.0/adc_0.28.0_";
  const urls = RELEASED_SYSTEMS.map((system) =>
    releaseFor({ env: {}, version: "v0.28.0", system }).url.href
  );
  assert.deepEqual(urls, [
    `${base}linux_amd64.tar.gz`,
    `${base}linux_arm64.tar.gz`,
    `${base}darwin_amd64.tar.gz`,
    `${base}darwin_arm64.tar.gz`,
    `${base}windows_amd64.zip`,
    `${base}windows_arm64.zip`,
  ]);
  const { format, program } = releaseFor({ env: {}, system: "windows_arm64" });
  assert.deepEqual([format, program], ["zip", "adc.exe"]);
});

it("`systemName()` knows what ADC is released for, and refuses the rest", () => {
  assert.equal(systemName("darwin", "arm64"), "darwin_arm64");
  assert.equal(systemName("win32", "x64"), "windows_amd64");
  assertThrows(() => systemName("linux", "riscv64"), 78, /not released for linux on riscv64/);
  assertThrows(() => systemName("freebsd", "x64"), 78, /not released for freebsd/);
});

it("`releaseFor()` takes a mirror over https, and over http on this machine", () => {
  for (
    const [base, path] of [
      ["https://mirror.example/adc/", "https://mirror.example/adc/v1.0.0/"],
      ["https://mirror.example", "https://mirror.example/v1.0.0/"],
      ["http://localhost:8080/a", "http://localhost:8080/a/v1.0.0/"],
      ["http://127.0.0.1", "http://127.0.0.1/v1.0.0/"],
      ["http://[::1]:1", "http://[::1]:1/v1.0.0/"],
      ["", "https://github.com/api7/adc/releases/download/v1.0.0/"],
    ] as const
  ) {
    const { url } = releaseFor({ env: { ADC_RUN_DOWNLOAD_URL: base }, version: "1.0.0" });
    assert.equal(new URL(".", url).href, path);
  }
  for (
    const [base, words] of [
      ["http://mirror.example", /none of https, or http on this machine/],
      ["http://localhost.example", /none of https/],
      ["http://127.0.0.1.example", /none of https/],
      ["file:///tmp/hidden", /none of https/],
      ["ftp://mirror.example", /none of https/],
      ["mirror.example/hidden", /no URL/],
      ["https://user:hidden@mirror.example", /user name or a password/],
      ["https://mirror.example?key=hidden", /query/],
    ] as const
  ) {
    assertThrows(() => releaseFor({ env: { ADC_RUN_DOWNLOAD_URL: base } }), 78, words);
  }
});

it("`releaseFor()` refuses a version that is none: it becomes a path", () => {
  for (const version of ["0.28.0", "10.0.0-rc.1", "0.28.0-standin"]) assert.ok(isVersion(version));
  const wrong = ["", "latest", "1.2", "../1.2.3", "1.2.3/../..", "1.2.3-..", "1.2.3?", "1.2.3\n"];
  for (const version of [...wrong, "1.2.3-" + "a".repeat(99)]) {
    assert.ok(!isVersion(version), version);
    assert.throws(() => releaseFor({ env: {}, version }), (error: unknown) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, `Cannot install ADC: "${version}" is no version`);
      return true;
    });
  }
});

it("`checksumFor()` takes the sum given, then the variable, then the pin, and nothing goes without", () => {
  const release = releaseFor({ env: {}, version: "1.0.0", system: "linux_amd64" });
  const [given, variable, pinned] = ["a", "b", "c"].map((digit) => digit.repeat(64));
  const env = { ADC_RUN_ADC_SHA256: variable! };
  const pins = { "1.0.0": { linux_amd64: pinned! } };
  assert.equal(checksumFor(release, { env, sha256: ` ${given!.toUpperCase()}\n`, pins }), given);
  assert.equal(checksumFor(release, { env, pins }), variable);
  assert.equal(checksumFor(release, { env: { ADC_RUN_ADC_SHA256: "" }, pins }), pinned);
  assert.equal(checksumFor(release, { env: {}, sha256: `sha256:${SUM}` }), SUM);
  const none = { "1.0.0": { linux_arm64: pinned! }, "1.0.1": { linux_amd64: pinned! } };
  assertThrows(() => checksumFor(release, { env: {}, pins: none }), 78, /is not known/);
  const odd = releaseFor({ env: {}, version: "1.0.0", system: "toString" });
  assertThrows(() => checksumFor(odd, { env: {}, pins: {} }), 78, /is not known/);
  for (const sha256 of ["", SUM.slice(1), `${SUM}0`, SUM.replace("0", "g"), `md5:${SUM}`]) {
    assertThrows(() => checksumFor(release, { env, sha256, pins }), 64, /no SHA-256/);
  }
  assertThrows(() => checksumFor(release, { env: { ADC_RUN_ADC_SHA256: "x" } }), 78, /no SHA-256/);
});

it("`PINS` holds sums of known systems alone", () => {
  for (const [version, sums] of Object.entries(PINS)) {
    assert.ok(isVersion(version));
    for (const [system, sum] of Object.entries(sums)) {
      assert.ok(RELEASED_SYSTEMS.includes(system), system);
      assert.match(sum, /^[0-9a-f]{64}$/);
    }
  }
});

it("`redirectTarget()` leads to other hosts, and never from https to http", () => {
  const https = new URL("https://github.com/a/b");
  const http = new URL("http://localhost:1/a/b");
  assert.equal(redirectTarget(https, "/c").href, "https://github.com/c");
  assert.equal(redirectTarget(https, "https://x.example/?s=1").href, "https://x.example/?s=1");
  assert.equal(redirectTarget(http, "http://127.0.0.1:2/").href, "http://127.0.0.1:2/");
  assert.equal(redirectTarget(http, "https://x.example/").href, "https://x.example/");
  for (
    const [from, location, words] of [
      [https, "http://localhost:1/", /from https to http/],
      [https, "http://github.com/hidden", /none of https/],
      [http, "http://x.example/", /none of https/],
      [https, "file:///etc/hidden", /none of https/],
      [https, "https://user:hidden@x.example/", /password/],
      [https, "https://", /no address/],
      [https, undefined, /no address/],
    ] as const
  ) {
    assertThrows(() => redirectTarget(from, location), 69, words);
  }
});
