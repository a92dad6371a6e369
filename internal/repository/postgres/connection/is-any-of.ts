import { type Expression, sql } from 'kysely';

/** `column = any (values)` with one parameter, however many values. */
export function isAnyOf(column: Expression<string>, values: readonly string[], type: 'uuid' | 'text') {
  return sql<boolean>`${column} = any (${[...values]}::${sql.raw(type)}[])`;
}
