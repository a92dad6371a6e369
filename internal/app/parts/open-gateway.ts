import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import type { Metrics } from '../../client/metrics/metrics.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { HttpConfig } from '../../config/groups/http-config.ts';
import { createGateway } from '../../transport/gateway/gateway.ts';
import { HttpServer } from '../../transport/gateway/http-server.ts';
import type { UnaryCaller } from '../../transport/shared/calls/unary-caller.ts';
import type { LiveStreams } from '../../transport/shared/streams/live-streams.ts';
import { SseForms } from '../../transport/sse/sse-form.ts';
import { sseHandler } from '../../transport/sse/sse-handler.ts';
import type { CertificateFiles } from '../../transport/tls/certificate-files.ts';
import { createHttpServer } from '../../transport/tls/create-http-server.ts';
import { WebSocketServer } from '../../transport/websocket/websocket-server.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

interface Deps {
  /** Full names of the gRPC services that are served as REST. */
  services: readonly string[];
  caller: UnaryCaller;
  /** Absent in an auth-server, which has no chats. */
  streams: LiveStreams | undefined;
  /** Absent: plain HTTP. */
  certificates: CertificateFiles | undefined;
  /** Absent: requests have no spans. */
  tracing: Tracing | undefined;
  log: Logger;
  metrics: Metrics;
  resources: ResourceStack;
}

interface Options {
  host: string;
  http: HttpConfig;
  maxBodyBytes: number;
  maxCommandsPerFrame: number;
  /** How long a connection may be silent before the server sends something on it, in milliseconds. */
  keepaliveMs: number;
  /** How long requests under way may take after `stop`, in milliseconds. */
  graceMs: number;
}

const api = new URL('../../../pkg/api/', import.meta.url);

/** The folder in which `make web` builds the web page. */
const webPage = fileURLToPath(new URL('../../../cmd/web/dist', import.meta.url));

/**
 * WebSocket handshakes may use a twentieth of the CPU time, which is some 500 a second. Of clients that connect together, those that would wait for
 * longer than 20 s are refused.
 */
const handshakes = { budgetMs: 1, turnMs: 20, maxWaiting: 10_000 };

/** How long a WebSocket may be open without a token, and how long its client may take to answer a close, in milliseconds. */
const webSocketTimes = { authTimeoutMs: 5_000, closeTimeoutMs: 2_000 };

/** Starts the HTTP side. Returns its port. Throws an error with a clear message if it cannot listen on the address. */
export async function openGateway(
  { services, caller, streams, certificates, tracing, log, metrics, resources }: Deps,
  { host, http, maxBodyBytes, maxCommandsPerFrame, keepaliveMs, graceMs }: Options,
): Promise<number> {
  const descriptors = readFileSync(new URL('descriptors.binpb', api));
  const transcoder = Transcoder.create(descriptors, services);
  const { trustedProxies, corsOrigins, publicUrl } = http;
  const app = createGateway(
    {
      transcoder,
      caller,
      events:
        streams &&
        sseHandler(
          {
            streams,
            forms: new SseForms(new MessageJson(descriptors, 'chat.v1.ConnectChatResponse')),
            transcoder,
            log,
          },
          { keepaliveMs },
        ),
      tracing,
      log,
      metrics,
    },
    {
      trustedProxies,
      corsOrigins,
      maxBodyBytes,
      publicUrl,
      openApi: readFileSync(new URL('openapi.json', api), 'utf8'),
      // The page shows chats, which an auth-server does not have.
      webPage: http.webPage && streams ? webPage : undefined,
    },
  );
  const httpServer = createHttpServer(certificates, app);
  const server = new HttpServer(httpServer, { host, port: http.port });
  resources.add('the HTTP server', () => server.stop(graceMs));
  if (streams) {
    const sockets = new WebSocketServer(
      { streams, descriptors, tracing, log },
      {
        ...webSocketTimes,
        maxFrameBytes: maxBodyBytes,
        maxCommandsPerFrame,
        handshakes,
        compression: http.webSocketCompression,
        keepaliveMs,
        trustedProxies,
        corsOrigins,
        publicUrl,
      },
    );
    sockets.attach(httpServer);
    resources.add('the WebSockets', () => sockets.stop());
  }
  return server.listen();
}
