import assert from "node:assert/strict";
import { it } from "node:test";
import { inParallel } from "../../src/run/targets.ts";

it("`inParallel()` starts in order, keeps to the limit, and gives results in order", async () => {
  let [now, highest] = [0, 0];
  const started: number[] = [];
  const results = await inParallel([5, 1, 4, 2, 3], async (item) => {
    started.push(item);
    highest = Math.max(highest, ++now);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    now--;
    return item * 10;
  }, { most: 2 });
  assert.deepEqual(results, [50, 10, 40, 20, 30]);
  assert.deepEqual(started, [5, 1, 4, 2, 3]);
  assert.equal(highest, 2);
});

it("`inParallel()` starts no more after a failure, and waits for what is under way", async () => {
  const ended: number[] = [];
  await assert.rejects(
    inParallel([1, 2, 3, 4], async (item) => {
      if (item === 1) throw new Error("first");
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
      ended.push(item);
      if (item === 2) throw new Error("second");
    }, { most: 2 }),
    /first/,
  );
  assert.deepEqual(ended, [2]);
});

it("`inParallel()` has nothing to do without items", async () => {
  assert.deepEqual(await inParallel([], () => assert.fail(), { most: 3 }), []);
});
