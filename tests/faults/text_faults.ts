/**
 * Faults of texts: far too long, or not valid UTF-8. The canaries have their broken byte within, so that
 * neither half of one may come out.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { standIn } from "../support/adc_run.ts";
import type { Ending } from "../support/adc_run.ts";
import { serveHttp } from "../support/loopback.ts";
import { failedCheck } from "./failed_check.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";
import { around, reportOf } from "./scene.ts";
import type { Scene } from "./scene.ts";

/** So many bytes of variables. */
function variables(bytes: number): string {
  return `NAME=${"x".repeat(60)}\n`.repeat(bytes / 66);
}

/** Both halves of a token with a broken byte between them, and how a shell writes it. */
const HALVES = ["a7ee-zqzqzqzq", "vwvwvwvwvwvw"];
const BROKEN = Buffer.from(HALVES.join("\xff"), "latin1");
const PRINT_BROKEN = `$(printf '${HALVES.join("\\377")}')`;

/** What is done with the broken text. */
interface Attempt {
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly script?: string;
  readonly input?: string;
}

/** A text that is not valid UTF-8, which is refused: nothing is sent, and no half of it is shown. */
function refused(
  row: Pick<ProvenFault, "fault" | "verdict"> & { readonly exit: number },
  message: RegExp,
  arrange: (scene: Scene) => Attempt | Promise<Attempt>,
): ProvenFault {
  return {
    ...row,
    bound: "at once",
    prove: async (scene) => {
      await scene.store();
      const { words, env = {}, script = '"$@"', input = "" } = await arrange(scene);
      const home = around(scene.home, script);
      const run = (own: readonly string[]) => scene.run([...own, ...words], { env, home, input });
      const [plain, json] = await Promise.all([run([]), run(["--json"])]);
      for (const ended of [plain, json]) assertRefused(ended, row.exit, message);
      const names = row.verdict.match(/\w+Error/g);
      if (names !== null) assert.ok(names.includes(reportOf(json).error?.name ?? ""), json.stderr);
      assert.deepEqual(scene.sandbox.requests, [], "nothing was sent");
    },
  };
}

function assertRefused({ code, stdout, stderr }: Ending, exit: number, message: RegExp): void {
  assert.equal(code, exit, stderr);
  assert.match(stderr, message);
  assert.equal(stdout, "");
  for (const half of HALVES) assert.ok(!stderr.includes(half), stderr);
}

const PING = ["--adc", standIn("adc.mjs"), "ping"];
const MALFORMED = { verdict: "SourceError", exit: 65 };

/** A run that goes through, with what comes out byte by byte. */
function passes(
  row: Pick<ProvenFault, "fault"> & Partial<ProvenFault>,
  arrange: (scene: Scene) => Promise<Attempt & { readonly hex: RegExp }>,
): ProvenFault {
  return {
    verdict: "—",
    exit: 0,
    bound: "the child's end",
    ...row,
    prove: async (scene) => {
      const { words, env = {}, script = '"$@"', hex } = await arrange(scene);
      const home = around(scene.home, `{ ${script}; echo "exit $?" >&2; } | od -An -v -tx1`);
      const ended = await scene.run(words, { env, home });
      assert.match(ended.stderr, /exit 0\n$/);
      assert.match(ended.stdout.replace(/\s+/g, ""), hex);
    },
  };
}

