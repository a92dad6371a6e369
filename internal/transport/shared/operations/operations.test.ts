import { expect, test } from 'vitest';
import { AuthServiceDefinition } from '../../../../pkg/api/auth/v1/auth.ts';
import { ChatServiceDefinition } from '../../../../pkg/api/chat/v1/chat.ts';
import { operations } from '../../../model/operations.ts';
import { streamOperations } from './stream-operations.ts';

/** Operations that are commands about the stream itself. */
const ofStreams = ['Subscribe', 'SubscribeAll'];

test('the table lists exactly the methods of the contract and the other commands of a stream', () => {
  const methods = [ChatServiceDefinition, AuthServiceDefinition].flatMap((service) =>
    Object.values(service.methods).map(({ name }) => name),
  );
  const inStreams = Object.values(streamOperations).map(({ operation }) => operation);
  expect(Object.keys(operations).sort()).toEqual([...new Set([...methods, ...inStreams, ...ofStreams])].sort());
});
