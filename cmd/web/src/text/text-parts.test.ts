import fc from 'fast-check';
import { expect, test } from 'vitest';
import { textParts } from './text-parts.ts';

const links = (text: string) => textParts(text).flatMap((part) => (part.kind === 'link' ? [part.href] : []));

test.each([
  ['see https://example.com/a?b=c#d now', ['https://example.com/a?b=c#d']],
  ['https://example.com.', ['https://example.com/']],
  ['(https://example.com/a_(b)), well', ['https://example.com/a_(b)']],
  ['http://one.example and https://two.example!', ['http://one.example/', 'https://two.example/']],
  ['<a href="https://example.com/x">', ['https://example.com/x']],
  ['https://', []],
  ['javascript:alert(1) data:text/html,x ftp://example.com xhttps://example.com', []],
  ['www.example.com', []],
])('%s', (text, expected) => {
  expect(links(text)).toEqual(expected);
});

test('the parts of any text make up the text, and every link is one of http or https', () => {
  const word = fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('https://', ')', '(', '.', 'javascript:', ' '));
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const text = words.join('');
      const parts = textParts(text);
      expect(parts.map((part) => part.text).join('')).toBe(text);
      for (const href of links(text)) expect(href).toMatch(/^https?:\/\//);
    }),
  );
});
