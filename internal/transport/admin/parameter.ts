import type { Request } from 'express';
import { invalidFields } from './refusal.ts';

/** The query's parameter of this name; undefined if it is not given, or empty. */
export function parameter({ query }: Request, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw invalidFields([{ field: name, description: 'must be given once' }]);
}
