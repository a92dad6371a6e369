import { type Logger, pino } from 'pino';
import { grpcTransport } from '../../../pkg/chat-client/grpc.ts';
import { type ChatClient, ChatClient as Client, guest } from '../../../pkg/chat-client/index.ts';
import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import { type App, type Overrides, startApp } from '../../app/app.ts';
import { readConfig } from '../../config/config.ts';
import { LiveConfig } from '../../config/live/live-config.ts';
import { createTestDatabase } from './test-database.ts';

/** A service in the test's process, on a free port, with a database of its own. */
export interface TestService {
  app: App;
  /** `host:port` */
  address: string;
  /** `http://host:port`; empty without the gateway. */
  url: string;
  dsn: string;
  /** Puts the service's settings in force again, with these in addition, as SIGHUP does. */
  reload(env: Record<string, string>): void;
  /** Returns a guest's access token. */
  token(name: string): Promise<string>;
  /** Connects an SDK client, which is closed with the service. */
  client(name: string): Promise<ChatClient>;
  /** Opens a connection for unary calls and streams without the SDK's retries and resumption. It is closed with the service. */
  transport(): Transport;
  stop(): Promise<void>;
}

/** Starts a service. Its defaults suit tests: guests are allowed, rates and streams are not limited, repair is quick. `env` overrides them. */
export async function startTestService(
  env: Record<string, string> = {},
  { dsn, log, ...overrides }: Overrides & { dsn?: string; log?: Logger } = {},
): Promise<TestService> {
  const postgresDsn = dsn ?? env.POSTGRES_DSN ?? (await createTestDatabase());
  const settings = {
    POSTGRES_DSN: postgresDsn,
    POSTGRES_POOL_SIZE: '16',
    ADMIN: 'false',
    GRPC_PORT: '0',
    HTTP_PORT: '0',
    AUTH_ISSUER: 'chat-service',
    AUTH_GUESTS: 'true',
    LOG_LEVEL: 'silent',
    RATE_LIMIT_MESSAGES: '0',
    RATE_LIMIT_CALLS: '0',
    RATE_LIMIT_GUESTS: '0',
    RATE_LIMIT_SIGN_INS: '0',
    MAX_STREAMS_PER_USER: '0',
    REPAIR_INTERVAL_MS: '200',
    RECONNECT_SPREAD_MS: '100',
    DRAIN_TIMEOUT_MS: '5000',
    // Long enough that a machine that is busy for seconds breaks no test.
    CALL_TIMEOUT_MS: '60000',
    WRITER_GIVE_UP_MS: '50000',
    ...env,
  };
  const config = readConfig(settings);
  const live = new LiveConfig(config, settings);
  const app = await startApp(live, log ?? pino({ level: config.log.level }), overrides);
  const address = `127.0.0.1:${app.grpcPort}`;
  const clients: ChatClient[] = [];
  const transports: Transport[] = [];
  const open = () => {
    const transport = grpcTransport(address, { channelOptions: { 'grpc.use_local_subchannel_pool': 1 } });
    transports.push(transport);
    return transport;
  };
  return {
    app,
    address,
    url: app.httpPort === undefined ? '' : `${config.tls ? 'https' : 'http'}://127.0.0.1:${app.httpPort}`,
    dsn: postgresDsn,
    reload: (more) => live.reload(readConfig({ ...settings, ...more }), { ...settings, ...more }),
    async token(name) {
      return (await open().auth.guest({ name }, {})).accessToken;
    },
    async client(name) {
      const client = new Client({ transport: grpcTransport(address), token: guest(name) });
      clients.push(client);
      await client.connect();
      return client;
    },
    transport: open,
    async stop() {
      await Promise.all(clients.map((client) => client.close()));
      for (const transport of transports) transport.close();
      await app.stop();
    },
  };
}
