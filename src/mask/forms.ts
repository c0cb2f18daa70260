import { Buffer } from "node:buffer";

/**
 * Base64 and hexadecimal forms below this many characters are too likely to turn up by chance: the
 * hexadecimal form of `ab` is `6162`, four digits that many a number contains.
 */
const MIN_ENCODED_LENGTH = 8;

/** Values that look the same in every URL encoding and in every kind of string literal. */
const PLAIN = /^[\w.-]*$/;

/** What each encoder escapes: all but a URL's own parts `%`, too. */
const URL_ENCODERS: readonly RegExp[] = [
  /[^\w.!~*'()-]/g, // encodeURIComponent()
  /[^\w.~-]/g, // RFC 3986 to the letter
  /[^\w.*-]/g, // application/x-www-form-urlencoded, as URLSearchParams writes it
  /[^\w.!~*'():$,-]/g, // query parameters as axios writes them, and so ADC
  /[^\w.!~*'();,/?:@&=+$#-]/g, // encodeURI()
  /[^\w.~/-]/g, // Python's quote()
  /[^\w.!~*'()$&+,%-]/g, // a URL's user and password, as `new URL()` writes them
  /[^\w.!~*'();,/:@&=+$%[\]|^-]/g, // its path
  /[^\w.!~*'();,/:@&=+$%[\]|-]/g, // its path, as newer runtimes write it
  /[^\w.!~*();,/?:@&=+$%[\]|^`{}\\-]/g, // its query
  /[^\w.!~*'();,/?:@&=+$%[\]|^{}#\\-]/g, // its fragment
  /[^\w.~$&+=:@-]/g, // Go's url.PathEscape()
  /[^\w.~$&+,;=-]/g, // Go's user and password in a URL
];

/** So many first characters of a secret are masked by themselves: a message may cut it short. */
export const MIN_CUT_LENGTH = 16;

/**
 * Lists every form of a secret that is text, as bytes: as it is, URL-encoded (twice, too), and
 * escaped as the printers of many languages do.
 */
export function textForms(value: string): Set<string> {
  const forms = new Set<string>();
  if (value === "") return forms;
  if (PLAIN.test(value)) return forms.add(value);
  const bytes = Buffer.from(value, "utf8");
  addText(forms, value);
  addUrlForms(forms, bytes);
  addJsonForms(forms, value);
  addLiteralForms(forms, value);
  addHtmlForms(forms, value);
  addPrinterForms(forms, value, bytes);
  return forms;
}

export function encodedForms(value: string): Set<string> {
  const forms = new Set<string>();
  const bytes = Buffer.from(value, "utf8");
  addBase64Forms(forms, bytes);
  const hex = bytes.toString("hex");
  if (hex.length >= MIN_ENCODED_LENGTH) forms.add(hex).add(hex.toUpperCase());
  return forms;
}

/**
 * Tells for each form from which length on its beginning gives the secret away. What many secrets
 * have in common does not count: the header of a JSON Web Token.
 */
export function withCuts(
  value: string,
  formsOf: (value: string) => ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const [header = ""] = /^eyJ[\w-]*\./.exec(value) ?? [];
  const head = value.slice(0, header.length + MIN_CUT_LENGTH).replace(/[\ud800-\udbff]$/, "");
  const beginnings = head.length === value.length ? [] : [...formsOf(head)];
  return new Map([...formsOf(value)].map((form) => {
    const lengths = beginnings.filter((each) => form.startsWith(each)).map((each) => each.length);
    return [form, lengths.length > 0 ? Math.max(...lengths) : form.length];
  }));
}

/** The same text in UTF-16, in both byte orders. */
export function utf16Forms(
  patterns: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  const wide = new Map<string, number>();
  for (const [form, cut] of patterns) {
    const text = decoded(form);
    const bytes = Buffer.from(text, "utf16le");
    const length = decoded(form.slice(0, cut)).length * 2;
    for (const each of [bytes, Buffer.from(bytes).swap16()]) {
      wide.set(each.toString("latin1"), length);
    }
  }
  return wide;
}

function decoded(form: string): string {
  return Buffer.from(form, "latin1").toString();
}

/** What is a backslash and a letter, from pairs of a character and its letter. */
function shortEscapes(pairs: string): Readonly<Record<string, string>> {
  const escapes: Record<string, string> = {};
  for (let i = 0; i < pairs.length; i += 2) escapes[pairs[i]!] = `\\${pairs[i + 1]}`;
  return escapes;
}

/** Those of most languages; Python and `util.inspect` have fewer, YAML more. */
const SHORT = shortEscapes("\x07a\bb\tt\nn\vv\ff\rr\\\\");
const PYTHON = shortEscapes("\tt\nn\rr\\\\");
const INSPECT = shortEscapes("\bb\tt\nn\ff\rr\\\\");
const YAML = { ...SHORT, ...shortEscapes("\x000\x1be\x85N\xa0_\u2028L\u2029P") };

type Escape = (char: string) => string;

/** A character's code in hexadecimal digits, in both cases. */
const HEX: readonly ((char: string, width?: number) => string)[] = [
  (char, width = 0) => char.codePointAt(0)!.toString(16).padStart(width, "0"),
  (char, width = 0) => char.codePointAt(0)!.toString(16).toUpperCase().padStart(width, "0"),
];

function addUrlForms(forms: Set<string>, bytes: Buffer): void {
  const raw = bytes.toString("latin1");
  for (const escaped of URL_ENCODERS) {
    for (const hex of HEX) {
      const form = raw.replace(escaped, (char) => `%${hex(char, 2)}`);
      for (const variant of [form, form.replaceAll("%20", "+")]) {
        forms.add(variant).add(variant.replaceAll("%", "%25"));
      }
    }
  }
}

function addJsonForms(forms: Set<string>, value: string): void {
  const plain = JSON.stringify(value).slice(1, -1);
  const [lowerCase, upperCase] = HEX.map((hex): Escape => (char) => `\\u${hex(char, 4)}`);
  /** Escapes more than it must; a pair that begins with a backslash is one already. */
  const more = (special: RegExp, escape: Escape): string =>
    plain.replace(special, (char) => char === '\\"' ? escape('"') : char[1] ? char : escape(char));
  for (
    const form of [
      plain,
      // Go's encoding/json, and so API7 Enterprise.
      more(/[<>&\u2028\u2029]/g, lowerCase!),
      // PHP on request, and .NET.
      more(/\\.|[<>&']/g, upperCase!),
      more(/\\.|[<>&'+`\x7f]/g, upperCase!),
      more(/\\.|[<>&'+`\x7f]/g, lowerCase!),
    ]
  ) {
    const nonAscii = /[\u0080-\uffff]/g;
    const escaped = [lowerCase!, upperCase!].map((escape) => form.replace(nonAscii, escape));
    for (const variant of [form, ...escaped]) {
      // lua-cjson, and so APISIX, and PHP write a slash with a backslash.
      for (const each of [variant, variant.replaceAll("/", "\\/")]) {
        addText(forms, each);
        // JSON as a string in JSON.
        addText(forms, JSON.stringify(each).slice(1, -1));
      }
    }
  }
}

/**
 * Strings as `util.inspect` quotes them, Node.js' and Deno's: ADC prints failed requests that way.
 */
function addLiteralForms(forms: Set<string>, value: string): void {
  for (const hex of HEX) {
    const escape: Escape = (char) => INSPECT[char] ?? `\\x${hex(char, 2)}`;
    // deno-lint-ignore no-control-regex
    const literal = value.replace(/[\0-\x1f\x7f-\x9f\\]/g, escape);
    addText(forms, literal);
    addText(forms, literal.replaceAll("'", "\\'"));
  }
}

/** What is quoted where, and how. */
const QUOTED: readonly (readonly [special: RegExp, by: string])[] = [
  // CSV and SQL double their quotes; a shell ends its string for one.
  [/"/g, '""'],
  [/'/g, "''"],
  [/'/g, "'\\''"],
  [/'/g, `'"'"'`],
  // Within double quotes: `declare -p`, `export -p`, `set -x`.
  [/["$`\\]/g, "\\$&"],
  // `printf %q`: a blank or a special character, each; some only at the beginning.
  [/^[~#]|[^\w@%+=:,./~#\u0080-\uffff-]/g, "\\$&"],
  [/^[~#]|[^\w@%+=:./~#\u0080-\uffff-]/g, "\\$&"],
  [/[^\w@%+=:,./~#\u0080-\uffff-]/g, "\\$&"],
  [/[^\w@%+=:./~#\u0080-\uffff-]/g, "\\$&"],
];

/** As shells, Python, Perl, YAML, CSV and SQL write it. */
function addPrinterForms(forms: Set<string>, value: string, bytes: Buffer): void {
  for (const [special, by] of QUOTED) addText(forms, value.replace(special, by));
  const raw = bytes.toString("latin1");
  const octal: Escape = (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const byte: Escape = (char) => `\\x${HEX[0]!(char, 2)}`;
  // Bytes: Python's repr(), Bash's $'…' and git in octal, in a UTF-8 locale with its letters.
  for (const escape of [octal, byte]) {
    for (const odd of [/[^ -~]|\\/g, /[^ -~\x80-\xff]|\\/g]) {
      for (const short of [{ ...SHORT, "\x1b": "\\e" }, { ...SHORT, "\x1b": "\\E" }, PYTHON]) {
        addQuoted(forms, raw.replace(odd, (char) => short[char] ?? escape(char)));
      }
    }
  }
  // Characters: YAML's and Perl's, Python's repr() and ascii().
  for (const hex of HEX) {
    const unicode: Escape = (char) => {
      const code = char.codePointAt(0)!;
      if (code < 0x100) return `\\x${hex(char, 2)}`;
      return code < 0x10000 ? `\\u${hex(char, 4)}` : `\\U${hex(char, 8)}`;
    };
    for (const escape of [unicode, (char: string) => `\\x{${hex(char)}}`]) {
      for (const short of [YAML, PYTHON]) {
        const form = value.replace(/[^ -~]|\\/gu, (char) => short[char] ?? escape(char));
        addQuoted(forms, Buffer.from(form).toString("latin1"));
      }
    }
  }
}

/** With the quotes and signs escaped that the language's string needs. */
function addQuoted(forms: Set<string>, form: string): void {
  for (const quotes of [/'/g, /"/g, /["$@]/g]) {
    forms.add(form).add(form.replace(quotes, "\\$&"));
  }
}

function addHtmlForms(forms: Set<string>, value: string): void {
  const names: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  const add = (special: RegExp, escape: Escape) => addText(forms, value.replace(special, escape));
  const addNamed = (special: RegExp, escape: Escape) =>
    add(special, (char) => names[char] ?? escape(char));
  addNamed(/[&<>"']/g, () => "&apos;");
  addNamed(/[&<>"']/g, (char) => `&#0${char.codePointAt(0)};`);
  const decimal: Escape = (char) => `&#${char.codePointAt(0)};`;
  for (const escape of [decimal, ...HEX.map((hex): Escape => (char) => `&#x${hex(char)};`)]) {
    for (
      const special of [/[&<>]/g, /[&<>"]/g, /[&<>"']/g, /[&<>"'`=/]/g, /[&<>"']|[^\0-\x7f]/gu]
    ) {
      addNamed(special, escape);
    }
    for (const special of [/[&<>"']/g, /[&<>"'`=/]/g, /[^\w]/gu, /[^a-z0-9.,_-]/giu]) {
      add(special, escape);
    }
  }
}

/**
 * Base64 writes three bytes as four characters, so a secret inside a longer text takes one of three
 * shapes. Its outermost characters may hold bits of the neighbours; only those between are certain.
 */
function addBase64Forms(forms: Set<string>, bytes: Buffer): void {
  for (let offset = 0; offset < 3; offset++) {
    const first = Math.ceil(offset * 8 / 6);
    const end = Math.floor((offset + bytes.length) * 8 / 6);
    if (end - first < MIN_ENCODED_LENGTH) continue;
    const form = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64").slice(first, end);
    // In a URL, and in JSON by PHP and .NET.
    for (const signs of ["+ /", "- _", "%2B %2F", "%2b %2f", "+ \\/", "\\u002B /"]) {
      const [plus, slash] = signs.split(" ");
      forms.add(form.replaceAll("+", plus!).replaceAll("/", slash!));
    }
  }
}

function addText(forms: Set<string>, text: string): void {
  forms.add(Buffer.from(text, "utf8").toString("latin1"));
}
