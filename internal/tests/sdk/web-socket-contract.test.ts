import { afterAll, beforeAll, describe } from 'vitest';
import { type Transport, webSocketTransport } from '../../../pkg/chat-client/index.ts';
import { accountsContract } from '../../testing/contract/accounts.ts';
import { changesContract, liveChangesContract } from '../../testing/contract/changes.ts';
import { chatUpdatesContract, liveChatUpdatesContract } from '../../testing/contract/chat-updates.ts';
import { chatsContract } from '../../testing/contract/chats.ts';
import type { Issue } from '../../testing/contract/issue.ts';
import { membersContract } from '../../testing/contract/members.ts';
import { liveMessageKindsContract, messageKindsContract } from '../../testing/contract/message-kinds.ts';
import { messagesContract } from '../../testing/contract/messages.ts';
import { permissionsContract } from '../../testing/contract/permissions.ts';
import { liveReactionsContract, reactionsContract } from '../../testing/contract/reactions.ts';
import { rolesContract } from '../../testing/contract/roles.ts';
import { roomsContract } from '../../testing/contract/rooms.ts';
import { liveStreamedMessagesContract, streamedMessagesContract } from '../../testing/contract/streamed-messages.ts';
import { streamsContract } from '../../testing/contract/streams.ts';
import { liveThreadsContract, threadsContract } from '../../testing/contract/threads.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(async () => {
  for (const transport of transports) transport.close();
  await service.stop();
});

const transports: Transport[] = [];

const issue: Issue = async (subject) => (await issueToken(service.dsn, subject)).token;

function open(encoding: 'proto' | 'json') {
  const transport = webSocketTransport(service.url, { encoding });
  transports.push(transport);
  return transport;
}

describe('the contract over WebSocket and REST, as browsers use it', () => {
  const openProto = () => open('proto');
  chatsContract(openProto);
  chatUpdatesContract(openProto, issue);
  liveChatUpdatesContract(openProto);
  membersContract(openProto);
  roomsContract(openProto);
  messagesContract(openProto);
  changesContract(openProto);
  reactionsContract(openProto);
  liveReactionsContract(openProto);
  messageKindsContract(openProto);
  threadsContract(openProto);
  streamsContract(openProto);
  liveChangesContract(openProto);
  liveMessageKindsContract(openProto);
  streamedMessagesContract(openProto);
  liveStreamedMessagesContract(openProto);
  liveThreadsContract(openProto);
  accountsContract(openProto, issue);
  rolesContract(openProto, issue);
  permissionsContract(openProto, issue, 'one role');
});

describe('the contract over WebSocket with frames of JSON', () => {
  streamsContract(() => open('json'));
  liveChatUpdatesContract(() => open('json'));
  liveStreamedMessagesContract(() => open('json'));
  rolesContract(() => open('json'), issue);
});
