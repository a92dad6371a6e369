import { expect, test } from 'vitest';
import type { ChatClient } from '../../../../pkg/chat-client/index.ts';
import { Presence } from './presence.ts';

const user = (id: string) => ({ id, name: id });

/** A presence whose calls are answered by hand. */
function open() {
  const answers: ((ids: string[]) => Promise<void>)[] = [];
  const call = () =>
    new Promise((resolve) => {
      answers.push((ids) => {
        resolve({ users: ids.map(user) });
        return new Promise((then) => setImmediate(then));
      });
    });
  const presence = new Presence({ call } as unknown as ChatClient);
  return { presence, answers, online: () => [...presence.state.value.keys()].sort() };
}

test('who comes and goes while it is being read who is online has come and gone', async () => {
  const { presence, answers, online } = open();
  void presence.load();
  presence.tell(user('ben'), true);
  presence.tell(user('carol'), false);
  await answers[0]!(['anna', 'carol']);
  expect(online()).toEqual(['anna', 'ben']);
});

test('what is read of one chat and of all users joins, in either order', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { presence, answers, online } = open();
    void presence.load();
    void presence.loadChat('chat');
    presence.tell(user('carol'), false);
    for (const index of order) await answers[index]!(index === 0 ? ['anna'] : ['ben', 'carol']);
    expect(online()).toEqual(['anna', 'ben']);
  }
});
