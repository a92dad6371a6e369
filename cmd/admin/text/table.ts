/** Rows as lines with columns, below a line of titles. An empty table says so. */
export function toTable(titles: readonly string[], rows: readonly (readonly unknown[])[]): string {
  if (rows.length === 0) return 'none';
  const lines = [titles, ...rows].map((row) =>
    row.map((value) => (value === null || value === '' ? '-' : String(value))),
  );
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
