import { afterAll, beforeAll, describe } from 'vitest';
import { accountsContract } from '../../testing/contract/accounts.ts';
import { changesContract, liveChangesContract } from '../../testing/contract/changes.ts';
import { chatUpdatesContract, liveChatUpdatesContract } from '../../testing/contract/chat-updates.ts';
import { chatsContract } from '../../testing/contract/chats.ts';
import { ephemeralEventsContract } from '../../testing/contract/ephemeral-events.ts';
import type { Issue } from '../../testing/contract/issue.ts';
import { membersContract } from '../../testing/contract/members.ts';
import { liveMentionsContract } from '../../testing/contract/mentions.ts';
import { liveMessageKindsContract, messageKindsContract } from '../../testing/contract/message-kinds.ts';
import { messagesContract } from '../../testing/contract/messages.ts';
import { permissionsContract } from '../../testing/contract/permissions.ts';
import { liveReceiptsContract } from '../../testing/contract/receipts.ts';
import { rolesContract } from '../../testing/contract/roles.ts';
import { roomsContract } from '../../testing/contract/rooms.ts';
import { streamsContract } from '../../testing/contract/streams.ts';
import { liveThreadsContract, threadsContract } from '../../testing/contract/threads.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

let service: TestService;
beforeAll(async () => {
  service = await startTestService({ MAX_SIGNAL_MEMBERS: '3' });
});
afterAll(() => service.stop());

describe('the contract over gRPC', () => {
  const open = () => service.transport();
  chatsContract(open);
  liveChatUpdatesContract(open);
  membersContract(open);
  roomsContract(open);
  messagesContract(open);
  changesContract(open);
  messageKindsContract(open);
  threadsContract(open);
  liveThreadsContract(open);
  liveMessageKindsContract(open);
  streamsContract(open);
  liveChangesContract(open);
  ephemeralEventsContract(open);
  liveReceiptsContract(open);
  liveMentionsContract(open);
  const issue: Issue = async (subject) => (await issueToken(service.dsn, subject)).token;
  accountsContract(open, issue);
  rolesContract(open, issue);
  chatUpdatesContract(open, issue);
  permissionsContract(open, issue, 'every role');
});
