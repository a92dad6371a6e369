import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../internal/app/start-gateway.ts';
import { readGatewayConfig } from '../../internal/config/gateway-config.ts';
import { LiveConfig } from '../../internal/config/live/live-config.ts';
import { eventually } from '../../internal/testing/eventually.ts';
import { makeTestCertificates } from '../../internal/testing/services/certificates.ts';
import { startTestService } from '../../internal/testing/services/test-service.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));

/** How the health check ends, and what it says. */
function check(env: Record<string, string>, ...args: string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, _stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stderr }),
    );
  });
}

test.each(['plain text', 'TLS'])('a gateway is asked over HTTP, with %s', async (kind) => {
  const certificates = await makeTestCertificates();
  onTestFinished(() => certificates.remove());
  const tls: Record<string, string> = kind === 'TLS' ? { ...certificates.env } : {};
  const service = await startTestService();
  const env = { ...tls, ADMIN: 'false', GATEWAY_UPSTREAMS: service.address, HTTP_PORT: '0', LOG_LEVEL: 'silent' };
  const { httpPort, stop } = await startGateway(new LiveConfig(readGatewayConfig(env)), pino({ level: 'silent' }));
  onTestFinished(stop);

  const settings = { ...tls, HTTP_PORT: String(httpPort) };
  expect(await check(settings, 'gateway')).toEqual({ code: 0, stderr: '' });
  expect(await check({ ...settings, ROLES: 'gateway' })).toEqual({ code: 0, stderr: '' });
  await service.stop();
  await eventually(async () =>
    expect(await check(settings, 'gateway')).toEqual({ code: 1, stderr: 'not ready (503)\n' }),
  );
});

test('a program that does not answer is not healthy', async () => {
  for (const program of ['server', 'gateway']) {
    const { code, stderr } = await check({ GRPC_PORT: '1', HTTP_PORT: '1' }, program);
    expect([code, stderr]).toEqual([1, expect.stringContaining('ECONNREFUSED')]);
  }
});
