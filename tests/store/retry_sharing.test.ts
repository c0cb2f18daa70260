import assert from "node:assert/strict";
import { test } from "node:test";
import { retrySharing } from "../../src/store/replace_file.ts";

function failing(times: number, code: string): { call: () => Promise<string>; made: () => number } {
  let made = 0;
  return {
    call: () =>
      ++made > times
        ? Promise.resolve("done")
        : Promise.reject(Object.assign(new Error(code), { code })),
    made: () => made,
  };
}

test("`retrySharing()` tries again on Windows what another process has open", async () => {
  for (const code of ["EPERM", "EACCES", "EBUSY"]) {
    const { call, made } = failing(3, code);
    assert.equal(await retrySharing(call, "win32"), "done");
    assert.equal(made(), 4);
  }
});

test("`retrySharing()` gives up in the end, and elsewhere or for other reasons at once", async () => {
  const forever = failing(Infinity, "EPERM");
  await assert.rejects(retrySharing(forever.call, "win32"), { code: "EPERM" });
  assert.equal(forever.made(), 8);
  const elsewhere = failing(1, "EPERM");
  await assert.rejects(retrySharing(elsewhere.call, "linux"), { code: "EPERM" });
  assert.equal(elsewhere.made(), 1);
  const other = failing(1, "ENOSPC");
  await assert.rejects(retrySharing(other.call, "win32"), { code: "ENOSPC" });
  assert.equal(other.made(), 1);
});
