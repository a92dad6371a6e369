import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RawClient } from '../../testing/clients/raw-client.ts';
import { healthOf } from '../../testing/services/health.ts';
import { startTestService, type TestService } from '../../testing/services/test-service.ts';

const services = ['chat.v1.ChatService', 'auth.v1.AuthService', 'grpc.health.v1.Health'];

let service: TestService;
beforeAll(async () => {
  service = await startTestService();
});
afterAll(() => service.stop());

test('health reports the status of the server and of each service, without a token', async () => {
  for (const name of ['', ...services]) expect(await healthOf(service.address, name)).toBe('SERVING');
  await expect(healthOf(service.address, 'chat.v1.Nothing')).rejects.toMatchObject({ code: status.NOT_FOUND });
});

/** One exchange of grpc.reflection.v1. Returns the answer's bytes as text, which contains names unencoded. */
async function reflect(request: number[]): Promise<string> {
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const call = new RawClient(service.address).stream(path);
  call.end(Buffer.from(request));
  return new Promise((resolve, reject) => {
    call.on('data', (bytes: Buffer) => resolve(bytes.toString('latin1')));
    call.on('status', ({ code, details }) => reject(new Error(`${status[code]}: ${details}`)));
  });
}

test('reflection lists the services and describes the contract, without a token', async () => {
  const listed = await reflect([0x3a, 0]); // list_services
  for (const name of services) expect(listed).toContain(name);

  const symbol = Buffer.from('chat.v1.ChatService');
  const described = await reflect([0x22, symbol.length, ...symbol]); // file_containing_symbol
  for (const name of ['ConnectChat', 'SendMessageRequest', 'client_message_id']) expect(described).toContain(name);
});
