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

/**
 * Lists every form of a secret that the mask looks for: as is, URL-encoded, escaped as in JSON and
 * JavaScript strings, in base64, base64url and hexadecimal.
 */
export function secretForms(value: string): Set<string> {
  const forms = new Set<string>();
  if (value === "") return forms;
  const bytes = Buffer.from(value, "utf8");
  if (PLAIN.test(value)) {
    forms.add(value);
  } else {
    addText(forms, value);
    addUrlForms(forms, bytes);
    addJsonForms(forms, value);
    addLiteralForms(forms, value);
  }
  addBase64Forms(forms, value, bytes.length);
  if (bytes.length * 2 >= MIN_ENCODED_LENGTH) {
    const hex = bytes.toString("hex");
    forms.add(hex).add(hex.toUpperCase());
  }
  return forms;
}

function addUrlForms(forms: Set<string>, bytes: Buffer): void {
  const raw = bytes.toString("latin1");
  for (const escaped of URL_ENCODERS) {
    const lower = raw.replace(escaped, (char) => `%${hexDigits(char, 2)}`);
    const upper = raw.replace(escaped, (char) => `%${hexDigits(char, 2).toUpperCase()}`);
    for (const form of [lower, upper]) {
      forms.add(form).add(form.replaceAll("%20", "+"));
    }
  }
}

function addJsonForms(forms: Set<string>, value: string): void {
  const plain = JSON.stringify(value).slice(1, -1);
  // Go's encoding/json, and so API7 Enterprise, escapes these as well.
  const html = plain.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${hexDigits(char, 4)}`);
  for (const form of [plain, html]) {
    const nonAscii = /[\u0080-\uffff]/g;
    const lower = form.replace(nonAscii, (char) => `\\u${hexDigits(char, 4)}`);
    const upper = form.replace(nonAscii, (char) => `\\u${hexDigits(char, 4).toUpperCase()}`);
    for (const variant of [form, lower, upper]) {
      addText(forms, variant);
      // lua-cjson, and so APISIX, and PHP write a slash this way.
      addText(forms, variant.replaceAll("/", "\\/"));
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
    const literal = value.replace(/[\p{Cc}\\]/gu, (char) => {
      const digits = hexDigits(char, 2);
      return short[char] ?? `\\x${upper ? digits.toUpperCase() : digits}`;
    });
    addText(forms, literal);
    addText(forms, literal.replaceAll("'", "\\'"));
  }
}

/**
 * Base64 writes three bytes as four characters, so a secret inside a longer text takes one of three
 * shapes. Its outermost characters may hold bits of the neighbours; only those between are certain.
 */
function addBase64Forms(forms: Set<string>, value: string, size: number): void {
  for (let offset = 0; offset < 3; offset++) {
    const first = Math.ceil(offset * 8 / 6);
    const end = Math.floor((offset + size) * 8 / 6);
    if (end - first < MIN_ENCODED_LENGTH) continue;
    const form = Buffer.from("\0".repeat(offset) + value).toString("base64").slice(first, end);
    forms.add(form).add(form.replaceAll("+", "-").replaceAll("/", "_"));
  }
}

function addText(forms: Set<string>, text: string): void {
  forms.add(Buffer.from(text, "utf8").toString("latin1"));
}

function hexDigits(char: string, width: number): string {
  return char.charCodeAt(0).toString(16).padStart(width, "0");
}
