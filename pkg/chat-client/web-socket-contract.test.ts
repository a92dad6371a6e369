import { afterAll, beforeAll, describe } from 'vitest';
import { accountsContract } from '../../internal/testing/contract/accounts.ts';
import { chatsContract } from '../../internal/testing/contract/chats.ts';
import type { Issue } from '../../internal/testing/contract/issue.ts';
import { membersContract } from '../../internal/testing/contract/members.ts';
import { messagesContract } from '../../internal/testing/contract/messages.ts';
import { permissionsContract } from '../../internal/testing/contract/permissions.ts';
import { rolesContract } from '../../internal/testing/contract/roles.ts';
import { roomsContract } from '../../internal/testing/contract/rooms.ts';
import { streamsContract } from '../../internal/testing/contract/streams.ts';
import { startTestService, type TestService } from '../../internal/testing/test-service.ts';
import { issueToken } from '../../internal/testing/tokens.ts';
import { type Transport, webSocketTransport } from './index.ts';

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

describe('the contract over WebSocket and REST, as browsers speak it', () => {
  const openProto = () => open('proto');
  chatsContract(openProto);
  membersContract(openProto);
  roomsContract(openProto);
  messagesContract(openProto);
  streamsContract(openProto);
  accountsContract(openProto, issue);
  rolesContract(openProto, issue);
  permissionsContract(openProto, issue);
});

describe('the contract over WebSocket with frames of JSON', () => {
  streamsContract(() => open('json'));
  rolesContract(() => open('json'), issue);
});
