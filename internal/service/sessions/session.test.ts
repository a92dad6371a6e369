import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CloseReason, SendMessageRequest } from '../../../pkg/api/chat/v1/chat.ts';
import { ChatError, invalidFieldsError } from '../../model/errors.ts';
import type { TokenRole } from '../../model/principal.ts';
import { eventually } from '../../testing/eventually.ts';
import { FaultyMessages } from '../../testing/faults/faulty-messages.ts';
import { principalOf, startTestNode, type TestNode } from '../../testing/services/test-node.ts';
import { openTestStorage, type TestStorage } from '../../testing/services/test-storage.ts';
import { turns } from '../../testing/turns.ts';
import type { Incoming } from './session.ts';

let storage: TestStorage;
let messages: FaultyMessages;
let node: TestNode;
beforeAll(async () => {
  storage = await openTestStorage();
});
beforeEach(async () => {
  messages = new FaultyMessages(storage.messages);
  node = await startTestNode(storage, { messages: messages.repository });
});
afterEach(() => node.stop());
afterAll(() => storage.close());

/** From here on tokens grow old only as the test says. */
function holdTime(): void {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
}

const alice = principalOf('alice');

async function newChat(): Promise<string> {
  return (await node.service.createChat(alice, { type: 'GROUP', name: 'chat', memberIds: ['bob'] })).chat.id;
}

function say(chatId: string, text = 'text', commandId: string = randomUUID()): Incoming {
  return node.command(commandId, {
    $case: 'sendMessage',
    value: SendMessageRequest.fromPartial({ chatId, clientMessageId: commandId, text }),
  });
}

const token = async (userId: string, roles: TokenRole[] = ['user']) =>
  (await node.issuer.issue({ userId, name: userId, roles })).token;

