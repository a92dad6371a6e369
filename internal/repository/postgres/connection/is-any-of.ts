import { type Expression, sql } from 'kysely';

/** The condition `column = any (values)`: one parameter for any number of values, so that the statement's text stays the same. */
export function isAnyOf(column: Expression<string>, values: readonly string[], type: 'uuid' | 'text') {
  return sql<boolean>`${column} = any (${[...values]}::${sql.raw(type)}[])`;
}
