/**
 * The local configuration, cut down to one service with one route.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import process from "node:process";
import { idOf } from "./backends.mjs";

/**
 * Reads the files that `-f` names, `adc.yaml` if none.
 *
 * JSON is read; of YAML only the text counts, and goes into the service's description, with
 * `${NAME}` filled in from the environment.
 *
 * @param files The paths.
 * @param log Where the steps go.
 * @returns The service and the route to write.
 */
export function loadConfiguration(files, log) {
  const paths = (files ?? ["adc.yaml"]).map((file) => resolve(file));
  return log.task("Load local configuration", async () => {
    const texts = [];
    for (const path of paths) {
      texts.push(await log.task(`Load ${path}`, () => readFile(path, "utf8")));
    }
    await log.task("Merge local configurations", () => {});
    return await log.task("Resolve value variables", () => {
      const isJson = extname(paths[0]).toLowerCase() === ".json";
      const content = isJson ? fillIn(JSON.parse(texts[0])) : fillIn(texts.join("\n"));
      return standFor(content, basename(paths[0]));
    });
  });
}

function standFor(content, file) {
  const described = content?.services?.[0] ??
    { name: file, desc: typeof content === "string" ? content.slice(0, 256) : "" };
  const { name, desc, plugins } = described;
  const route = described.routes?.[0] ?? { name: "any", uris: ["/*"] };
  return {
    service: {
      id: idOf(name),
      name,
      ...(desc === undefined || desc === "" ? {} : { desc }),
      ...(plugins === undefined ? {} : { plugins }),
      upstream: described.upstream ?? { nodes: [{ host: "127.0.0.1", port: 80, weight: 1 }] },
    },
    route: { id: idOf(`${name}.${route.name}`), name: route.name, uris: route.uris },
  };
}

/** `${NAME}` becomes the variable's value, or nothing; `\${NAME}` stays. */
function fillIn(value) {
  if (Array.isArray(value)) return value.map(fillIn);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillIn(item)]));
  }
  if (typeof value !== "string") return value;
  return value.replace(
    /(\\?)\$\{(\w+)\}/g,
    (_all, escape, name) => escape === "" ? process.env[name] ?? "" : `\${${name}}`,
  );
}
