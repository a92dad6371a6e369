/** Units of values, as the API names them. */
export type Unit = 'short' | 's' | 'bytes' | 'percentunit' | 'ops' | 'dateTimeAsIso';

const mebibyte = 1_048_576;

/** A value with its unit, short enough for the axis of a plot; a dash if there is none. */
export function toShown(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return '–';
  switch (unit) {
    case 's':
      return Math.abs(value) < 1 && value !== 0 ? `${digits(value * 1_000)} ms` : `${digits(value)} s`;
    case 'bytes':
      return `${digits(value / mebibyte)} MiB`;
    case 'percentunit':
      return `${digits(value * 100)} %`;
    case 'ops':
      return `${digits(value)}/s`;
    case 'dateTimeAsIso':
      return new Date(value).toLocaleString('sv');
    case 'short':
      return digits(value);
    default:
      return unit satisfies never;
  }
}

function digits(value: number): string {
  return value.toLocaleString('en', { maximumSignificantDigits: 3 });
}