describe('a stream', () => {
  test('begins with a welcome that names the user and the limits', async () => {
    const stream = node.open('alice');
    await eventually(() => expect(stream.of('welcome')).toHaveLength(1));
    expect(stream.events[0]).toMatchObject({
      $case: 'welcome',
      value: {
        sessionId: stream.session.id,
        user: { id: 'alice' },
        limits: { maxSubscriptions: 100, maxTextLength: 100_000 },
      },
    });
    expect(stream.of('welcome')[0]?.tokenExpiresAt?.getTime()).toBeGreaterThan(Date.now());
  });

  test('carries commands out in order and answers each by its id', async () => {
    const chatId = await newChat();
    const stream = node.open('alice');
    stream.send(
      say(chatId, 'one', '1'),
      { kind: 'ping', commandId: 'p' },
      say(chatId, 'two', '2'),
      say(chatId, 'one', '1'),
    );
    await eventually(() => expect(stream.of('accepted')).toHaveLength(3));
    expect(stream.of('pong')).toEqual([{ commandId: 'p' }]);
    const [first, second, again] = stream.of('accepted').toSorted((a, b) => a.seq - b.seq || 0);
    const { messages: stored } = await storage.messages.listHistory(chatId, { afterSeq: 1 }, 10);
    expect(stored.map(({ text, sender }) => [text, sender.id])).toEqual([
      ['one', 'alice'],
      ['two', 'alice'],
    ]);
    expect([first?.messageId, second?.messageId].sort()).toEqual([stored[0]?.id, stored[0]?.id].sort());
    expect(again).toMatchObject({ commandId: '2', seq: 3, messageId: stored[1]?.id, createdAt: stored[1]?.createdAt });
  });

  test('refuses a bad command by its id, and goes on', async () => {
    const stream = node.open('alice');
    const error = invalidFieldsError({ field: 'text', description: 'is bad' });
    stream.send(
      { kind: 'invalid', commandId: 'bad', error },
      { kind: 'subscribe', commandId: 'nowhere', chatId: randomUUID() },
      say(randomUUID(), 'x', 'lost'),
      { kind: 'ping', commandId: 'p' },
    );
    await eventually(() => expect(stream.of('rejected')).toHaveLength(3));
    const answers = stream.of('rejected').map(({ commandId, status }) => `${commandId} ${status?.code}`);
    expect(answers.sort()).toEqual(['bad 3', 'lost 5', 'nowhere 5']);
    await eventually(() => expect(stream.of('pong')).toHaveLength(1));
  });

  test('carries out only what the token allows', async () => {
    const chatId = await newChat();
    const stream = node.open('alice', { roles: [] });
    stream.subscribe(chatId);
    stream.send(say(chatId), { kind: 'ping', commandId: 'p' });
    stream.send({ kind: 'subscribe_all', commandId: 'all', cursors: new Map(), others: 'NOW' });
    stream.halfClose();
    await stream.ended;
    expect(stream.of('rejected').map(({ status }) => status?.code)).toEqual([7, 7, 7, 7]);
    expect(stream.events).toHaveLength(5);
  });

  test('does not show what went wrong inside', async () => {
    const chatId = await newChat();
    messages.onAppend = () => Promise.reject(new Error('relation "secret" does not exist'));
    const stream = node.open('alice');
    stream.send(say(chatId));
    await eventually(() => expect(stream.of('rejected')).toHaveLength(1));
    expect(stream.of('rejected')[0]?.status).toMatchObject({
      code: 13,
      message: `internal error (session ${stream.session.id})`,
    });
    expect(Buffer.concat(stream.frames).includes('secret')).toBe(false);
  });

  test('that was half-closed gives every answer that is under way and ends without an error', async () => {
    const chatId = await newChat();
    const stream = node.open('alice');
    const release = messages.hold();
    stream.subscribe(chatId, 0);
    stream.send(...Array.from({ length: 10 }, (_, i) => say(chatId, `${i}`)));
    stream.halfClose();
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(0));
    release();
    expect(await stream.ended).toBeUndefined();
    expect(stream.of('accepted')).toHaveLength(10);
    expect(stream.of('subscribed')).toHaveLength(1);
  });

  test('whose client has gone leaves nothing behind, but stores what was sent', async () => {
    const chatId = await newChat();
    const stream = node.open('alice');
    const release = messages.hold();
    stream.subscribe(chatId, 0);
    stream.send(say(chatId));
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(0));
    stream.cancel();
    expect(await stream.ended).toBeUndefined();
    release();
    await node.writer.drain();
    expect((await storage.messages.listHistory(chatId, 'newest', 10)).messages).toHaveLength(2);
    await eventually(() => expect(node.hub.size).toBe(0));
  });

  test('that sends something that is no frame is ended with the reason', async () => {
    const session = node.open('alice').session;
    expect(session.userId).toBe('alice');
    const stream = node.open('bob');
    const broken = new ChatError('MALFORMED_FRAME', 'not a frame');
    stream.fail(broken);
    expect(await stream.ended).toBe(broken);
    expect(stream.events.at(-1)).toMatchObject({ $case: 'closing', value: { reason: CloseReason.PROTOCOL_ERROR } });
  });

  test('that is closed gives its answers first, then the reason and the retry time, and takes no more commands', async () => {
    const chatId = await newChat();
    const stream = node.open('alice');
    stream.subscribe(chatId);
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
    const release = messages.hold();
    stream.send(say(chatId));
    await eventually(() => expect(messages.batches.length).toBeGreaterThan(0));
    const error = new ChatError('DRAINING', 'stopping');
    const closing = stream.session.close('DRAINING', error, 123);
    const again = stream.session.close('DRAINING', error, 9);
    stream.send({ kind: 'ping', commandId: 'late' });
    release();
    await Promise.all([closing, again]);
    expect(await stream.ended).toBe(error);
    const kinds = stream.events.map(({ $case }) => $case);
    expect(kinds.slice(-2)).toEqual(['accepted', 'closing']);
    expect(stream.of('closing')).toEqual([{ reason: CloseReason.DRAINING, retryAfterMs: 123 }]);
    expect(stream.of('pong')).toEqual([]);
  });
});

describe('a stream that was half-closed and whose reader takes nothing', () => {
  async function stuckReader(ttlMs?: number) {
    const chatId = await newChat();
    const stream = node.open('bob', { ttlMs });
    stream.subscribe(chatId);
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
    stream.pause();
    for (let sent = 0; sent < 3; sent += 1) {
      await node.service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text: 'secret' });
    }
    await eventually(() => expect(stream.session.queuedBytes).toBeGreaterThan(0));
    stream.halfClose();
    // By the time that others are answered, so is this.
    const other = node.open('alice');
    other.send({ kind: 'ping', commandId: 'p' });
    await eventually(() => expect(other.of('pong')).toHaveLength(1));
    return { stream, chatId };
  }

  test('is ended by a ban, and what was queued is dropped', async () => {
    const { stream, chatId } = await stuckReader();
    const banned = new ChatError('BANNED', 'banned');
    await stream.session.close('BANNED', banned);
    expect(stream.session.queuedBytes).toBe(0);
    stream.resume();
    expect(await stream.ended).toBe(banned);
    expect(stream.messages(chatId).length).toBeLessThan(3);
  });

  test('is ended when the token expires', async () => {
    holdTime();
    const { stream, chatId } = await stuckReader(60_000);
    vi.advanceTimersByTime(60_000);
    await eventually(() => expect(stream.session.queuedBytes).toBe(0));
    stream.resume();
    expect(await stream.ended).toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect(stream.messages(chatId).length).toBeLessThan(3);
  });
});

