/** A part of the source, and everything that it may import besides itself. What is not listed is refused. */
export interface Area {
  /** Folders, with what lies below them, and files. The longest path that leads to a file says which area holds it. */
  holds: readonly string[];
  /** Names of areas. */
  imports: readonly string[] | 'any';
  /** Packages by name; `node` stands for all of Node's own modules. */
  packages: readonly string[] | 'any';
}

const programs = [
  'account',
  'auth-server',
  'backup',
  'gateway',
  'ingest-replay',
  'ingest-switch',
  'message-writer',
  'migrate',
  'new-epoch',
  'restore',
  'rotate-keys',
  'server',
];
const nats = ['@nats-io/jetstream', '@nats-io/transport-node'];

/**
 * Imports point down: cmd → app → transports → interceptor → service → ports → model. Only adapters import drivers, and only app imports
 * adapters. Test code may import anything, and no other code may import it.
 */
export const areas: Readonly<Record<string, Area>> = {
  // Words and settings.
  model: { holds: ['internal/model'], imports: [], packages: [] },
  config: { holds: ['internal/config'], imports: ['model'], packages: ['node'] },

  // What services need of the outside, as interfaces.
  ports: {
    holds: [
      'internal/repository',
      'internal/client/auth/token-issuer.ts',
      'internal/client/auth/token-verifier.ts',
      'internal/client/bus/bus.ts',
      'internal/client/ingest/ingest-log.ts',
      'internal/client/metrics/history/metric-point.ts',
      'internal/client/metrics/metrics.ts',
      'internal/client/metrics/shared-instruments.ts',
      'internal/client/presence/presence.ts',
      'internal/client/sinks/event-sink.ts',
      'internal/ratelimiter/rate-limiter.ts',
      'internal/security/password-hasher.ts',
      'internal/security/password-policy.ts',
    ],
    imports: ['model'],
    packages: [],
  },
  spans: {
    holds: [
      'internal/client/tracing/active-spans.ts',
      'internal/client/tracing/trace-calls.ts',
      'internal/client/tracing/trace-context.ts',
      'internal/client/tracing/tracing.ts',
      'internal/client/tracing/uber-trace-id.ts',
    ],
    imports: ['model'],
    packages: ['node', 'opentracing'],
  },
  'rare warnings': { holds: ['internal/client/logging'], imports: [], packages: ['pino'] },
  'client network': { holds: ['internal/ratelimiter/client-network.ts'], imports: [], packages: ['node'] },

  // Adapters: each knows its ports and its driver.
  postgres: {
    holds: ['internal/repository/postgres'],
    imports: ['model', 'ports'],
    packages: ['node', 'kysely', 'lru-cache', 'pg', 'pg-copy-streams', 'uuid'],
  },
  'auth adapters': {
    holds: ['internal/client/auth'],
    imports: ['model', 'ports'],
    packages: ['node', 'jose', 'lru-cache'],
  },
  'bus adapters': {
    holds: ['internal/client/bus'],
    imports: ['model', 'ports', 'spans', 'converter', 'nats', 'rare warnings', 'backoff'],
    packages: ['node', '@nats-io/transport-node', 'ioredis', 'opentracing', 'pg', 'pino'],
  },
  'ingest adapters': {
    holds: ['internal/client/ingest'],
    imports: ['model', 'ports', 'spans', 'nats', 'api'],
    packages: ['node', ...nats],
  },
  'metrics adapters': {
    holds: ['internal/client/metrics'],
    imports: ['ports', 'prometheus text'],
    packages: ['prom-client'],
  },
  nats: { holds: ['internal/client/nats'], imports: [], packages: nats },
  'presence adapters': {
    holds: ['internal/client/presence'],
    imports: ['model', 'ports', 'redis'],
    packages: ['node', 'pg', 'pino'],
  },
  redis: { holds: ['internal/client/redis'], imports: ['backoff'], packages: ['node', 'ioredis'] },
  'sink adapters': { holds: ['internal/client/sinks'], imports: ['model', 'ports', 'nats'], packages: nats },
  'tracing adapters': {
    holds: ['internal/client/tracing'],
    imports: ['model', 'spans', 'rare warnings'],
    packages: [
      'node',
      '@opentelemetry/api',
      '@opentelemetry/core',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
      '@opentelemetry/shim-opentracing',
      'jaeger-client',
      'opentracing',
      'pg',
      'pino',
    ],
  },
  'rate limiters': {
    holds: ['internal/ratelimiter'],
    imports: ['model', 'ports', 'redis'],
    packages: ['rate-limiter-flexible'],
  },
  passwords: {
    holds: ['internal/security'],
    imports: ['model', 'ports'],
    packages: ['node', '@zxcvbn-ts/core', '@zxcvbn-ts/language-common'],
  },
  embedded: { holds: ['internal/embedded'], imports: ['backoff'], packages: ['node', 'pg'] },
  servers: { holds: ['internal/servers'], imports: ['embedded'], packages: ['node', 'pg', 'yaml'] },

  // The service, and the ways to it.
  converter: {
    holds: ['internal/converter'],
    imports: ['model', 'api', 'transcoder'],
    packages: [],
  },
  service: {
    holds: ['internal/service'],
    imports: ['model', 'ports', 'spans', 'client network', 'backoff'],
    packages: ['node', 'opentracing', 'pino', 'uuid'],
  },
  interceptor: {
    holds: ['internal/interceptor'],
    imports: ['model', 'ports', 'spans', 'client network', 'service', 'converter', 'api', 'proto-rules'],
    packages: ['node', 'abort-controller-x', 'nice-grpc-common', 'opentracing', 'pino'],
  },
  'shared by transports': {
    holds: ['internal/transport/shared'],
    imports: ['model', 'ports', 'spans', 'service', 'converter', 'interceptor', 'api', 'proto-rules', 'transcoder'],
    packages: [
      'node',
      '@bufbuild/protobuf',
      '@grpc/grpc-js',
      'express',
      'nice-grpc',
      'nice-grpc-common',
      'opentracing',
      'pino',
      'proxy-addr',
      'uuid',
    ],
  },
  grpc: {
    holds: ['internal/transport/grpc'],
    imports: ['model', 'service', 'converter', 'interceptor', 'shared by transports', 'api'],
    packages: [
      'node',
      '@bufbuild/protobuf',
      '@grpc/grpc-js',
      'nice-grpc',
      'nice-grpc-common',
      'nice-grpc-server-health',
      'nice-grpc-server-reflection',
      'opentracing',
    ],
  },
  gateway: {
    holds: ['internal/transport/gateway'],
    imports: ['model', 'ports', 'shared by transports', 'transcoder'],
    packages: ['node', 'compression', 'cors', 'express', 'helmet', 'nice-grpc-common', 'pino'],
  },
  sse: {
    holds: ['internal/transport/sse'],
    imports: ['model', 'service', 'shared by transports', 'api', 'transcoder'],
    packages: ['@bufbuild/protobuf', 'express', 'pino'],
  },
  websocket: {
    holds: ['internal/transport/websocket'],
    imports: ['model', 'service', 'converter', 'shared by transports', 'api', 'transcoder'],
    packages: ['node', '@bufbuild/protobuf', 'nice-grpc-common', 'pino', 'ws'],
  },
  admin: { holds: ['internal/transport/admin'], imports: ['model'], packages: ['node', 'express'] },
  console: {
    holds: ['internal/transport/admin/console'],
    imports: [
      ...['admin', 'model', 'config', 'ports', 'service', 'converter', 'shared by transports', 'transcoder'],
      'monitoring',
    ],
    packages: ['node', 'express'],
  },
  tls: { holds: ['internal/transport/tls'], imports: ['config'], packages: ['node', '@grpc/grpc-js', 'pino'] },

  // The one place that says which adapter serves a port.
  app: {
    holds: ['internal/app'],
    imports: [
      ...['model', 'config', 'ports', 'spans', 'converter', 'service', 'interceptor'],
      ...['shared by transports', 'grpc', 'gateway', 'sse', 'websocket', 'admin', 'console', 'tls'],
      ...[
        'postgres',
        'auth adapters',
        'bus adapters',
        'ingest adapters',
        'metrics adapters',
        'presence adapters',
        'redis',
      ],
      ...['sink adapters', 'tracing adapters', 'rate limiters', 'passwords', 'embedded'],
      ...['api', 'backoff', 'proto-rules', 'transcoder'],
    ],
    packages: ['node', 'express', 'opentracing', 'pino', 'pino-pretty'],
  },

  // Programs.
  'the service': {
    holds: programs.map((name) => `cmd/${name}`),
    imports: ['app', 'config', 'model', 'ports'],
    packages: ['node', 'pino'],
  },
  'cmd/health': {
    holds: ['cmd/health'],
    imports: ['config'],
    packages: ['node', 'nice-grpc', 'nice-grpc-server-health'],
  },
  'cmd/admin': { holds: ['cmd/admin'], imports: [], packages: ['node'] },
  'cmd/gen-cert': { holds: ['cmd/gen-cert'], imports: [], packages: ['node', '@peculiar/x509', 'reflect-metadata'] },
  'cmd/chat': { holds: ['cmd/chat'], imports: ['sdk', 'sdk for grpc', 'api', 'backoff'], packages: ['node'] },
  'cmd/web': { holds: ['cmd/web/src'], imports: ['sdk'], packages: ['preact', 'virtua'] },
  'console page': {
    holds: ['cmd/web/console'],
    imports: ['cmd/web'],
    packages: ['preact', 'uplot'],
  },
  'build of cmd/web': { holds: ['cmd/web'], imports: [], packages: ['node', 'vite'] },
  verify: {
    holds: ['internal/verify'],
    imports: ['model', 'sdk', 'sdk for grpc', 'api', 'backoff'],
    packages: ['node', 'ws'],
  },
  'cmd/verify': { holds: ['cmd/verify'], imports: ['verify', 'sdk', 'sdk for grpc'], packages: ['node'] },
  cluster: {
    holds: ['internal/cluster'],
    imports: ['verify', 'embedded', 'servers', 'backoff'],
    packages: ['node'],
  },
  'cmd/chaos': { holds: ['cmd/chaos'], imports: ['cluster', 'verify'], packages: ['node'] },
  'cmd/soak': {
    holds: ['cmd/soak'],
    imports: ['cluster', 'verify', 'sdk', 'sdk for grpc', 'prometheus text'],
    packages: ['node'],
  },
  'cmd/stack-local': { holds: ['cmd/stack-local'], imports: ['embedded', 'servers'], packages: ['node'] },
  'cmd/bench': {
    holds: ['cmd/bench'],
    imports: ['app', 'embedded', 'servers', 'sdk', 'api', 'backoff'],
    packages: ['node', '@grpc/grpc-js', 'pg', 'socket.io', 'ws'],
  },
  'cmd/load-test': {
    holds: ['cmd/load-test'],
    imports: ['cmd/bench', 'cmd/gen-cert', 'app', 'embedded', 'servers', 'sdk', 'sdk for grpc', 'api'],
    packages: ['node'],
  },

  // What stands alone.
  api: { holds: ['pkg/api'], imports: [], packages: 'any' },
  backoff: { holds: ['pkg/backoff'], imports: [], packages: [] },
  'prometheus text': { holds: ['pkg/prometheus-text'], imports: [], packages: [] },
  sdk: { holds: ['pkg/chat-client'], imports: ['api', 'backoff'], packages: [] },
  'sdk for grpc': {
    holds: ['pkg/chat-client/grpc.ts', 'pkg/chat-client/transports/grpc-transport.ts'],
    imports: ['sdk', 'api'],
    packages: ['node', 'nice-grpc', 'nice-grpc-common'],
  },
  'proto-rules': { holds: ['pkg/proto-rules'], imports: [], packages: [] },
  transcoder: { holds: ['pkg/transcoder'], imports: [], packages: ['@bufbuild/protobuf'] },
  openapi: { holds: ['pkg/openapi'], imports: ['proto-rules', 'transcoder'], packages: ['@bufbuild/protobuf'] },

  monitoring: { holds: ['internal/monitoring'], imports: [], packages: [] },

  // What only developers run.
  tools: {
    holds: ['internal/tools'],
    imports: [
      'config',
      'monitoring',
      'openapi',
      'transcoder',
      'app',
      'embedded',
      'servers',
      'sdk',
      'sdk for grpc',
      'service',
      'converter',
      'model',
    ],
    packages: 'any',
  },
  tests: { holds: [], imports: 'any', packages: 'any' },
  'tests of packages': {
    holds: [],
    imports: ['api', 'backoff', 'sdk', 'sdk for grpc', 'proto-rules', 'transcoder', 'openapi', 'prometheus text'],
    packages: 'any',
  },
};
