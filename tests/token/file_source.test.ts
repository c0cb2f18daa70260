import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { fileSource } from "../../src/token/sources/file_source.ts";
import { absence, breakage, find, visible } from "../support/asking.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const windows = process.platform === "win32" && "Windows has no such files";

function open(path: string, cwd = "/nowhere") {
  return fileSource({ env: { ADC_TOKEN_FILE: path }, cwd });
}

test("`fileSource()` drops one line break at the end and says where the token is", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["a7ee-example", "a7ee-example\n", "a7ee-example\r\n"]) {
    const path = await folder.write("token", text);
    for (const source of [open(path), open("token", folder.path)]) {
      const { token, detail } = await find([source]);
      assert.equal(token.reveal(), "a7ee-example");
      assert.equal(detail, `"${path}" (ADC_TOKEN_FILE)`);
    }
  }
});

test("`fileSource()` leaves out what stands around the token", async () => {
  await using folder = await temporaryFolder();
  for (const text of ["\ufeffa7ee-example\n", "a7ee-example\n\n", " a7ee-example\t\r\n"]) {
    const { token } = await find([open(await folder.write("token", text))]);
    assert.equal(token.reveal(), "a7ee-example", JSON.stringify(text));
  }
});

test("`fileSource()` has nothing without the variable, or with a blank variable or file", async () => {
  await using folder = await temporaryFolder();
  const source = fileSource({ env: {}, cwd: folder.path });
  assert.equal(await absence(source), "ADC_TOKEN_FILE is not set");
  assert.equal(await absence(open("")), "ADC_TOKEN_FILE is empty");
  for (const text of ["", "\n", "  \r\n"]) {
    const path = await folder.write("token", text);
    assert.equal(await absence(open(path)), `"${path}" (ADC_TOKEN_FILE) is empty`);
  }
});

test("`fileSource()` refuses a file that holds more than the bare token", async () => {
  await using folder = await temporaryFolder();
  const cases = {
    "zqzq\nzqzq\n": /a line break/,
    "ADC_TOKEN = zqzq\n": /a whole line of \.env/,
    "a7ee-zqzq zqzq\n": /a space/,
    "zq\tzq\n": /a control character/,
    "zqzq\u0000": /a NUL byte/,
  };
  for (const [text, defect] of Object.entries(cases)) {
    const error = await breakage(open(await folder.write("token", text)));
    assert.match(error.message, defect);
    assert.equal(error.exitCode, 65);
    assert.ok(!visible(error).includes("zqzq"), visible(error));
  }
  const utf16 = open(await folder.write("token", new Uint8Array([0xff, 0xfe, 0x7a, 0, 0x71, 0])));
  const error = await breakage(utf16);
  assert.equal(error.exitCode, 65);
  assert.match(error.message, /is UTF-16 text$/);
  assert.match(error.suggestion ?? "", /^Save it as UTF-8/);
});

test("`fileSource()` is broken where the file is missing, a folder, or no place for one", async () => {
  await using folder = await temporaryFolder({ "plain": "x" });
  await mkdir(join(folder.path, "folder"));
  const cases = {
    "absent": /: there is no file "\/.*\/absent"$/,
    "folder": /: "\/.*\/folder" cannot be read: it is a directory \(EISDIR\)$/,
    "plain/token":
      /: "\/.*\/plain\/token" cannot be read: a part of the path is not a directory \(ENOTDIR\)$/,
  };
  for (const [path, message] of Object.entries(cases)) {
    const error = await breakage(open(path, folder.path));
    assert.match(error.message, message);
    assert.equal(error.exitCode, 74);
    assert.match(error.suggestion ?? "", /^ADC_TOKEN_FILE must name a readable file/);
  }
});

test("`fileSource()` says nothing of a token that stands in the place of a path", async () => {
  await using folder = await temporaryFolder();
  const long = `zq${"9".repeat(300)}`;
  for (const token of ["zq4f8a1c77d2e95b", "a7ee-zq0123456789abcdef", "zq7/R+4x==", long]) {
    const error = await breakage(open(token, folder.path));
    assert.match(error.message, /the(re is no)? file that it names/);
    assert.ok(!visible(error).includes("zq"), visible(error));
  }
});

test("`fileSource()` is broken where the file is far larger than a token", async () => {
  await using folder = await temporaryFolder();
  const path = await folder.write("token", "z".repeat(65_537));
  const error = await breakage(open(path));
  assert.match(error.message, /" is larger than 65536 bytes$/);
  assert.ok(!visible(error).includes("zzz"));
  const largest = "z".repeat(65_536);
  await folder.write("token", largest);
  assert.equal((await find([open(path)])).token.reveal(), largest);
});

test("`fileSource()` does not read an endless file to its end", { skip: windows }, async () => {
  assert.match((await breakage(open("/dev/zero"))).message, /is larger than 65536 bytes$/);
  assert.equal(await absence(open("/dev/null")), '"/dev/null" (ADC_TOKEN_FILE) is empty');
});

test("`fileSource()` reads from a pipe, in however many pieces", { skip: windows }, async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  const answer = find([open(path)]);
  const writer = createWriteStream(path);
  await once(writer, "open");
  await new Promise((resolve) => writer.write("a7ee-", resolve));
  writer.end("example\n");
  assert.equal((await answer).token.reveal(), "a7ee-example");
});

test("`fileSource()` waits for a pipe no longer than it may", { skip: windows }, async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "pipe");
  execFileSync("mkfifo", [path]);
  const source = open(path);
  assert.equal(source.timeoutMs, 5_000);
  const error = await breakage({ ...source, timeoutMs: 20 });
  assert.match(error.message, /: no response within 0\.02 s$/);
  assert.equal(error.exitCode, 74);
  // Lets the reader go, which still waits for somebody to open the other end.
  await once(createWriteStream(path).end(), "close");
});