describe('a stream that exceeds its rate', () => {
  test('has the command refused, is read from more slowly, and keeps its order', async () => {
    await node.stop();
    node = await startTestNode(storage, { rate: { points: 5, seconds: 1 } });
    const chatId = await newChat();
    const stream = node.open('alice');
    const started = performance.now();
    stream.send(...Array.from({ length: 7 }, (_, i) => say(chatId, `${i}`, `${i}`)));
    await eventually(() => expect(stream.of('accepted').length + stream.of('rejected').length).toBe(7));
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(stream.of('rejected').map(({ commandId, status }) => [commandId, status?.code])).toEqual([['5', 8]]);
    const { messages: stored } = await storage.messages.listHistory(chatId, { afterSeq: 1 }, 10);
    expect(stored.map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4', '6']);
  });
});

describe('when the token', () => {
  test('expires, the stream ends, and what was queued is not shown any more', async () => {
    const chatId = await newChat();
    holdTime();
    const stream = node.open('bob', { ttlMs: 60_000 });
    stream.subscribe(chatId, 0);
    await eventually(() => expect(stream.of('caughtUp')).toHaveLength(1));
    stream.pause();
    const send = () => node.service.sendMessage(alice, { chatId, clientMessageId: randomUUID(), text: 'secret' });
    await send();
    await send();
    await eventually(() => expect(stream.session.queuedBytes).toBeGreaterThan(0));
    const queued = stream.session.queuedBytes;
    vi.advanceTimersByTime(60_000);
    await eventually(() => expect(stream.session.queuedBytes).toBeLessThan(queued));
    await send();
    stream.resume();
    expect(await stream.ended).toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect(stream.messages(chatId).length).toBeLessThan(3);
    expect(stream.events.at(-1)).toEqual({
      $case: 'closing',
      value: { reason: CloseReason.TOKEN_EXPIRED, retryAfterMs: 0 },
    });
  });

  test('expires while a subscription is being begun, nothing is shown of it', async () => {
    const chatId = await newChat();
    holdTime();
    const stream = node.open('bob', { ttlMs: 60_000, paused: true });
    const other = node.open('alice');
    other.subscribe(chatId);
    await eventually(() => expect(other.of('caughtUp')).toHaveLength(1));
    const { promise: go, resolve } = Promise.withResolvers<void>();
    const acquire = node.hub.acquire.bind(node.hub);
    node.hub.acquire = (chatIds) => go.then(() => acquire(chatIds));
    const release = messages.hold();
    stream.send(say(chatId));
    stream.subscribe(chatId, 0);
    await turns(50);
    vi.advanceTimersByTime(60_000);
    resolve();
    release();
    stream.resume();
    expect(await stream.ended).toMatchObject({ reason: 'TOKEN_EXPIRED' });
    expect([stream.of('subscribed'), stream.messages(chatId)]).toEqual([[], []]);
  });

  test('is renewed, the stream goes on', async () => {
    holdTime();
    const stream = node.open('alice', { ttlMs: 30_000 });
    stream.send({ kind: 'authenticate', commandId: 'a', token: await token('alice') });
    await eventually(() => expect(stream.of('accepted')).toEqual([expect.objectContaining({ commandId: 'a' })]));
    vi.advanceTimersByTime(31_000);
    stream.send({ kind: 'ping', commandId: 'p' });
    await eventually(() => expect(stream.of('pong')).toHaveLength(1));
  });

  test('that is to replace it is of another user, broken or not valid here, it is refused and the old one stays', async () => {
    holdTime();
    const stream = node.open('alice', { ttlMs: 30_000 });
    stream.send(
      { kind: 'authenticate', commandId: 'other', token: await token('bob') },
      { kind: 'authenticate', commandId: 'broken', token: 'x.y.z' },
      { kind: 'authenticate', commandId: 'no roles', token: await token('alice', []) },
    );
    await eventually(() => expect(stream.of('rejected').length + stream.of('accepted').length).toBe(3));
    const answers = stream.of('rejected').map(({ commandId, status }) => `${commandId}: ${status?.code}`);
    expect(answers).toEqual(['other: 7', 'broken: 16', 'no roles: 7']);
    vi.advanceTimersByTime(30_000);
    expect(await stream.ended).toMatchObject({ reason: 'TOKEN_EXPIRED' });
  });
});
