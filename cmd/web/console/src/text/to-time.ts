/** A time in the reader's time zone; a dash if there is none. */
export function toTime(text: string | null | undefined): string {
  return text ? new Date(text).toLocaleString('sv') : '–';
}
