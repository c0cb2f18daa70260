import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { SourceError } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { NoTokenError, surveyTokens } from "../../src/token/resolve.ts";
import type { SourceAnswer, SourceContext, TokenSource } from "../../src/token/sources.ts";
import { breakage, connect, find, visible } from "../support/asking.ts";

const FOUND: SourceAnswer = { status: "found", token: new Secret("a7ee-example"), detail: "here" };
const ABSENT: SourceAnswer = { status: "absent", reason: "not here" };
const BROKEN: SourceAnswer = { status: "broken", reason: "it burns", suggestion: "Put it out." };

/** Sources that answer so, and the names of those that were asked. */
function record(answers: Readonly<Record<string, SourceAnswer>>) {
  const asked: string[] = [];
  const sources = Object.entries(answers).map(([name, answer]): TokenSource => ({
    name,
    timeoutMs: 60_000,
    find: () => {
      asked.push(name);
      return Promise.resolve(answer);
    },
  }));
  return { asked, sources };
}

function source(find: TokenSource["find"], timeout = 60_000): TokenSource {
  return { name: "odd", timeoutMs: timeout, find };
}

function hold(token: string): TokenSource {
  return source(() => Promise.resolve({ ...FOUND, token: new Secret(token) }));
}

test("`resolveToken()` takes the first token and asks no further", async () => {
  const { asked, sources } = record({ a: ABSENT, b: FOUND, c: FOUND, d: BROKEN });
  const { token, source, detail, trail } = await find(sources);
  assert.deepEqual([token.reveal(), source, detail], ["a7ee-example", "b", "here"]);
  assert.deepEqual(asked, ["a", "b"]);
  assert.deepEqual(trail, [
    { source: "a", status: "absent", detail: "not here" },
    { source: "b", status: "found", detail: "here: a7ee-*** (9261e1c1)" },
    { source: "c", status: "not-asked", detail: "b comes first" },
    { source: "d", status: "not-asked", detail: "b comes first" },
  ]);
});

test("`resolveToken()` stops when a source is broken", async () => {
  const { asked, sources } = record({ a: ABSENT, b: BROKEN, c: FOUND });
  await assert.rejects(find(sources), (error) => {
    assert.ok(error instanceof SourceError);
    assert.equal(error.message, 'Cannot get a token from source "b": it burns');
    assert.deepEqual([error.source, error.exitCode, error.suggestion], ["b", 74, "Put it out."]);
    return true;
  });
  assert.deepEqual(asked, ["a", "b"]);
});

test("`resolveToken()` says what every source said when none has a token", async () => {
  const { asked, sources } = record({ a: ABSENT, b: { ...ABSENT, reason: "nor here" } });
  const connection = await connect("sync --server https://ann:hunter2@h:1");
  await assert.rejects(find(sources, { connection }), (error) => {
    assert.ok(error instanceof NoTokenError);
    assert.equal(error.exitCode, 77);
    assert.equal(error.message, "No token for https://h:1");
    assert.deepEqual(error.trail, [
      { source: "a", status: "absent", detail: "not here" },
      { source: "b", status: "absent", detail: "nor here" },
    ]);
    assert.ok(!inspect(error).includes("hunter2"));
    return true;
  });
  assert.deepEqual(asked, ["a", "b"]);
});

test("`NoTokenError` names the profile in its hint, and the secret that is empty", async () => {
  const profile = { name: "dev", file: "config.json", project: false, explicit: true } as const;
  const connection = { ...await connect("sync --server https://h:1"), profile };
  const detail = "ADC_TOKEN is empty (is the secret defined for this job?)";
  const trail = [{ source: "env", status: "absent", detail }] as const;
  assert.match(new NoTokenError(connection, trail).suggestion!, /^Set ADC_TOKEN\. If the server/);
  const also = { source: "keychain", status: "absent", detail: "empty" } as const;
  const error = new NoTokenError(connection, [...trail, also]);
  assert.equal(error.message, `No token for https://h:1 (profile dev): ${detail}`);
  assert.match(
    error.suggestion!,
    /^Log in with "adc-run -p dev auth login --with-token --server https:\/\/h:1", or set ADC_TOKEN\. /,
  );
});

test("`resolveToken()` finds nothing among no sources", async () => {
  await assert.rejects(find([]), NoTokenError);
});

test("`resolveToken()` takes a rejection for a broken source and keeps its cause", async () => {
  const cause = new Error("disk on fire");
  const error = await breakage(source(() => Promise.reject(cause)));
  assert.equal(error.message, 'Cannot get a token from source "odd": disk on fire');
  assert.equal(error.cause, cause);
});

test("`resolveToken()` takes a source that throws for a broken one", async () => {
  const error = await breakage(source(() => {
    throw new Error("disk on fire");
  }));
  assert.equal(error.message, 'Cannot get a token from source "odd": disk on fire');
});

test("`resolveToken()` ends a source that is too slow, and tells it so", async () => {
  let context: SourceContext | undefined;
  const slow: TokenSource = {
    ...source((given) => {
      context = given;
      return new Promise(() => {});
    }, 20),
    whenSlow: "Wake it up.",
  };
  const error = await breakage(slow);
  assert.match(error.message, /: no response within 0\.02 s$/);
  assert.deepEqual([error.exitCode, error.suggestion], [74, "Wake it up."]);
  assert.equal(context?.signal.aborted, true);
});

test("`resolveToken()` tells a source where the token will be used", async () => {
  let context: SourceContext | undefined;
  const connection = await connect("sync --server https://h:1");
  await find([source((given) => {
    context = given;
    return Promise.resolve(FOUND);
  })], { connection });
  assert.equal(context?.connection, connection);
  assert.equal(context.signal.aborted, false);
});

