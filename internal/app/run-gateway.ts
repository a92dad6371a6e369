import { readGatewayConfig } from '../config/gateway-config.ts';
import { createLogger } from './logger.ts';
import { runProcess } from './run-process.ts';
import { startGateway } from './start-gateway.ts';
import { toAddress } from './to-address.ts';

/** Runs the gateway by itself, in front of services elsewhere, until it is told to stop. Returns the exit code. */
export function runGateway(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return runProcess(
    { name: 'gateway', does: 'runs the HTTP gateway by itself, in front of the services of GATEWAY_UPSTREAMS', args },
    () => readGatewayConfig(env),
    async (config) => {
      const log = createLogger(config.log);
      for (const warning of config.warnings) log.warn(warning);
      const { httpPort, stop } = await startGateway(config, log);
      const { addresses, tls } = config.upstream;
      const announcement = [
        `  chat-service's gateway is ready${config.tls ? ' (TLS)' : ''}`,
        `    HTTP      ${config.tls ? 'https' : 'http'}://${toAddress(config.host, httpPort)}  (web page, REST, WebSocket; documentation at /docs)`,
        `    services  ${addresses.join(', ')}${tls ? ' (TLS)' : ''}`,
      ];
      return { log, failed: new Promise<Error>(() => {}), announcement, stop };
    },
  );
}
