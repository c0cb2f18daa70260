/**
 * Makes the picture at the top of the README from a session: `deno task picture`.
 *
 * It needs what the tests of the keychain and of the terminal need.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { sessionPicture } from "./session_picture.ts";

await writeFile(new URL("../../docs/session.svg", import.meta.url), await sessionPicture());
