import { afterAll, beforeAll, describe } from 'vitest';
import { chatsContract } from '../testing/contract/chats.ts';
import { membersContract } from '../testing/contract/members.ts';
import { messagesContract } from '../testing/contract/messages.ts';
import { roomsContract } from '../testing/contract/rooms.ts';
import { streamsContract } from '../testing/contract/streams.ts';
import { startTestService, type TestService } from '../testing/test-service.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

describe('the contract over gRPC', () => {
  const open = () => service.transport();
  chatsContract(open);
  membersContract(open);
  roomsContract(open);
  messagesContract(open);
  streamsContract(open);
});
