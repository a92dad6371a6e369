import { announceAdmin } from '../../internal/app/process/announce-admin.ts';
import { runProcess } from '../../internal/app/process/run-process.ts';
import { toAddress } from '../../internal/app/process/to-address.ts';
import { startGateway } from '../../internal/app/start-gateway.ts';
import { readGatewayConfig } from '../../internal/config/gateway-config.ts';

/** Runs the gateway alone, in front of services in other processes, until a signal stops it. Returns the exit code. */
export function runGateway(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runProcess(
    { name: 'gateway', does: 'runs the HTTP gateway alone, in front of the services at GATEWAY_UPSTREAMS', args },
    env,
    readGatewayConfig,
    async ({ live }, log) => {
      const config = live.current;
      const { httpPort, adminPort, stop } = await startGateway(live, log);
      const { addresses, tls } = config.upstream;
      const announcement = [
        `  chat-service's gateway is ready${config.tls ? ' (TLS)' : ''}`,
        `    HTTP      ${config.tls ? 'https' : 'http'}://${toAddress(config.listen.host, httpPort)}  (web page, REST, WebSocket; documentation at /docs)`,
        `    services  ${addresses.join(', ')}${tls ? ' (TLS)' : ''}`,
        ...announceAdmin(config.admin, adminPort),
      ];
      return { failed: new Promise<Error>(() => {}), announcement, stop };
    },
  );
}
