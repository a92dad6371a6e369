import { invalidFieldsError } from '../../model/errors.ts';

/** Throws INVALID_ARGUMENT if the text has more than `max` Unicode characters. */
export function checkTextLength(text: string, max: number): void {
  // A text never has more characters than UTF-16 code units, so most texts need no counting.
  if (text.length <= max || [...text].length <= max) return;
  throw invalidFieldsError({ field: 'text', description: `must have at most ${max} characters` });
}
