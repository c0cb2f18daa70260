import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCommand } from "../../src/token/sources/command_source.ts";

test("`splitCommand()` splits at spaces, minds quotes, and expands nothing", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "": [],
    " \t\n ": [],
    "op read token": ["op", "read", "token"],
    "  op   read\ttoken\n": ["op", "read", "token"],
    'op read "op://infra/my token"': ["op", "read", "op://infra/my token"],
    "op 'a b' c": ["op", "a b", "c"],
    "a'b c'd": ["ab cd"],
    "a\"b\"'c'd": ["abcd"],
    "''": [""],
    'op "" x': ["op", "", "x"],
    "'a\"b'": ['a"b'],
    '"a\'b"': ["a'b"],
    '"a\\"b"': ['a"b'],
    '"a\\\\b"': ["a\\b"],
    '"a\\nb"': ["a\\nb"],
    "'a\\b'": ["a\\b"],
    "a\\ b": ["a b"],
    "a\\\\b": ["a\\b"],
    "\\'a": ["'a"],
    "C:\\\\bin\\\\op.exe read": ["C:\\bin\\op.exe", "read"],
    "echo $HOME ${X} `id` $(id) *.pem ~ a;b|c&d >e <f #g": [
      "echo",
      "$HOME",
      "${X}",
      "`id`",
      "$(id)",
      "*.pem",
      "~",
      "a;b|c&d",
      ">e",
      "<f",
      "#g",
    ],
    "'a\nb'": ["a\nb"],
    "p\u00e4ss 'w\u00f6 rd'": ["p\u00e4ss", "w\u00f6 rd"],
  };
  for (const [text, words] of Object.entries(cases)) {
    assert.deepEqual(splitCommand(text, "linux"), words, text);
  }
});

test("`splitCommand()` takes a backslash on Windows for a part of a path, but before a quote", () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    "C:\\x\\get.cmd": ["C:\\x\\get.cmd"],
    "C:\\x\\get.cmd a\\b \\\\host\\share\\": ["C:\\x\\get.cmd", "a\\b", "\\\\host\\share\\"],
    '"C:\\Program Files\\op.exe" read "a \\"b\\" \\c"': [
      "C:\\Program Files\\op.exe",
      "read",
      'a "b" \\c',
    ],
    "'C:\\a b\\c'": ["C:\\a b\\c"],
    "it\\'s": ["it's"],
    '["C:\\\\x\\\\get.cmd"]': ["C:\\x\\get.cmd"],
  };
  for (const [text, words] of Object.entries(cases)) {
    assert.deepEqual(splitCommand(text, "win32"), words, text);
  }
  assert.throws(
    () => splitCommand('"C:\\dir\\" x', "win32"),
    /^SyntaxError: a quote \("\) is not closed$/,
  );
});

test("`splitCommand()` takes a JSON array for the words themselves", () => {
  assert.deepEqual(splitCommand('["op", "read", "a b", ""]'), ["op", "read", "a b", ""]);
  assert.deepEqual(splitCommand(' \n["op"]\n'), ["op"]);
  assert.deepEqual(splitCommand("[]"), []);
});

test("`splitCommand()` refuses what it cannot read, and shows nothing of it", () => {
  const cases = {
    "op 'zqzq": /^a quote \('\) is not closed$/,
    'op "zqzq': /^a quote \("\) is not closed$/,
    'op "zqzq\\"': /^a quote \("\) is not closed$/,
    "op zqzq\\": /^it ends in a backslash$/,
    '["zqzq"': /^it starts with \[ but is not JSON$/,
    "[zqzq]": /^it starts with \[ but is not JSON$/,
    '["zqzq", 1]': /^it is a JSON array, but not of strings$/,
    '[["zqzq"]]': /^it is a JSON array, but not of strings$/,
  };
  for (const [text, message] of Object.entries(cases)) {
    assert.throws(() => splitCommand(text, "linux"), { name: "SyntaxError", message }, text);
  }
});
