import type { EnvReader } from '../reading/env-reader.ts';
import { isLoopback } from '../reading/insecure.ts';

/** The endpoint for operators: metrics and health. */
export interface AdminConfig {
  enabled: boolean;
  host: string;
  /** 0: any free port. If it is the usual one and another process has that, there is no endpoint. */
  port: number;
  /** What requests must carry as a bearer token; absent: nothing. */
  token: string | undefined;
}

/** The port that exporters of OpenTelemetry and many others use. */
export const usualAdminPort = 9_464;
const minTokenLength = 16;

export function readAdmin(read: EnvReader): AdminConfig {
  const admin = {
    enabled: read.boolean('ADMIN', true),
    host: read.string('ADMIN_HOST', '127.0.0.1'),
    port: read.integer('ADMIN_PORT', usualAdminPort, { min: 0, max: 65_535 }),
    token: read.string('ADMIN_TOKEN', '') || undefined,
  };
  read.require(
    !admin.enabled || isLoopback(admin.host) || admin.token !== undefined,
    `ADMIN_HOST ${admin.host} can be reached from other machines: set ADMIN_TOKEN`,
  );
  read.require(
    admin.token === undefined || admin.token.length >= minTokenLength,
    `ADMIN_TOKEN must have at least ${minTokenLength} characters`,
  );
  return admin;
}
