/**
 * Faults of the disk: the token that was stored before must be there, alive, and work.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { standIn } from "../support/adc_run.ts";
import { LOG_IN, PASSWORD } from "../support/token_fixture.ts";
import type { FaultGroup, ProvenFault } from "./fault.ts";
import { around, reportOf } from "./scene.ts";
import type { Scene } from "./scene.ts";
import { diskSkip, mountSmallDisk } from "./small_disk.ts";
import type { SmallDisk } from "./small_disk.ts";

const skip = diskSkip();
const FULL_DEVICE = existsSync("/dev/full") ? false : "there is no /dev/full";
const PING = ["--adc", standIn("adc.mjs"), "ping"];
const LOGIN_TO_FILE = [...LOG_IN, "--storage=file"];

/** Runs a command while the disk takes nothing, and goes on when it does again. */
function disk(
  row: Pick<ProvenFault, "fault" | "bound">,
  words: readonly string[],
  breakIt: (disk: SmallDisk, scene: Scene) => void,
): ProvenFault {
  return {
    ...row,
    verdict: "StoreError",
    exit: 74,
    skip,
    prove: async (scene) => {
      const { sandbox } = scene;
      using disk = mountSmallDisk(scene.config);
      await scene.logIn("--storage=file");
      const { value } = scene.onlyToken();
      breakIt(disk, scene);
      const failed = await scene.run(["--json", ...words], { input: PASSWORD });
      assert.equal(failed.code, 74, failed.stderr);
      const { error } = reportOf(failed);
      assert.equal(error?.name, "StoreError");
      assert.match(error?.message ?? "", /ENOSPC|EROFS|no space|read-only/i);
      sandbox.hooks.onReply = undefined;
      assert.equal(await scene.storedInFile(), value, "the old token is stored");
      assert.equal(scene.onlyToken().value, value, "it is alive, and no other is");

      const meanwhile = await scene.run(PING);
      assert.equal(meanwhile.code, 0, meanwhile.stderr);
      assert.equal(sandbox.requests.at(-1)?.apiKey, value);

      disk.turn("writable");
      disk.empty();
      const again = await scene.run(words, { input: PASSWORD });
      assert.equal(again.code, 0, again.stderr);
      assert.equal(await scene.storedInFile(), scene.onlyToken().value);
      assert.notEqual(scene.onlyToken().value, value);
      await scene.assertSettled([scene.onlyToken().name]);
      await scene.assertDiscreet();
    },
  };
}

const FULL = { bound: "no second attempt at writing" };
const fill = (disk: SmallDisk): void => disk.fill();
const makeReadOnly = (disk: SmallDisk): void => disk.turn("read-only");

/** Fills the disk when the server has answered a request for the new token, which then cannot be stored. */
function fillAt(line: string): (disk: SmallDisk, scene: Scene) => void {
  return (disk, { sandbox }) => {
    sandbox.hooks.onReply = ({ method, path }) => {
      if (`${method} ${path}` === line) disk.fill();
    };
  };
}

const whenMade = fillAt("POST /api/tokens");
const whenChecked = fillAt("GET /api/gateway_groups");

/** Standard output leads to a device that takes nothing. */
function fullOutput(fault: string, words: readonly string[], message: RegExp): ProvenFault {
  return {
    fault,
    verdict: "—",
    exit: 74,
    bound: "2 s for the system to say so",
    skip: FULL_DEVICE,
    prove: async (scene) => {
      await scene.store();
      const ended = await scene.run(words, { home: around(scene.home, '"$@" >/dev/full') });
      assert.equal(ended.code, 74, ended.stderr);
      assert.match(ended.stderr, message);
    },
  };
}

/** Disks that take nothing. */
export const DISK_FAULTS: FaultGroup = {
  title: "The disk",
  file: "tests/faults/disk_faults.ts",
  faults: [
    disk({ fault: "disk full at login", ...FULL }, LOGIN_TO_FILE, fill),
    disk(
      { fault: "disk full once the new token is created, at login", ...FULL },
      LOGIN_TO_FILE,
      whenMade,
    ),
    disk(
      { fault: "disk full once the new token is checked, at login", ...FULL },
      LOGIN_TO_FILE,
      whenChecked,
    ),
    disk({ fault: "disk full at rotation", ...FULL }, ["auth", "rotate"], fill),
    disk(
      { fault: "disk full once the new token is checked, at rotation", ...FULL },
      ["auth", "rotate"],
      whenChecked,
    ),
    fullOutput(
      "disk full under ADC's output",
      ["--adc", standIn("report.mjs"), "ping"],
      /cannot pass the output on: no space left \(ENOSPC\)/,
    ),
    fullOutput(
      "disk full under adc-run's own output",
      ["auth", "token"],
      /cannot write the output: no space left \(ENOSPC\)/,
    ),
    {
      fault: "disk full under what adc-run says itself",
      verdict: "—",
      exit: 0,
      bound: "the child's end",
      skip: FULL_DEVICE,
      prove: async (scene) => {
        await scene.store();
        const home = around(scene.home, '"$@" 2>/dev/full');
        const ended = await scene.run(PING, { home });
        assert.equal(ended.code, 0, "ADC's end counts, as it always does");
        assert.equal(scene.sandbox.requests.at(-1)?.apiKey, scene.token);
      },
    },
    disk({ fault: "read-only folder at login", ...FULL }, LOGIN_TO_FILE, makeReadOnly),
    disk({ fault: "read-only folder at rotation", ...FULL }, ["auth", "rotate"], makeReadOnly),
  ],
};
