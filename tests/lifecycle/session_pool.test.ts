import assert from "node:assert/strict";
import { test } from "node:test";
import { SessionPool } from "../../src/lifecycle/open_session.ts";
import { Secret } from "../../src/secret.ts";
import { failureOf, prepare, USERS } from "../support/lifecycle_fixture.ts";

const ANN = { username: "ann", password: new Secret(USERS.ann) };

test("`SessionPool` logs in once for all, and out when the last has closed the session", async () => {
  await using it = await prepare();
  const { sandbox, connection } = it;
  const pool = new SessionPool();
  const opened = [1, 2, 3].map(() => pool.open(connection, ANN));
  const sessions = await Promise.all(opened);
  const paths = () => sandbox.requests.map(({ path }) => path);
  assert.equal(paths().filter((path) => path === "/api/login").length, 1);
  for (const { api, user } of sessions) assert.equal((await api.me()).id, user.id);
  await sessions[0]!.close();
  await sessions[0]!.close();
  await sessions[1]!.close();
  assert.equal(sandbox.openSessions, 1, "one is still at work");
  await sessions[2]!.close();
  assert.equal(sandbox.openSessions, 0);
  const again = await pool.open(connection, ANN);
  assert.equal(paths().filter((path) => path === "/api/login").length, 2);
  await again.close();
});

test("`SessionPool` tries a login that failed no second time", async () => {
  await using it = await prepare();
  const pool = new SessionPool();
  const wrong = { username: "ann", password: new Secret("zqzq-wrong") };
  const failures = await Promise.all(
    [1, 2].map(() => failureOf(pool.open(it.connection, wrong))),
  );
  assert.equal(failures[0], failures[1]);
  assert.equal(it.sandbox.requests.filter(({ path }) => path === "/api/login").length, 1);
});
