/**
 * Draws a terminal's window as an SVG.
 *
 * @module
 */

import type { Row, Run } from "./screen.ts";

/** What the picture is of. */
export interface Drawing {
  /** How many columns the terminal has. */
  readonly columns: number;
  /** What stands in the window's bar. */
  readonly title: string;
  /** What the picture shows, for those who cannot see it. */
  readonly description: string;
}

const FONT_SIZE = 14;
/** The usual width of a monospace font's characters; `textLength` makes any other font keep to it. */
const CHARACTER = FONT_SIZE * 0.6;
const LINE = 20;
const PADDING = 18;
const BAR = 36;

/** Light first, for readers that know no dark; each color has a contrast of at least 4.5 to 1. */
const STYLE = `
  text { font: ${FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #1f2328; white-space: pre; }
  .window { fill: #ffffff; stroke: #d1d9e0; }
  .line { stroke: #d1d9e0; }
  .button { fill: #d1d9e0; }
  .title { font-size: 12px; fill: #59636e; text-anchor: middle; }
  .bold { font-weight: bold; }
  .underlined { text-decoration: underline; }
  .red { fill: #c21c28; }
  .green { fill: #1a7f37; }
  .yellow { fill: #8a5d00; }
  .blue { fill: #0969da; }
  .magenta { fill: #8250df; }
  .cyan { fill: #1b7c83; }
  .grey { fill: #59636e; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .window { fill: #0d1117; stroke: #3d444d; }
    .line { stroke: #3d444d; }
    .button { fill: #3d444d; }
    .red { fill: #ff7b72; }
    .green { fill: #3fb950; }
    .yellow { fill: #d29922; }
    .blue { fill: #58a6ff; }
    .magenta { fill: #bc8cff; }
    .cyan { fill: #39c5cf; }
    .title, .grey { fill: #9198a1; }
  }
`;

/**
 * Draws a screen.
 *
 * @param rows What is on it.
 * @param drawing Its size and its words.
 * @returns The SVG's text.
 */
export function drawTerminal(rows: readonly Row[], drawing: Drawing): string {
  const width = Math.ceil(drawing.columns * CHARACTER) + 2 * PADDING;
  const height = BAR + rows.length * LINE + 2 * PADDING;
  const lines = rows.flatMap((row, index) => {
    const y = BAR + PADDING + index * LINE + FONT_SIZE;
    return row.map((run) => `  ${drawRun(run, y)}`);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">${escape(drawing.title)}</title>`,
    `  <desc id="description">${escape(drawing.description)}</desc>`,
    `  <style>${STYLE}  </style>`,
    `  <rect class="window" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10"/>`,
    `  <line class="line" x1="1" x2="${width - 1}" y1="${BAR}" y2="${BAR}"/>`,
    ...[0, 1, 2].map((index) =>
      `  <circle class="button" cx="${PADDING + 4 + index * 20}" cy="${BAR / 2}" r="6"/>`
    ),
    `  <text class="title" x="${width / 2}" y="${BAR / 2 + 4}">${escape(drawing.title)}</text>`,
    ...lines,
    `</svg>\n`,
  ].join("\n");
}

function drawRun({ column, text, color, bold, underlined }: Run, y: number): string {
  const x = number(PADDING + column * CHARACTER);
  const length = number([...text].length * CHARACTER);
  const classes = [color, bold && "bold", underlined && "underlined"].filter(Boolean).join(" ");
  const looks = classes === "" ? "" : ` class="${classes}"`;
  return `<text xml:space="preserve" x="${x}" y="${y}" textLength="${length}"${looks}>${
    escape(text)
  }</text>`;
}

function number(value: number): string {
  return String(Number(value.toFixed(1)));
}

function escape(text: string): string {
  const names: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return text.replaceAll(/[&<>]/g, (character) => names[character]!);
}
