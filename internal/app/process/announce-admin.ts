import type { AdminConfig } from '../../config/groups/admin-config.ts';
import { toAddress } from './to-address.ts';

/** The line that says where operators and administrators ask; none without the endpoint. */
export function announceAdmin({ host, tls }: AdminConfig, port: number | undefined): string[] {
  if (port === undefined) return [];
  const url = `${tls ? 'https' : 'http'}://${toAddress(host, port)}`;
  return [`    metrics   ${url}/metrics  (admin console at /admin)`];
}
