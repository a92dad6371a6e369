import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { afterAll, beforeAll, describe } from 'vitest';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { startGateway } from '../../app/start-gateway.ts';
import { readGatewayConfig } from '../../config/gateway-config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { restTransport } from '../../testing/clients/rest-transport.ts';
import { accountsContract } from '../../testing/contract/accounts.ts';
import { changesContract } from '../../testing/contract/changes.ts';
import { chatUpdatesContract } from '../../testing/contract/chat-updates.ts';
import { chatsContract } from '../../testing/contract/chats.ts';
import type { Issue } from '../../testing/contract/issue.ts';
import { membersContract } from '../../testing/contract/members.ts';
import { messageKindsContract } from '../../testing/contract/message-kinds.ts';
import { messagesContract } from '../../testing/contract/messages.ts';
import { permissionsContract } from '../../testing/contract/permissions.ts';
import { reactionsContract } from '../../testing/contract/reactions.ts';
import { rolesContract } from '../../testing/contract/roles.ts';
import { roomsContract } from '../../testing/contract/rooms.ts';
import { streamedMessagesContract } from '../../testing/contract/streamed-messages.ts';
import { threadsContract } from '../../testing/contract/threads.ts';
import { openApiChecker } from '../../testing/openapi-check.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';
import { issueToken } from '../../testing/services/tokens.ts';

function contract(open: () => Transport): void {
  chatsContract(open);
  membersContract(open);
  roomsContract(open);
  messagesContract(open);
  changesContract(open);
  reactionsContract(open);
  messageKindsContract(open);
  streamedMessagesContract(open);
  threadsContract(open);
  const issue: Issue = async (subject) => (await issueToken(service.dsn, subject)).token;
  accountsContract(open, issue);
  rolesContract(open, issue);
  chatUpdatesContract(open, issue);
  permissionsContract(open, issue, 'one role');
}

let service: TestService;
let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  service = await startTestService();
  const config = readGatewayConfig({ ADMIN: 'false', HTTP_PORT: '0', GATEWAY_UPSTREAMS: service.address });
  gateway = await startGateway(new LiveConfig(config), pino({ level: 'silent' }));
});
afterAll(async () => {
  await gateway.stop();
  await service.stop();
});

const document = readFileSync(new URL('../../../pkg/api/openapi.json', import.meta.url), 'utf8');
/** Checks every request and response against the OpenAPI document. */
const checkExchange = openApiChecker(JSON.parse(document));

/** A transport with unary calls over REST and streams over gRPC. */
const open = (url: string) => {
  const grpc = service.transport();
  return restTransport(url, { connect: grpc.connect, onExchange: checkExchange });
};

describe('the contract over REST, through the gateway in the service', () => {
  contract(() => open(service.url));
});

describe('the contract over REST, through a separate gateway', () => {
  contract(() => open(`http://127.0.0.1:${gateway.httpPort}`));
});
