import { json } from 'node:stream/consumers';
import type { Request } from 'express';
import { type FieldFault, invalidFields, Refusal } from '../refusal.ts';

/** The longest body, in bytes. */
const maxBytes = 65_536;

/** Reads the texts of a body in JSON; those in `optional` are empty if they are missing. Throws `Refusal` that names every fault. */
export async function readTexts<Name extends string, Optional extends string = never>(
  request: Request,
  required: readonly Name[],
  optional: readonly Optional[] = [],
): Promise<Record<Name | Optional, string>> {
  const body = await readObject(request);
  const names: readonly string[] = [...required, ...optional];
  const faults: FieldFault[] = Object.keys(body)
    .filter((field) => !names.includes(field))
    .map((field) => ({ field, description: `is none of the fields: ${names.join(', ')}` }));
  const texts: Record<string, string> = {};
  for (const field of names) {
    const value = body[field] ?? '';
    if (typeof value !== 'string') faults.push({ field, description: 'must be a text' });
    else if (value === '' && (required as readonly string[]).includes(field))
      faults.push({ field, description: 'is required' });
    else texts[field] = value;
  }
  if (faults.length > 0) throw invalidFields(faults);
  return texts;
}

async function readObject(request: Request): Promise<Record<string, unknown>> {
  // A form of another page cannot send this type without asking first.
  if (!request.is('application/json')) throw new Refusal(415, 'the body must be JSON: content-type: application/json');
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (!(length <= maxBytes)) throw new Refusal(413, `the body must have a length, of at most ${maxBytes} bytes`);
  const body = await json(request).catch(() => undefined);
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new Refusal(400, 'the body must be a JSON object');
}
