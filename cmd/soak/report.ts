import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Quantity, quantities } from './quantities.ts';
import { formatResult } from './result.ts';
import type { SoakResult } from './run-soak.ts';

const [width, height, left, bottom] = [900, 180, 70, 22];
const colours = ['#1b6ac9', '#c2410c', '#15803d', '#7c3aed', '#0e7490', '#a16207'];

/** Writes the result into a folder: a page with plots, and all readings as JSON. Returns the page's path. */
export async function writeReport(folder: string, result: SoakResult): Promise<string> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'result.json'), JSON.stringify(result));
  const page = join(folder, 'index.html');
  await writeFile(page, toPage(result));
  return page;
}

function toPage(result: SoakResult): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Soak report</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: ${width + 20}px; color: #1f2937; }
  pre { white-space: pre-wrap; background: #f3f4f6; padding: 1rem; }
  svg { display: block; } text { font-size: 11px; fill: #4b5563; }
</style>
<h1>Soak report</h1>
<pre>${escapeHtml(formatResult(result))}</pre>
<p>One line for each process of a node. Grey lines are faults: rest the pointer on one to see which.</p>
${quantities.map((quantity) => `<h2>${quantity.name}${quantity.unit && ` in ${quantity.unit}`}</h2>\n${toPlot(quantity, result)}`).join('\n')}
</html>
`;
}

function toPlot({ name, scale }: Quantity, { lives, faults }: SoakResult): string {
  const end = Math.max(1, ...lives.flatMap(({ readings }) => readings.map(({ at }) => at)));
  const top = Math.max(1e-9, ...lives.flatMap(({ readings }) => readings.map(({ values }) => values[name]! / scale)));
  const x = (at: number) => (left + (at / end) * (width - left - 10)).toFixed(1);
  const y = (value: number) => ((1 - value / top) * (height - bottom - 10) + 10).toFixed(1);
  const nodes = [...new Set(lives.map(({ node }) => node))];
  const lines = lives.map(({ node, readings }) => {
    const points = readings.map(({ at, values }) => `${x(at)},${y(values[name]! / scale)}`).join(' ');
    return `<polyline fill="none" stroke="${colours[nodes.indexOf(node) % colours.length]}" points="${points}"><title>${node}</title></polyline>`;
  });
  const strikes = faults.map(
    ({ at, what }) =>
      `<line x1="${x(at)}" x2="${x(at)}" y1="10" y2="${height - bottom}" stroke="#d1d5db" stroke-width="3"><title>${escapeHtml(what)}</title></line>`,
  );
  return `<svg width="${width}" height="${height}" role="img" aria-label="${name}">
${strikes.join('')}
<line x1="${left}" x2="${width - 10}" y1="${height - bottom}" y2="${height - bottom}" stroke="#9ca3af"/>
<text x="${left - 6}" y="14" text-anchor="end">${Number(top.toPrecision(3))}</text>
<text x="${left - 6}" y="${height - bottom}" text-anchor="end">0</text>
<text x="${width - 10}" y="${height - 6}" text-anchor="end">${(end / 60_000).toFixed(1)} min</text>
${lines.join('\n')}
</svg>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
