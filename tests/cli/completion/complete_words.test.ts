import assert from "node:assert/strict";
import { it } from "node:test";
import { completeWords, formatCompletion } from "../../../src/cli/completion/complete.ts";

const PROFILES = ["staging", "prod-eu", "prod-us"].map((value) => ({ value, text: "" }));

/** The words that are offered behind a line; the last word of it is the one to complete. */
function offered(line: string): readonly string[] {
  return completeWords(line.split(" "), PROFILES).candidates.map(({ value }) => value);
}

const restOf = (line: string) => completeWords(line.split(" "), PROFILES).rest;

it("`completeWords()` offers adc-run's commands and ADC's, and hides those for scripts", () => {
  const all = offered("");
  for (const name of ["auth", "profile", "api", "exec", "sync", "convert"]) {
    assert.ok(all.includes(name), name);
  }
  for (const name of ["complete", "dev", "server"]) assert.ok(!all.includes(name), name);
  assert.deepEqual(offered("--quiet di"), ["diff"]);
  assert.deepEqual(offered("auth lo"), ["login", "logout"]);
  assert.deepEqual(offered("help auth re"), ["revoke"]);
  assert.deepEqual(offered("help exit"), []);
  assert.deepEqual(offered("help so"), ["sources"]);
  assert.deepEqual(offered("completion z"), ["zsh"]);
  assert.deepEqual(offered("convert "), ["openapi"]);
});

it("`completeWords()` offers a command's own options, and no --token", () => {
  assert.deepEqual(offered("--fail"), ["--fail-on-leak", "--fail-on-drift"]);
  assert.deepEqual(offered("sync --request"), ["--request-concurrent"]);
  assert.deepEqual(offered("dump --request"), []);
  assert.deepEqual(offered("auth login --pass"), ["--password-stdin"]);
  assert.deepEqual(offered("auth login --ser"), ["--server"]);
  for (const line of ["sync --t", "auth status --t", "api --t"]) {
    assert.ok(!offered(line).includes("--token"), line);
    assert.ok(offered(line).includes("--timeout"), line);
  }
  assert.deepEqual(offered("lint --serv"), []);
});

it("`completeWords()` tells an option's value from a word", () => {
  assert.deepEqual(offered("--source sync"), []);
  assert.deepEqual(offered("--env-file sync dif"), ["diff"]);
  assert.deepEqual(offered("--env-file=x dif"), ["diff"]);
  assert.deepEqual(offered("-p prod-eu auth sta"), ["status"]);
  assert.deepEqual(offered("--ephemeral=10m sy"), ["sync"]);
  assert.deepEqual(offered("sync -f --backend --verbose "), ["0", "1", "2"]);
  assert.equal(restOf("sync -f --ver"), "files");
  assert.deepEqual(offered("sync --token x --backend api"), [
    "api7ee",
    "apisix",
    "apisix-standalone",
  ]);
});

it("`completeWords()` completes the last of a list, and offers nothing twice", () => {
  assert.deepEqual(offered("-p "), ["staging", "prod-eu", "prod-us"]);
  assert.deepEqual(offered("-p prod-eu,"), ["prod-eu,staging", "prod-eu,prod-us"]);
  assert.deepEqual(offered("--profile=prod-eu,s"), ["--profile=prod-eu,staging"]);
  assert.deepEqual(offered("auth status -p prod-u"), ["prod-us"]);
  assert.deepEqual(offered("profile show st"), ["staging"]);
  assert.deepEqual(offered("profile set x --unset timeout,use"), [
    "timeout,use",
    "timeout,username",
  ]);
});

it("`completeWords()` says where a file, or another command, may stand", () => {
  assert.equal(restOf("--env-file x"), "files");
  assert.equal(restOf("--env-file=x"), "files=");
  assert.equal(restOf("auth login --ca-cert-file "), "files");
  assert.equal(restOf("frob "), "files");
  assert.equal(restOf("auth login "), "none");
  assert.equal(restOf("auth frob "), "none");
  assert.deepEqual(offered("exec "), ["--"]);
  assert.deepEqual(restOf("exec -- "), { commandAt: 3 });
  assert.deepEqual(restOf("-p exec exec -- ls "), { commandAt: 5 });
  assert.deepEqual(restOf("exec ls -"), { commandAt: 2 });
  assert.deepEqual(offered("-- sy"), ["sync"]);
  assert.deepEqual(offered("-- auth "), []);
});

it("`formatCompletion()` offers no word that a shell may do something with", () => {
  const words = ["ok-1", "$(x)", "`x`", "a b", "a;b", "a\nb", ":files", "'", '"', "*", "~", "\\"];
  const candidates = words.map((value) => ({ value, text: "\x1b[2Jred\tgreen" }));
  assert.equal(
    formatCompletion({ candidates, rest: "none" }),
    "ok-1\t [2Jred green\n:none\n",
  );
  assert.equal(formatCompletion({ candidates: [], rest: { commandAt: 3 } }), ":command 3\n");
});
