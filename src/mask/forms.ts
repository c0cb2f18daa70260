import { Buffer } from "node:buffer";

/**
 * Base64 and hexadecimal forms below this many characters are too likely to turn up by chance: the
 * hexadecimal form of `ab` is `6162`, four digits that many a number contains.
 */
const MIN_ENCODED_LENGTH = 8;

/** Values that look the same in every URL encoding and in every kind of string literal. */
const PLAIN = /^[\w.-]*$/;

/** What each encoder escapes. All of them escape `%`, so `%20` can only ever be a space. */
const URL_ENCODERS: readonly RegExp[] = [
  /[^\w.!~*'()-]/g, // encodeURIComponent()
  /[^\w.~-]/g, // RFC 3986 to the letter
  /[^\w.*-]/g, // application/x-www-form-urlencoded, as URLSearchParams writes it
  /[^\w.!~*'():$,-]/g, // query parameters as axios writes them, and so ADC
  /[^\w.!~*'();,/?:@&=+$#-]/g, // encodeURI()
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
  addPrinterForms(forms, value, bytes);
  return forms;
}

/** Lists the forms in base64, base64url and hexadecimal. */
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

function addUrlForms(forms: Set<string>, bytes: Buffer): void {
  const raw = bytes.toString("latin1");
  for (const escaped of URL_ENCODERS) {
    const lower = raw.replace(escaped, (char) => `%${hexDigits(char, 2)}`);
    const upper = raw.replace(escaped, (char) => `%${hexDigits(char, 2).toUpperCase()}`);
    for (const form of [lower, upper]) {
      for (const variant of [form, form.replaceAll("%20", "+")]) {
        forms.add(variant).add(variant.replaceAll("%", "%25"));
      }
    }
  }
}

function addJsonForms(forms: Set<string>, value: string): void {
  const plain = JSON.stringify(value).slice(1, -1);
  const lowerCase = (char: string) => `\\u${hexDigits(char, 4)}`;
  const upperCase = (char: string) => `\\u${hexDigits(char, 4).toUpperCase()}`;
  /** Escapes more than it must; a pair that begins with a backslash is one already. */
  const more = (special: RegExp, escape: (char: string) => string): string =>
    plain.replace(special, (char) => char === '\\"' ? escape('"') : char[1] ? char : escape(char));
  for (
    const form of [
      plain,
      // Go's encoding/json, and so API7 Enterprise.
      more(/[<>&\u2028\u2029]/g, lowerCase),
      // PHP on request, and .NET.
      more(/\\.|[<>&']/g, upperCase),
      more(/\\.|[<>&'+`\x7f]/g, upperCase),
      more(/\\.|[<>&'+`\x7f]/g, lowerCase),
    ]
  ) {
    const nonAscii = /[\u0080-\uffff]/g;
    const lower = form.replace(nonAscii, lowerCase);
    const upper = form.replace(nonAscii, upperCase);
    for (const variant of [form, lower, upper]) {
      addText(forms, variant);
      // lua-cjson, and so APISIX, and PHP write a slash this way.
      const slashes = variant.replaceAll("/", "\\/");
      addText(forms, slashes);
      // JSON as a string in JSON.
      for (const inner of [variant, slashes]) addText(forms, JSON.stringify(inner).slice(1, -1));
    }
  }
}

/**
 * Strings as `util.inspect` quotes them, Node.js' and Deno's: ADC prints failed requests that way.
 */
function addLiteralForms(forms: Set<string>, value: string): void {
  const short: Record<string, string> = {
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\f": "\\f",
    "\r": "\\r",
    "\\": "\\\\",
  };
  for (const upper of [true, false]) {
    // deno-lint-ignore no-control-regex
    const literal = value.replace(/[\0-\x1f\x7f-\x9f\\]/g, (char) => {
      const digits = hexDigits(char, 2);
      return short[char] ?? `\\x${upper ? digits.toUpperCase() : digits}`;
    });
    addText(forms, literal);
    addText(forms, literal.replaceAll("'", "\\'"));
  }
}

const NAMED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** The short escapes of most languages. */
const SHORT: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\\": "\\\\",
};

/** As HTML, shells, Python, Perl, YAML, CSV and SQL write it. */
function addPrinterForms(forms: Set<string>, value: string, bytes: Buffer): void {
  addHtmlForms(forms, value);
  // CSV and SQL double their quotes; a shell ends its string for one.
  for (const quote of ['"', "'"]) addText(forms, value.replaceAll(quote, quote + quote));
  addText(forms, value.replaceAll("'", "'\\''"));
  addText(forms, value.replaceAll("'", `'"'"'`));
  // Within double quotes: `declare -p`, `export -p`, `set -x`.
  addText(forms, value.replace(/["$`\\]/g, "\\$&"));
  // `printf %q`: a blank or a special character, each; some only at the beginning.
  for (const special of [/[^\w@%+=:,./~#\u0080-\uffff-]/g, /[^\w@%+=:./~#\u0080-\uffff-]/g]) {
    const quoted = value.replace(special, "\\$&");
    addText(forms, quoted);
    if (/^[~#]/.test(value)) addText(forms, `\\${quoted}`);
  }
  const raw = bytes.toString("latin1");
  const octal = (char: string) => `\\${char.charCodeAt(0).toString(8).padStart(3, "0")}`;
  const byte = (char: string) => `\\x${hexDigits(char, 2)}`;
  // Bytes: Python's repr(), Bash's $'…' and git in octal, in a UTF-8 locale with its letters.
  for (const escape of [octal, byte]) {
    for (const odd of [/[^ -~]|\\/g, /[^ -~\x80-\xff]|\\/g]) {
      for (const [escapeKey, short] of [["\\e", SHORT], ["\\E", SHORT], ["", PYTHON]] as const) {
        const form = raw.replace(
          odd,
          (char) => char === "\x1b" && escapeKey !== "" ? escapeKey : short[char] ?? escape(char),
        );
        addQuoted(forms, form);
      }
    }
  }
  // Characters: YAML's and Perl's, Python's repr() and ascii().
  for (const upper of [true, false]) {
    const digits = (char: string, width: number) => {
      const text = char.codePointAt(0)!.toString(16).padStart(width, "0");
      return upper ? text.toUpperCase() : text;
    };
    const unicode = (char: string) => {
      const code = char.codePointAt(0)!;
      if (code < 0x100) return `\\x${digits(char, 2)}`;
      return code < 0x10000 ? `\\u${digits(char, 4)}` : `\\U${digits(char, 8)}`;
    };
    const yaml: Readonly<Record<string, string>> = {
      ...SHORT,
      "\0": "\\0",
      "\x1b": "\\e",
      "\x85": "\\N",
      "\xa0": "\\_",
      "\u2028": "\\L",
      "\u2029": "\\P",
    };
    const perl = (char: string) => `\\x{${digits(char, 1)}}`;
    for (const escape of [unicode, perl]) {
      for (const short of [yaml, PYTHON]) {
        const form = value.replace(
          /[^ -~]|\\/gu,
          (char) => short[char] ?? escape(char),
        );
        addQuoted(forms, Buffer.from(form).toString("latin1"));
      }
    }
  }
}

/** Python has fewer short escapes than C. */
const PYTHON: Readonly<Record<string, string>> = {
  "\t": "\\t",
  "\n": "\\n",
  "\r": "\\r",
  "\\": "\\\\",
};

/** With the quotes and signs escaped that the language's string needs. */
function addQuoted(forms: Set<string>, form: string): void {
  for (const quotes of [/'/g, /"/g, /["$@]/g]) {
    forms.add(form).add(form.replace(quotes, "\\$&"));
  }
}

function addHtmlForms(forms: Set<string>, value: string): void {
  const decimal = (char: string) => `&#${char.codePointAt(0)};`;
  const hex = (char: string) => `&#x${char.codePointAt(0)!.toString(16)};`;
  const upper = (char: string) => `&#x${char.codePointAt(0)!.toString(16).toUpperCase()};`;
  const padded = (char: string) => `&#0${char.codePointAt(0)};`;
  const named = (other: (char: string) => string) => (char: string) => NAMED[char] ?? other(char);
  const apostrophe = () => "&apos;";
  for (
    const special of [/[&<>"']/g, /[&<>]/g, /[&<>"]/g, /[&<>"'`=/]/g, /[&<>"'\u0080-\u{10ffff}]/gu]
  ) {
    for (const other of [decimal, hex, upper]) {
      addText(forms, value.replace(special, named(other)));
    }
  }
  for (const other of [apostrophe, padded]) {
    addText(forms, value.replace(/[&<>"']/g, named(other)));
  }
  for (const special of [/[&<>"']/g, /[&<>"'`=/]/g, /[^\w]/gu, /[^a-z0-9.,_-]/giu]) {
    for (const escape of [decimal, hex, upper]) addText(forms, value.replace(special, escape));
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
    for (
      const [plus, slash] of [["+", "/"], ["-", "_"], ["%2B", "%2F"], ["%2b", "%2f"], [
        "+",
        "\\/",
      ], ["\\u002B", "/"]] as const
    ) {
      forms.add(form.replaceAll("+", plus).replaceAll("/", slash));
    }
  }
}

function addText(forms: Set<string>, text: string): void {
  forms.add(Buffer.from(text, "utf8").toString("latin1"));
}

function hexDigits(char: string, width: number): string {
  return char.charCodeAt(0).toString(16).padStart(width, "0");
}
