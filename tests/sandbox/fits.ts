/**
 * Holds values and requests against shapes.
 *
 * @module
 */

import { isObject, type SandboxRequest } from "./exchange.ts";
import { type Call, callsWith, type Shape, TOKEN_PATHS } from "./shapes.ts";

/**
 * What of a value does not match a shape.
 *
 * @param value Any value of JSON.
 * @param shape The shape.
 * @param path Where the value is, for the messages. @default "value"
 * @returns One line for each misfit; values themselves are not quoted.
 */
export function misfits(value: unknown, shape: Shape, path = "value"): string[] {
  switch (shape.type) {
    case "string":
      if (typeof value !== "string") return [`${path} is no string`];
      if ([...value].length < (shape.min ?? 0)) return [`${path} is too short`];
      if ([...value].length > (shape.max ?? Infinity)) return [`${path} is too long`];
      if (shape.oneOf?.includes(value) === false) return [`${path} is none of ${shape.oneOf}`];
      return shape.pattern?.test(value) === false ? [`${path} is not like ${shape.pattern}`] : [];
    case "integer":
      if (!Number.isInteger(value)) return [`${path} is no integer`];
      return Number(value) < (shape.min ?? -Infinity) ? [`${path} is too small`] : [];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${path} is no boolean`];
    case "list":
      if (!Array.isArray(value)) return [`${path} is no list`];
      if (value.length < (shape.min ?? 0)) return [`${path} has too few entries`];
      if (value.length > (shape.max ?? Infinity)) return [`${path} has too many entries`];
      return value.flatMap((each, index) => misfits(each, shape.of, `${path}[${index}]`));
    case "map":
      if (!isObject(value)) return [`${path} is no object`];
      return Object.entries(value).flatMap(([name, each]) =>
        misfits(each, shape.of, `${path}.${name}`)
      );
    case "object":
      return isObject(value) ? fieldMisfits(value, shape.fields, path) : [`${path} is no object`];
  }
}

/**
 * What of a request is not as the API documents it. Requests to paths without a shape are ignored.
 *
 * @param request A request that reached the sandbox.
 * @returns One line for each misfit.
 */
export function requestMisfits(request: SandboxRequest): string[] {
  const { method, path, query, text, body } = request;
  const call = callOf(request);
  if (call === undefined) return [];
  const line = `${method} ${path}`;
  const names = (call.query ?? []).map((name) => name.replace("!", ""));
  const found = Object.keys(query).filter((name) => !names.includes(name))
    .map((name) => `${line}: there is no "${name}" in its query`);
  for (const name of call.query ?? []) {
    if (name.endsWith("!") && query[name.slice(0, -1)] === undefined) {
      found.push(`${line}: its query needs "${name.slice(0, -1)}"`);
    }
  }
  for (const name of ["page", "page_size"]) {
    if (query[name] !== undefined && !/^[1-9]\d*$/.test(query[name])) {
      found.push(`${line}: "${name}" is no number of at least 1`);
    }
  }
  if (call.body !== undefined) found.push(...misfits(body, call.body, line));
  else if (text !== "" && text !== "{}") found.push(`${line}: it takes no body`);
  return found;
}

function callOf(request: SandboxRequest): Call | undefined {
  const { method, path } = request;
  const tokenPath = TOKEN_PATHS.find((each) => path.startsWith(each)) ?? TOKEN_PATHS[0];
  for (const [line, call] of callsWith(tokenPath)) {
    const pattern = new RegExp(`^${line.replaceAll(":id", "[^/]+")}$`);
    if (pattern.test(`${method} ${path}`)) return call;
  }
  return undefined;
}

function fieldMisfits(
  value: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, Shape>>,
  path: string,
): string[] {
  const found: string[] = [];
  const known = new Set<string>();
  for (const [field, shape] of Object.entries(fields)) {
    const name = field.replace(/\?$/, "");
    known.add(name);
    if (Object.hasOwn(value, name)) found.push(...misfits(value[name], shape, `${path}.${name}`));
    else if (!field.endsWith("?")) found.push(`${path}.${name} is missing`);
  }
  for (const name of Object.keys(value)) {
    if (!known.has(name)) found.push(`${path}.${name} is not expected`);
  }
  return found;
}
