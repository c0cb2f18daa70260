/**
 * The results as a picture: `deno run -A scripts/bench/plot.ts RESULTS.json > docs/bench.svg`.
 *
 * RESULTS.json is what `deno task bench --json RESULTS.json` writes.
 *
 * @module
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import type { Results } from "./results.ts";
import type { Summary } from "./rounds.ts";

/** A bar: the median, with a line from quartile to quartile. */
interface Bar {
  readonly label: string;
  readonly value: Summary;
  readonly own: boolean;
}

/** Bars that share a scale. */
interface Panel {
  readonly title: string;
  readonly bars: readonly Bar[];
  readonly digits: number;
}

const WIDTH = 900;
const LABELS = 375;
const LINE = 26;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; }
  .note { fill: #59636e; font-size: 12px; }
  .own { fill: #1a7f37; }
  .peer { fill: #8c959f; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .note { fill: #9198a1; }
    .own { fill: #3fb950; }
    .peer { fill: #656c76; }
    .spread { stroke: #f0f6fc; }
  }
`;

/**
 * Draws the results.
 *
 * @param results What the bench found.
 * @returns The SVG.
 */
export function drawResults(results: Results): string {
  const { machine, child, overhead, throughput } = results;
  const isOwn = (name: string) => name.startsWith("adc-run");
  const panels: readonly Panel[] = [
    {
      title: `milliseconds around "${child.join(" ")}", less is better`,
      bars: overhead.map(({ name, time }) => ({ label: name, value: time, own: isOwn(name) })),
      digits: 0,
    },
    {
      title: "megabytes a second through the mask, more is better",
      bars: throughput.map(({ name, secrets, rate }) => ({
        label: secrets === undefined
          ? name
          : `${name}, ${secrets} secret${secrets === 1 ? "" : "s"}`,
        value: rate,
        own: isOwn(name),
      })),
      digits: 0,
    },
  ];
  const parts: string[] = [];
  let y = 24;
  for (const panel of panels) {
    parts.push(drawPanel(panel, y));
    y += (panel.bars.length + 1) * LINE + 24;
  }
  const note = `Median and quartiles. ${machine.processor}, ${machine.cores} cores, load ${
    machine.load.toFixed(1)
  }.`;
  parts.push(`<text class="note" x="12" y="${y}">${escape(note)}</text>`);
  const height = y + 16;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">
<title>What adc-run costs beside its peers</title>
<style>${STYLE}</style>
${parts.join("\n")}
</svg>
`;
}

function drawPanel({ title, bars, digits }: Panel, top: number): string {
  const most = Math.max(...bars.map(({ value }) => value.upper));
  const scale = (value: number) => (value / most) * (WIDTH - LABELS - 90);
  const lines = bars.map(({ label, value, own }, index) => {
    const y = top + (index + 1) * LINE;
    const [length, lower, upper] = [value.median, value.lower, value.upper].map(scale) as [
      number,
      number,
      number,
    ];
    return [
      `<text x="${LABELS - 10}" y="${y}" text-anchor="end">${escape(label)}</text>`,
      `<rect class="${own ? "own" : "peer"}" x="${LABELS}" y="${y - 12}" width="${
        length.toFixed(1)
      }" height="15" rx="2"/>`,
      `<line class="spread" x1="${(LABELS + lower).toFixed(1)}" x2="${
        (LABELS + upper).toFixed(1)
      }" y1="${y - 4.5}" y2="${y - 4.5}"/>`,
      `<text x="${(LABELS + upper + 8).toFixed(1)}" y="${y}">${
        value.median.toFixed(digits)
      }</text>`,
    ].join("\n");
  });
  return [`<text class="title" x="12" y="${top}">${escape(title)}</text>`, ...lines].join("\n");
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

const [file] = process.argv.slice(2);
if (file !== undefined) {
  const results: Results = JSON.parse(await readFile(file, "utf8"));
  process.stdout.write(drawResults(results));
}