test("`resolveToken()` asks nobody once its signal is aborted", async () => {
  const { asked, sources } = record({ a: FOUND });
  const reason = new Error("enough");
  await assert.rejects(find(sources, { signal: AbortSignal.abort(reason) }), reason);
  assert.deepEqual(asked, []);
});

test("`resolveToken()` ends with the signal's reason while a source is busy", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let context: SourceContext | undefined;
  const busy = source((given) => {
    context = given;
    queueMicrotask(() => controller.abort(reason));
    return new Promise(() => {});
  });
  const { asked, sources } = record({ next: FOUND });
  await assert.rejects(find([busy, ...sources], { signal: controller.signal }), reason);
  assert.equal(context?.signal.reason, reason);
  assert.deepEqual(asked, []);
});

test("`resolveToken()` refuses a malformed token with 65, and never shows it", async () => {
  const malformed = {
    "a7ee-zqzq zqzq": /a space/,
    "zqzq\nzqzq": /a line break/,
    "zqzq,zqzq": /a comma/,
    "zq\tzq": /a control character/,
    "zqzq\u00e9": /outside printable ASCII/,
    "zqzq\u0007": /a control character/,
  };
  for (const [token, defect] of Object.entries(malformed)) {
    const { asked, sources } = record({ next: FOUND });
    await assert.rejects(find([hold(token), ...sources]), (error) => {
      assert.ok(error instanceof SourceError);
      assert.equal(error.exitCode, 65);
      assert.match(error.message, /^Cannot get a token from source "odd": the token in here is/);
      assert.match(error.message, defect);
      assert.match(error.suggestion ?? "", /^Copy it again/);
      assert.ok(!visible(error).includes("zqzq"), visible(error));
      return true;
    });
    assert.deepEqual(asked, []);
  }
});

test("`resolveToken()` hands on a token without what stands around it", async () => {
  for (const text of ["K\n", "K ", "\ufeffK", "\tK\r\n\r\n", "\u00a0K"]) {
    assert.equal((await find([hold(text)])).token.reveal(), "K", JSON.stringify(text));
  }
  assert.equal((await find([hold(" a key with blanks ")])).token.reveal(), "a key with blanks");
  assert.equal((await find([hold('"quoted"')])).token.reveal(), '"quoted"');
});

test("`resolveToken()` looks at each token of a list for apisix-standalone alone", async () => {
  const connection = await connect("sync --backend apisix-standalone");
  assert.equal((await find([hold("a,b")], { connection })).token.reveal(), "a,b");
  assert.equal((await find([hold("a, b ,\n")], { connection })).token.reveal(), "a,b");
  const error = await breakage(hold("zqzq,zq\tzq"), connection);
  assert.match(error.message, /malformed: in token 2 of 2: it contains a control character$/);
  assert.equal(error.exitCode, 65);
});

test("`resolveToken()` passes over a blank token and says that it is empty", async () => {
  for (const blank of ["", " ", "\n", "\t\r\n"]) {
    const { sources } = record({ next: FOUND });
    const { source, trail } = await find([hold(blank), ...sources]);
    assert.equal(source, "next");
    assert.deepEqual(trail[0], { source: "odd", status: "absent", detail: "here is empty" });
  }
});

test("`resolveToken()` shows no token when its result is printed", async () => {
  const result = await find([hold("a7ee-zqzq")]);
  for (const text of [inspect(result, { depth: 9, showHidden: true }), JSON.stringify(result)]) {
    assert.ok(!text.includes("zqzq"), text);
    assert.ok(text.includes("a7ee-***"));
  }
});

test("`surveyTokens()` asks every source and names the one that a run would take", async () => {
  const { asked, sources } = record({ a: ABSENT, b: FOUND, c: BROKEN, d: FOUND });
  const { trail, winner, error } = await surveyTokens({
    connection: await connect("sync"),
    sources,
  });
  assert.deepEqual(asked, ["a", "b", "c", "d"]);
  assert.deepEqual(trail.map(({ status }) => status), ["absent", "found", "broken", "found"]);
  assert.equal(winner?.source, "b");
  assert.equal(winner.trail, trail);
  assert.equal(error, undefined);
});

test("`surveyTokens()` has no winner behind a broken source", async () => {
  const { asked, sources } = record({ a: ABSENT, b: BROKEN, c: FOUND });
  const { trail, winner, error } = await surveyTokens({
    connection: await connect("sync"),
    sources,
  });
  assert.deepEqual(asked, ["a", "b", "c"]);
  assert.equal(winner, undefined);
  assert.ok(error instanceof SourceError);
  assert.deepEqual(trail[1], {
    source: "b",
    status: "broken",
    detail: "it burns",
    suggestion: "Put it out.",
  });
});

test("`surveyTokens()` gives the error that a run would end with", async () => {
  const { sources } = record({ a: ABSENT });
  const connection = await connect("sync");
  const { trail, error } = await surveyTokens({ connection, sources });
  assert.ok(error instanceof NoTokenError);
  assert.deepEqual(error.trail, trail);
  const malformed = await surveyTokens({ connection, sources: [hold("zqzq\u00e9")] });
  assert.equal(malformed.error?.exitCode, 65);
  assert.ok(!inspect(malformed, { depth: 9, showHidden: true }).includes("zqzq"));
});

test("`surveyTokens()` ends with its signal", async () => {
  const { asked, sources } = record({ a: FOUND });
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  await assert.rejects(
    surveyTokens({ connection: await connect("sync"), sources, signal }),
    reason,
  );
  assert.deepEqual(asked, []);
});
