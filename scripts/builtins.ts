/**
 * The binary's second entry, which nothing runs: Bun compiles ahead what it finds imported of its own modules,
 * and parses what the command loads by `process.getBuiltinModule()` anew in each run, for 7 ms.
 *
 * @module
 */
import "node:child_process";
import "node:crypto";
import "node:http";
import "node:net";
import "node:stream";
import "node:tls";
import "node:zlib";
