const timestamp = /^([1-9]\d{3}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d{1,6})?[+-](0\d|1[0-5])(:[0-5]\d){0,2}$/;

/** Whether `value` is a timestamp as PostgreSQL writes one, with any offset. Page tokens come from clients, so others must not reach a query. */
export function isTimestamp(value: unknown): boolean {
  const [, date = '', time = ''] = (typeof value === 'string' && timestamp.exec(value)) || [];
  const parsed = Date.parse(`${date}T${time}Z`);
  return !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(date);
}
