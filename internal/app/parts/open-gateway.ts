import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import { MessageJson } from '../../../pkg/transcoder/message-json.ts';
import { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import type { HttpConfig } from '../../config/groups/http-config.ts';
import { createGateway } from '../../transport/gateway/gateway.ts';
import { HttpServer } from '../../transport/gateway/http-server.ts';
import type { UnaryCaller } from '../../transport/shared/calls/unary-caller.ts';
import type { LiveStreams } from '../../transport/shared/streams/live-streams.ts';
import { SseForm } from '../../transport/sse/sse-form.ts';
import { sseHandler } from '../../transport/sse/sse-handler.ts';
import type { CertificateFiles } from '../../transport/tls/certificate-files.ts';
import { createHttpServer } from '../../transport/tls/create-http-server.ts';
import { WebSocketServer } from '../../transport/websocket/websocket-server.ts';
import type { ResourceStack } from '../lifecycle/resource-stack.ts';

interface Deps {
  /** Full names of the services whose methods are served. */
  services: readonly string[];
  caller: UnaryCaller;
  /** Absent where there are no chats. */
  streams: LiveStreams | undefined;
  /** Absent: plain HTTP. */
  certificates: CertificateFiles | undefined;
  log: Logger;
  resources: ResourceStack;
}

interface Options {
  host: string;
  http: HttpConfig;
  maxBodyBytes: number;
  maxCommandsPerFrame: number;
  /** How long a connection may be silent before something is sent on it, in milliseconds. */
  keepaliveMs: number;
  /** How long requests under way may take once it is being stopped, in milliseconds. */
  graceMs: number;
}

const api = new URL('../../../pkg/api/', import.meta.url);

/** Where `make web` puts the web page. */
const webPage = fileURLToPath(new URL('../../../cmd/web/dist', import.meta.url));

/** What WebSocket handshakes may take of the time: some five hundred a second, when many come at once. Who would wait for longer than 20 s is refused. */
const handshakes = { budgetMs: 1, turnMs: 20, maxWaiting: 10_000 };

/** How long a WebSocket may be open without a token, and take to answer that it is being closed, in milliseconds. */
const webSocketTimes = { authTimeoutMs: 5_000, closeTimeoutMs: 2_000 };

/** Starts the HTTP side. Returns its port. Throws an error with a clear message if the address cannot be had. */
export async function openGateway(
  { services, caller, streams, certificates, log, resources }: Deps,
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
            form: new SseForm(new MessageJson(descriptors, 'chat.v1.ConnectChatResponse')),
            transcoder,
            log,
          },
          { keepaliveMs },
        ),
      log,
    },
    {
      trustedProxies,
      corsOrigins,
      maxBodyBytes,
      publicUrl,
      openApi: readFileSync(new URL('openapi.json', api), 'utf8'),
      // Without chats there is nothing to show on it.
      webPage: http.webPage && streams ? webPage : undefined,
    },
  );
  const httpServer = createHttpServer(certificates, app);
  const server = new HttpServer(httpServer, { host, port: http.port });
  resources.add('the HTTP server', () => server.stop(graceMs));
  if (streams) {
    const sockets = new WebSocketServer(
      { streams, descriptors, log },
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
