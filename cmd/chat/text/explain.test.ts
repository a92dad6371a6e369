import { expect, test } from 'vitest';
import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { explain } from './explain.ts';

test.each([
  [
    'No connection established. Last error: Error: connect ECONNREFUSED 127.0.0.1:1. Resolution note: ',
    'connection refused',
  ],
  ['No connection established. Last error: read ECONNRESET. Resolution note: ', 'read ECONNRESET'],
  ['Name resolution failed for target dns:nohost:1', 'the host is not known'],
  ['you are not a member\x1b[2J of this chat', 'you are not a member of this chat'],
])('%j is explained as %j', (message, text) => {
  expect(explain(new ChatClientError(message, { code: 'UNAVAILABLE' }))).toBe(text);
});

test('fields at fault are named', () => {
  const violations = [
    { field: 'send_message.text', description: 'must have at most 4000 characters' },
    { field: 'name', description: 'must start with a letter' },
  ];
  expect(explain(new ChatClientError('invalid', { code: 'INVALID_ARGUMENT', violations }))).toBe(
    'text must have at most 4000 characters; name must start with a letter',
  );
});

test('any other error is explained by its message', () => {
  expect(explain(new Error('two\nlines'))).toBe('two lines');
});
