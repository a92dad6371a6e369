import { ServerProcess } from '../../internal/servers/server-process.ts';

/** Jaeger 2, which keeps traces in memory. Its port is that for OTLP over HTTP; its page is at the usual port 16686. */
export function startJaeger(): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'jaeger',
    args: (port) => [`--set=receivers.otlp.protocols.http.endpoint=127.0.0.1:${port}`],
  });
}
