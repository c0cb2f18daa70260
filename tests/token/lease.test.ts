import assert from "node:assert/strict";
import { test } from "node:test";
import { AdcRunError, EXIT } from "../../src/errors.ts";
import { Secret } from "../../src/secret.ts";
import { surveyTokens } from "../../src/token/resolve.ts";
import type {
  SourceAnswer,
  SourceContext,
  TokenLease,
  TokenSource,
} from "../../src/token/sources.ts";
import { absence, breakage, connect, find } from "../support/asking.ts";

/** A token that was made for one run; `released` counts how often it was given back. */
function lent(): { readonly answer: SourceAnswer; readonly lease: TokenLease; released: number } {
  const it = {
    released: 0,
    lease: {
      name: "lent",
      expiresAt: 0,
      release: () => Promise.resolve(void it.released++),
    },
    get answer(): SourceAnswer {
      return { status: "found", token: new Secret("a7ee-lent"), detail: "here", lease: it.lease };
    },
  };
  return it;
}

function source(
  find: TokenSource["find"],
  more: Partial<TokenSource> = {},
): TokenSource {
  return { name: "odd", timeoutMs: 60_000, find, ...more };
}

/** Resolves once a signal is aborted. */
function aborted({ signal }: SourceContext): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

test("`resolveToken()` hands on a token's lease, and what must stay secret because of it", async () => {
  const { answer, lease } = lent();
  const secrets = [new Secret("canary")];
  const resolved = await find([
    source(() => Promise.resolve({ ...answer, secrets } as SourceAnswer)),
  ]);
  assert.equal(resolved.lease, lease);
  assert.equal(resolved.secrets, secrets);
  assert.ok(!JSON.stringify(resolved.trail).includes("canary"));
  const plain = await find([
    source(() => Promise.resolve({ status: "found", token: new Secret("a"), detail: "here" })),
  ]);
  assert.deepEqual([plain.lease, plain.secrets], [undefined, undefined]);
});

test("`resolveToken()` gives back a token that is malformed or blank", async () => {
  for (const [value, status] of [["a7ee-lent lent", "broken"], ["", "absent"], [" \t", "absent"]]) {
    const it = lent();
    const bad = source(() =>
      Promise.resolve({ ...it.answer, token: new Secret(value!) } as SourceAnswer)
    );
    const { trail, winner } = await surveyTokens({
      connection: await connect("sync"),
      sources: [bad],
    });
    assert.deepEqual([trail[0]?.status, winner, it.released], [status, undefined, 1]);
    if (status === "broken") assert.match((await breakage(bad)).message, /is malformed/);
    else assert.equal(await absence(bad), "here is empty");
    assert.equal(it.released, 2);
  }
});

test("`resolveToken()` keeps a token that is in order", async () => {
  const it = lent();
  await find([source(() => Promise.resolve(it.answer))]);
  assert.equal(it.released, 0);
});

test("`resolveToken()` gives back a token that comes after the time limit", async () => {
  const it = lent();
  const slow = source(async (context) => {
    await aborted(context);
    return it.answer;
  }, { timeoutMs: 20, graceMs: 60_000 });
  const error = await breakage(slow);
  assert.match(error.message, /no response within 0\.02 s$/);
  assert.equal(it.released, 1);
});

test("`resolveToken()` gives back a token that comes after its signal", async () => {
  const it = lent();
  const controller = new AbortController();
  const reason = new Error("enough");
  const busy = source(async (context) => {
    const ended = aborted(context);
    queueMicrotask(() => controller.abort(reason));
    await ended;
    return it.answer;
  }, { graceMs: 60_000 });
  await assert.rejects(find([busy], { signal: controller.signal }), reason);
  assert.equal(it.released, 1);
});

test("`resolveToken()` waits for a source to undo what it had begun, whatever comes of it", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  let undone = false;
  const busy = source(async (context) => {
    const ended = aborted(context);
    queueMicrotask(() => controller.abort(reason));
    await ended;
    await new Promise((resolve) => setImmediate(resolve));
    undone = true;
    throw new Error("given up");
  }, { graceMs: 60_000 });
  await assert.rejects(find([busy], { signal: controller.signal }), reason);
  assert.equal(undone, true);
});

test("`resolveToken()` waits no longer than the source's grace", async () => {
  const controller = new AbortController();
  const reason = new Error("enough");
  const stuck = source(() => {
    queueMicrotask(() => controller.abort(reason));
    return new Promise(() => {});
  }, { graceMs: 20 });
  await assert.rejects(find([stuck], { signal: controller.signal }), reason);
});

test("`resolveToken()` goes on where a late token cannot be given back", async () => {
  const { answer, lease } = lent();
  const failing = { ...lease, release: () => Promise.reject(new Error("no")) };
  const slow = source(async (context) => {
    await aborted(context);
    return { ...answer, lease: failing } as SourceAnswer;
  }, { timeoutMs: 20, graceMs: 60_000 });
  assert.match((await breakage(slow)).message, /no response/);
});

test("`resolveToken()` ends with the code that a source names, or that of what it throws", async () => {
  const broken = source(() =>
    Promise.resolve({ status: "broken", reason: "no", exitCode: EXIT.config })
  );
  assert.equal((await breakage(broken)).exitCode, 78);
  const plain = source(() => Promise.resolve({ status: "broken", reason: "no" }));
  assert.equal((await breakage(plain)).exitCode, 74);
  const cause = new AdcRunError("down", EXIT.unavailable, { suggestion: "Start it." });
  const error = await breakage(source(() => Promise.reject(cause)));
  assert.deepEqual([error.exitCode, error.suggestion, error.cause], [69, "Start it.", cause]);
  const other = await breakage(source(() => Promise.reject(new Error("no"))));
  assert.deepEqual([other.exitCode, other.suggestion], [74, undefined]);
});

test("`surveyTokens()` asks a source that leaves traces for its preview alone", async () => {
  const connection = await connect("sync");
  let asked: SourceContext | undefined;
  const traces = source(() => assert.fail("it may not be asked"), {
    preview: (context) => {
      asked = context;
      return Promise.resolve("a run would make one");
    },
  });
  const { trail, winner, error } = await surveyTokens({ connection, sources: [traces] });
  assert.deepEqual(trail, [
    { source: "odd", status: "not-asked", detail: "a run would make one" },
  ]);
  assert.deepEqual([winner, error?.name], [undefined, "NoTokenError"]);
  assert.equal(asked?.connection, connection);
});

test("`surveyTokens()` goes on where a source has no preview to give", async () => {
  const connection = await connect("sync");
  const failing = source(() => assert.fail("it may not be asked"), {
    preview: () => Promise.reject(new Error("who knows")),
  });
  const { answer } = lent();
  const sources = [failing, source(() => Promise.resolve(answer), { name: "next" })];
  const { trail, winner } = await surveyTokens({ connection, sources });
  assert.deepEqual(trail[0], { source: "odd", status: "not-asked", detail: "who knows" });
  assert.equal(winner?.source, "next");
});
