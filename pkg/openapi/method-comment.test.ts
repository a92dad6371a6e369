import { describe, expect, test } from 'vitest';
import { readMethodComment } from './method-comment.ts';

describe('the comment of a method', () => {
  test('has a summary, a description and errors', () => {
    const comment = [
      'Paint colours an item by `colour_id`. It is dry',
      'at once.',
      '',
      'Painting twice is harmless.',
      'NOT_FOUND (ITEM_NOT_FOUND): there is none, or',
      'the caller may not see it.',
      'PERMISSION_DENIED (NOT_OWNER, TOO_YOUNG): only owners may.',
      '',
      'More may come.',
    ].join('\n');
    expect(readMethodComment(comment)).toEqual({
      summary: 'Paint colours an item by colour_id',
      description: 'It is dry at once.\n\nPainting twice is harmless.\n\nMore may come.',
      errors: [
        { code: 'NOT_FOUND', reasons: ['ITEM_NOT_FOUND'], text: 'there is none, or the caller may not see it.' },
        { code: 'PERMISSION_DENIED', reasons: ['NOT_OWNER', 'TOO_YOUNG'], text: 'only owners may.' },
      ],
    });
  });

  test('may list several errors in a line, some without a word', () => {
    const { errors } = readMethodComment(
      'Does.\n\nALREADY_EXISTS (TAKEN). INVALID_ARGUMENT (WEAK): too easy; try again.',
    );
    expect(errors).toEqual([
      { code: 'ALREADY_EXISTS', reasons: ['TAKEN'], text: '' },
      { code: 'INVALID_ARGUMENT', reasons: ['WEAK'], text: 'too easy; try again.' },
    ]);
  });

  test('may mention an error without listing it', () => {
    const { errors, description } = readMethodComment('Does.\n\nAll but one answer NOT_FOUND (GONE).');
    expect(errors).toEqual([]);
    expect(description).toBe('All but one answer NOT_FOUND (GONE).');
  });

  test('may be short or missing', () => {
    expect(readMethodComment('Does e.g. this')).toEqual({ summary: 'Does e.g. this', description: '', errors: [] });
    expect(readMethodComment('')).toEqual({ summary: '', description: '', errors: [] });
  });
});
