/** One value of a metric. */
export interface Sample {
  name: string;
  labels: Readonly<Record<string, string>>;
  value: number;
}

const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const number = String.raw`[-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|Inf)|NaN`;
/** Name, labels and value; a timestamp and an exemplar may follow. */
const line = new RegExp(
  String.raw`^([a-zA-Z_:][\w:]*)(?:\{((?:[^"{}]|${quoted})*)\})? (${number})(?: [-\d.]+)?(?: # .*)?$`,
  'i',
);
const label = new RegExp(String.raw`([a-zA-Z_]\w*)=(${quoted})`, 'g');

/**
 * Parses the text formats of Prometheus and OpenMetrics. Comments, timestamps and exemplars are left out, and so are lines that are no sample.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function parseSamples(text: string): Sample[] {
  return text.split('\n').flatMap((each) => {
    const [, name, labels = '', value = ''] = line.exec(each) ?? [];
    return name === undefined ? [] : [{ name, labels: parseLabels(labels), value: toNumber(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(label)].map(([, name, value]) => [name!, unescaped(value!.slice(1, -1))]),
  );
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
}

function toNumber(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}