/** Texts that are too long, or no texts. */
export const TEXT_FAULTS: FaultGroup = {
  title: "Texts",
  file: "tests/faults/text_faults.ts",
  faults: [
    {
      fault: "10 MB `.env`",
      verdict: "ConnectionError",
      exit: 78,
      bound: "at once; more than 1 MiB is not read",
      prove: async (scene) => {
        await scene.folder.write(".env", `${variables(10_000_000)}ADC_TOKEN=${scene.token}\n`);
        const ended = await scene.run(PING);
        assert.equal(ended.code, 78, ended.stderr);
        assert.match(ended.stderr, /cannot use \.env: it is larger than 1 MiB/);
        await rm(join(scene.folder.path, ".env"));
      },
    },
    {
      fault: "1 MB `.env`",
      verdict: "—",
      exit: 0,
      bound: "it is read once",
      prove: async (scene) => {
        await scene.folder.write(".env", `${variables(1_000_000)}ADC_TOKEN=${scene.token}\n`);
        const ended = await scene.run(PING);
        assert.equal(ended.code, 0, ended.stderr);
        assert.match(ended.stderr, /\(ADC_TOKEN in \.env\)/);
        await rm(join(scene.folder.path, ".env"));
      },
    },
    {
      fault: "1 MB file of `--env-file`, more than a child's environment holds",
      verdict: "CommandError",
      exit: 126,
      bound: "at once",
      prove: async (scene) => {
        const content = `NAME=${"x".repeat(1_000_000)}\nADC_TOKEN=${scene.token}\n`;
        const file = await scene.folder.write("long.env", content);
        const ended = await scene.run(["--json", "--env-file", file, ...PING]);
        assert.equal(ended.code, 126, ended.stderr);
        const { error } = reportOf(ended);
        assert.equal(error?.name, "CommandError");
        assert.match(error?.message ?? "", /too long for the system \(E2BIG\)/);
        await rm(file);
      },
    },
    refused(
      {
        fault: "invalid UTF-8 in `ADC_TOKEN`",
        verdict: "SourceError; on Deno, which cannot read it, AdcRunError",
        exit: 65,
      },
      /ADC_TOKEN[\s\S]*outside printable ASCII|variable is not valid UTF-8[\s\S]*ADC_TOKEN/,
      () => ({ words: PING, script: `ADC_TOKEN=${PRINT_BROKEN} "$@"` }),
    ),
    refused(
      { fault: "invalid UTF-8 in `--token`", ...MALFORMED },
      /--token is malformed: it contains a character outside printable ASCII/,
      () => ({ words: PING, script: `"$@" --token ${PRINT_BROKEN}` }),
    ),
    refused(
      { fault: "invalid UTF-8 in the token in `.env`", ...MALFORMED },
      /ADC_TOKEN in \.env is malformed: it contains a character outside printable ASCII/,
      async ({ folder }) => {
        await folder.write(".env", Buffer.concat([Buffer.from("ADC_TOKEN="), BROKEN]));
        return { words: PING };
      },
    ),
    refused(
      { fault: "invalid UTF-8 in the file of `ADC_TOKEN_FILE`", ...MALFORMED },
      /\(ADC_TOKEN_FILE\) is malformed: it contains a character outside printable ASCII/,
      async ({ folder }) => ({
        words: PING,
        env: { ADC_TOKEN_FILE: await folder.write("token", BROKEN) },
      }),
    ),
    refused(
      { fault: "invalid UTF-8 from the helper of `ADC_TOKEN_COMMAND`", ...MALFORMED },
      /the output of \\?"cat.* is malformed: it contains a character outside printable ASCII/,
      async ({ folder }) => {
        await folder.write("token", BROKEN);
        return { words: PING, env: { ADC_TOKEN_COMMAND: "cat token" } };
      },
    ),
    refused(
      { fault: "invalid UTF-8 on stdin, for a token", verdict: "AdcRunError", exit: 65 },
      /[Cc]annot use standard input: it is not valid UTF-8/,
      () => ({
        words: ["auth", "login", "--with-token", "--storage=file"],
        script: `printf '${HALVES.join("\\377")}' | "$@"`,
      }),
    ),
    refused(
      { fault: "invalid UTF-8 on stdin, for a password", verdict: "AdcRunError", exit: 65 },
      /[Cc]annot use standard input: it is not valid UTF-8/,
      () => ({
        words: ["auth", "login", "--username=robot", "--password-stdin", "--storage=file"],
        script: `printf '${HALVES.join("\\377")}' | "$@"`,
      }),
    ),
    refused(
      { fault: "invalid UTF-8 in `config.json`", verdict: "ProfileFileError", exit: 65 },
      /config\.json\\?": it is not valid UTF-8/,
      async ({ config }) => {
        await mkdir(config, { recursive: true, mode: 0o700 });
        await writeFile(join(config, "config.json"), Buffer.from('{"profiles":{"\xff"', "latin1"));
        return { words: ["-p", "prod", ...PING] };
      },
    ),
    {
      fault: "invalid UTF-8 in `tokens.json`",
      verdict: "SourceError",
      exit: 74,
      bound: "at once; the file is left as it is",
      prove: async (scene) => {
        await mkdir(scene.config, { recursive: true, mode: 0o700 });
        const file = join(scene.config, "tokens.json");
        const content = `{"version":1,"tokens":{"${scene.sandbox.url}":"a7ee-zqzqzqzq\xff"}}`;
        await writeFile(file, Buffer.from(content, "latin1"), { mode: 0o600 });
        await chmod(file, 0o600);
        const ended = await scene.run(["--json", ...PING]);
        assertRefused(ended, 74, /tokens\.json\\": it is damaged \(it is not JSON\)/);
        assert.equal(reportOf(ended).error?.name, "SourceError");
        assert.deepEqual(scene.sandbox.requests, []);
        await rm(file);
      },
    },
    refused(
      { fault: "invalid UTF-8 in the working directory's name", verdict: "—", exit: 78 },
      /cannot use the working directory: .*not valid UTF-8/,
      () => ({
        words: PING,
        // The folder goes away again, for Deno cannot look into the one above it meanwhile.
        script:
          `d=$(printf "f\\377$$"); mkdir "$d"; (cd "$d" && "$@"); code=$?; rmdir "$d"; exit $code`,
      }),
    ),
    failedCheck({
      fault: "invalid UTF-8 in the server's answer",
      verdict: "rejected",
      exit: 77,
      bound: "one attempt",
      message: /401:? "no \ufffd such \*\*\*"/,
      arrange: async ({ token }) => {
        const body = Buffer.from(`{"error_msg": "no \xff such ${token}"}`, "latin1");
        const server = await serveHttp((_request, response) => {
          response.writeHead(401, { "content-type": "application/json" });
          response.end(body);
        });
        return { server };
      },
    }),
    passes({ fault: "invalid UTF-8 in ADC's output" }, async (scene) => {
      await scene.store();
      const words = [
        "exec",
        "--",
        standIn("report.mjs"),
        "--raw-hex",
        "61ff62c328",
        "--split",
        "3",
      ];
      return { words, hex: /^61ff62c3282a2a2a$/ };
    }),
    passes({
      fault: "invalid UTF-8 in ADC's arguments, and in lines of `.env` that are not the token's",
      bound: "the child's end; the bytes become U+FFFD, for no runtime can hold them",
    }, async (scene) => {
      // One ADC reads nothing from such a line on.
      const token = Buffer.from(`ADC_TOKEN=${scene.token}\nB=\n`);
      const lines = Buffer.from("A=\xff\n", "latin1");
      await scene.folder.write(".env", Buffer.concat([token, lines]));
      const words = ["exec", "--", "printf", "<%s>"];
      return {
        words,
        script: `"$@" "$(printf 'a\\377b')"; code=$?; rm .env; (exit $code)`,
        hex: /^3c61efbfbd623e$/,
      };
    }),
  ],
};
