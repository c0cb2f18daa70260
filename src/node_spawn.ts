/**
 * Node's own way to start a program, in a module by itself: Node.js takes longer to make an ES module of its
 * `node:child_process`, as `import()` asks for, than to load it.
 *
 * @module
 */

import { spawn } from "node:child_process";
import type { Spawner } from "./spawn.ts";

/**
 * Starts a program with Node's own `spawn`.
 *
 * @param program The program.
 * @param args Its arguments, which no shell reads.
 * @param options Those of Node's `spawn`.
 * @returns The child.
 */
export const nodeSpawn: Spawner = (program, args, options) => spawn(program, [...args], options);
