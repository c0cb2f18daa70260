import assert from "node:assert/strict";
import { test } from "node:test";
import { retrySharing } from "../../src/store/replace_file.ts";
import { type StoreError, storeError } from "../../src/store/store_error.ts";

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

test("`retrySharing()` waits on Windows for what another process has open", async () => {
  for (const code of ["EPERM", "EACCES", "EBUSY"]) {
    const { call, made } = failing(12, code);
    assert.equal(await retrySharing(call, { platform: "win32", timeout: 60_000 }), "done", code);
    assert.equal(made(), 13);
  }
  const busy = failing(12, "EBUSY");
  assert.equal(await retrySharing(busy.call, { platform: "win32", timeout: 0 }), "done");
});

test("`retrySharing()` gives up in the end, and elsewhere or for other reasons at once", async () => {
  const forever = failing(Infinity, "EPERM");
  await assert.rejects(retrySharing(forever.call, { platform: "win32", timeout: 20 }), {
    code: "EPERM",
  });
  assert.ok(forever.made() > 1);
  const elsewhere = failing(1, "EPERM");
  await assert.rejects(retrySharing(elsewhere.call, { platform: "linux" }), { code: "EPERM" });
  assert.equal(elsewhere.made(), 1);
  const other = failing(1, "ENOSPC");
  await assert.rejects(retrySharing(other.call, { platform: "win32" }), { code: "ENOSPC" });
  assert.equal(other.made(), 1);
});

test("`storeError()` says on Windows that the file may be open", () => {
  for (const code of ["EPERM", "EACCES", "EBUSY"]) {
    const cause = Object.assign(new Error(code), { code });
    const error = storeError("write", "journal.json", cause, "win32") as StoreError;
    assert.match(error.suggestion ?? "", /^Close the program that has it open/, code);
  }
});
