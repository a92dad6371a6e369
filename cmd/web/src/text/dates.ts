const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'long' });
const dayOfYear = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'long' });
const fullDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'long', year: 'numeric' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const shortWeekday = new Intl.DateTimeFormat(undefined, { weekday: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });

export function timeOf(at: Date): string {
  return time.format(at);
}

/** Date and time, at length. */
export function momentOf(at: Date): string {
  return full.format(at);
}

/** The same for all moments of a day, where the reader is. */
export function dayKey(at: Date): string {
  return `${at.getFullYear()}-${at.getMonth() + 1}-${at.getDate()}`;
}

/** `Today`, `Yesterday`, `Tuesday`, or the date. */
export function dayLabel(at: Date, now = new Date()): string {
  const days = daysBetween(at, now);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return weekday.format(at);
  return at.getFullYear() === now.getFullYear() ? dayOfYear.format(at) : fullDay.format(at);
}

/** For a narrow column: the time of today, else the day. */
export function shortLabel(at: Date, now = new Date()): string {
  const days = daysBetween(at, now);
  if (days === 0) return timeOf(at);
  return days > 0 && days < 7 ? shortWeekday.format(at) : shortDay.format(at);
}

function daysBetween(at: Date, now: Date): number {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(now) - midnight(at)) / 86_400_000);
}
