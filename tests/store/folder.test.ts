import assert from "node:assert/strict";
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { test } from "node:test";
import { storeFolder } from "../../src/store/private_path.ts";

const [own, xdg, home, data] = ["own", "xdg", "home", "data"].map((name) => resolve("/", name));

test("`storeFolder()` asks one variable after the other", () => {
  const all = { ADC_RUN_CONFIG_DIR: own, XDG_CONFIG_HOME: xdg, APPDATA: data, HOME: home };
  assert.equal(storeFolder(all, "linux"), own);
  assert.equal(storeFolder({ ...all, ADC_RUN_CONFIG_DIR: "" }, "linux"), join(xdg!, "adc-run"));
  const without = { APPDATA: data, HOME: home };
  assert.equal(storeFolder(without, "linux"), join(home!, ".config", "adc-run"));
  assert.equal(storeFolder(without, "win32"), join(data!, "adc-run"));
  assert.equal(storeFolder({ HOME: home }, "win32"), join(home!, ".config", "adc-run"));
  assert.equal(storeFolder({}, "linux"), join(homedir(), ".config", "adc-run"));
});

test("`storeFolder()` passes over a relative XDG_CONFIG_HOME and HOME, and takes ADC_RUN_CONFIG_DIR at its word", () => {
  assert.equal(
    storeFolder({ XDG_CONFIG_HOME: "xdg", HOME: home }, "linux"),
    join(home!, ".config", "adc-run"),
  );
  assert.ok(isAbsolute(storeFolder({ HOME: "home" }, "linux")));
  assert.equal(storeFolder({ ADC_RUN_CONFIG_DIR: "own" }, "linux"), resolve("own"));
});
