import type { Environment } from "../../context.ts";
import type { Io } from "../io.ts";

type Place = Pick<Io, "env" | "terminals" | "stdout" | "stderr">;
type To = "stdout" | "stderr";

/** Less is no terminal that anybody reads; a pipe has no width. */
const MIN_WIDTH = 20;

export function widthOf(io: Place, to: To): number {
  if (!io.terminals[to]) return Infinity;
  const { columns } = io[to] as { readonly columns?: number };
  return Math.max(columns || 80, MIN_WIDTH);
}

/** `NO_COLOR`, then `FORCE_COLOR`, then whether a terminal shows them. */
export function isColorful(env: Environment, terminal: boolean): boolean {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR !== undefined) return env.FORCE_COLOR !== "0";
  return terminal && env.TERM !== "dumb";
}

export function hasSymbols({ env, terminals }: Pick<Io, "env" | "terminals">, to: To): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  return terminals[to] && env.TERM !== "dumb" && (!locale || /utf-?8/i.test(locale));
}

// deno-lint-ignore no-control-regex
const COLORS = /\x1b\[\d+m/g;

/** What takes two columns: ideographs, Hangul, full-width forms, most emoji. V8 looks up a literal's at start. */
const WIDE =
  "[\\p{Script=Han}\\p{Script=Hangul}\\p{Script=Hiragana}\\p{Script=Katakana}\\u3000-\\u303f\\uff01-\\uff60]|\\p{Emoji_Presentation}";

export function columnsOf(text: string): number {
  const plain = text.replace(COLORS, "");
  if (/^[\x20-\x7e]*$/.test(plain)) return plain.length;
  let columns = 0;
  const [wide, combining] = [new RegExp(WIDE, "u"), new RegExp("\\p{Mn}", "u")];
  for (const each of plain) columns += wide.test(each) ? 2 : combining.test(each) ? 0 : 1;
  return columns;
}

/**
 * What a line that goes on stands under: what follows a label, else an indent that no row of ours has, for a
 * value must not look like one.
 */
const LABEL = /^\s*\S+(?: \S+){0,4} {2,}(?=\S)/;

export function wrap(text: string, width: number, indent = 4): string {
  if (width === Infinity) return text;
  return text.split("\n").map((each) => wrapLine(each, width, indent)).join("\n");
}

function wrapLine(text: string, width: number, indent = 4): string {
  if (columnsOf(text) <= width) return text;
  const [label = ""] = LABEL.exec(text.replace(COLORS, "")) ?? [];
  const [margin = ""] = /^ */.exec(text) ?? [];
  const hang = " ".repeat(
    label !== "" && label.length <= width / 2 ? label.length : margin.length + indent,
  );
  const lines: string[] = [];
  let line = margin;
  let empty = true;
  for (const [, gap = "", word = ""] of text.slice(margin.length).matchAll(/( *)(\S+)/g)) {
    if (!empty && columnsOf(line + gap + word) > width) {
      lines.push(line);
      line = hang + word;
    } else line += gap + word;
    empty = false;
  }
  return [...lines, line].join("\n");
}

/**
 * Columns that stand under each other. Where they do not fit, the last one goes below its row; and where that
 * is not enough, the cells of a row follow each other on as many lines as they need.
 */
export function columns(
  rows: readonly (readonly string[])[],
  { indent = "", width = Infinity }: { readonly indent?: string; readonly width?: number } = {},
): string {
  const whole = aligned(rows, indent);
  if (whole.every((each) => columnsOf(each) <= width)) return whole.join("\n");
  const below = `${indent}    `;
  const last = Math.max(...rows.map((row) => row.length)) - 1;
  const upper = aligned(rows.map((row) => row.slice(0, last)), indent);
  if (last > 1 && upper.every((each) => columnsOf(each) <= width)) {
    return rows.map(({ [last]: cell = "" }, index) =>
      cell.trim() === "" ? upper[index] : `${upper[index]}\n${wrapLine(`${below}${cell}`, width)}`
    ).join("\n");
  }
  return rows.map((row) => {
    const out: string[] = [];
    let line = "";
    for (const cell of row.filter((each) => each.trim() !== "")) {
      if (line !== "" && columnsOf(`${line}  ${cell}`) > width) {
        out.push(line);
        line = `${below}${cell}`;
      } else line = line === "" ? indent + cell : `${line}  ${cell}`;
    }
    return [...out, line].map((each) => wrapLine(each, width)).join("\n");
  }).join("\n");
}

function aligned(rows: readonly (readonly string[])[], indent: string): readonly string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: count },
    (_, column) => Math.max(...rows.map((row) => columnsOf(row[column] ?? ""))),
  );
  const used = widths.flatMap((each, column) => each > 0 ? [column] : []);
  const pad = (text: string, to: number) => text + " ".repeat(Math.max(0, to - columnsOf(text)));
  return rows.map((row) =>
    indent + used.map((column) => pad(row[column] ?? "", widths[column]!)).join("  ").trimEnd()
  );
}
