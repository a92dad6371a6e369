import fc from 'fast-check';
import { test } from 'vitest';
import { chatTopic, userTopic } from './topic-names.ts';

const ids = fc.string({ unit: 'binary', maxLength: 40 });

test('a topic has no characters that are special to a broker, whatever the id contains', () => {
  fc.assert(fc.property(ids, (id) => /^chat\.[\w=-]+$/.test(chatTopic(id)) && /^user\.[\w=-]+$/.test(userTopic(id))));
});

test('different ids have different topics', () => {
  fc.assert(fc.property(ids, ids, (one, other) => (one === other) === (userTopic(one) === userTopic(other))));
  const word = (id: string) => chatTopic(id).slice('chat.'.length);
  fc.assert(fc.property(ids, (id) => chatTopic(word(id)) !== chatTopic(id) || word(id) === id));
});
