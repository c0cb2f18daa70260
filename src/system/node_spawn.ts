import { spawn } from "node:child_process";
import type { Spawner } from "./spawn.ts";

/** Of a module by itself: Node.js takes longer to make an ES module of its own `child_process`. */
export const nodeSpawn: Spawner = (program, args, options) => spawn(program, [...args], options);
