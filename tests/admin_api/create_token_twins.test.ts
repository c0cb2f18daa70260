import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminApiError } from "../../src/admin_api/admin_api_error.ts";
import type { NewToken } from "../../src/admin_api/shapes.ts";
import { createOnce } from "../../src/admin_api/tokens.ts";
import { Secret } from "../../src/secret.ts";

const WANTED = { name: "fresh", expiresAt: undefined };
const OPTIONS = { quoted: "fresh", signal: undefined, patient: undefined, limit: 1_000 };

function tokenOf(id: string): NewToken {
  const token = new Secret(`a7ee-${id}`);
  return { id, name: "fresh", expiresAt: undefined, lastUsedAt: undefined, token };
}

/** A server that takes a name twice, and whose first answer is lost until the second one is there. */
function calls({ late, revoke = () => Promise.resolve() }: {
  readonly late: boolean;
  readonly revoke?: (id: string) => Promise<void>;
}) {
  const alive = new Set<string>();
  let posts = 0;
  return {
    alive,
    post: () => {
      posts++;
      if (posts === 1) {
        const details = { failure: "timeout", request: "POST", reason: "no answer came" } as const;
        return Promise.reject(new AdminApiError(details));
      }
      alive.add("second");
      if (late) alive.add("first");
      return Promise.resolve(tokenOf("second"));
    },
    list: () => Promise.resolve([...alive].map(tokenOf)),
    regenerate: () => Promise.reject(new Error("nothing is taken over")),
    revoke: async (id: string) => {
      await revoke(id);
      return alive.delete(id);
    },
  };
}

test("`createOnce()` revokes the token of a first request that came through after the second", async () => {
  const server = calls({ late: true });
  assert.equal((await createOnce(server, WANTED, OPTIONS)).id, "second");
  assert.deepEqual([...server.alive], ["second"]);
});

test("`createOnce()` gives the token though its twin cannot be revoked", async () => {
  const server = calls({ late: true, revoke: () => Promise.reject(new Error("it is down")) });
  assert.equal((await createOnce(server, WANTED, OPTIONS)).id, "second");
});

test("`createOnce()` keeps its own token where there is no twin", async () => {
  const server = calls({ late: false });
  assert.equal((await createOnce(server, WANTED, OPTIONS)).id, "second");
  assert.deepEqual([...server.alive], ["second"]);
});
