import type { Request } from 'express';
import { type FieldFault, invalidFields } from './refusal.ts';

/** A parameter that is a whole number. */
export interface NumberParameter {
  min: number;
  max: number;
  /** Its value if it is not given. */
  fallback: number;
}

/** Reads the query's numbers. Throws `Refusal` that names every fault, including parameters that do not exist. */
export function readNumbers<Name extends string>(
  { query }: Request,
  parameters: Record<Name, NumberParameter>,
): Record<Name, number> {
  const faults: FieldFault[] = Object.keys(query)
    .filter((field) => !Object.hasOwn(parameters, field))
    .map((field) => ({ field, description: `is none of the parameters: ${Object.keys(parameters).join(', ')}` }));
  const entries = Object.entries<NumberParameter>(parameters).map(([field, { min, max, fallback }]) => {
    const text = query[field];
    if (text === undefined) return [field, fallback];
    const value = typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return [field, value];
    faults.push({
      field,
      description: min === max ? `must be ${min}` : `must be a whole number from ${min} to ${max}`,
    });
    return [field, fallback];
  });
  if (faults.length > 0) throw invalidFields(faults);
  return Object.fromEntries(entries) as Record<Name, number>;
}
