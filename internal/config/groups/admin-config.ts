import type { EnvReader } from '../reading/env-reader.ts';
import { findPlainUrls, type Insecurity, isLoopback } from '../reading/insecure.ts';
import { readTls, type TlsConfig } from './tls-config.ts';

/** The endpoint for operators: metrics, health, and reports of the process about itself. */
export interface AdminConfig {
  enabled: boolean;
  host: string;
  /** 0: any free port. If it is the usual one and another process has that, there is no endpoint. */
  port: number;
  /** What requests must carry as a bearer token; absent: nothing. */
  token: string | undefined;
  /** Whether administrators may look at the messages of any chat in the console. Each look is in the audit log. */
  showMessages: boolean;
  /** The Prometheus that the console's dashboards are drawn from; absent: none. */
  prometheusUrl: string | undefined;
  /** Absent: plain text. */
  tls: TlsConfig | undefined;
}

/** The port that exporters of OpenTelemetry and many others use. */
export const usualAdminPort = 9_464;
const minTokenLength = 16;
const tlsSettings = { cert: 'ADMIN_TLS_CERT', key: 'ADMIN_TLS_KEY', clientCa: 'ADMIN_CLIENT_CA' };

export function readAdmin(read: EnvReader): AdminConfig {
  const admin = {
    enabled: read.boolean('ADMIN', true),
    host: read.string('ADMIN_HOST', '127.0.0.1'),
    port: read.integer('ADMIN_PORT', usualAdminPort, { min: 0, max: 65_535 }),
    token: read.optional('ADMIN_TOKEN'),
    showMessages: read.boolean('ADMIN_SHOW_MESSAGES', true),
    prometheusUrl: read.url('ADMIN_PROMETHEUS_URL', ['http:', 'https:']),
    tls: readTls(read, tlsSettings),
  };
  read.require(
    !isExposed(admin) || admin.token !== undefined || admin.tls?.clientCa !== undefined,
    `ADMIN_HOST ${admin.host} can be reached from other machines: set ADMIN_TOKEN or ADMIN_CLIENT_CA`,
  );
  read.require(
    admin.token === undefined || admin.token.length >= minTokenLength,
    `ADMIN_TOKEN must have at least ${minTokenLength} characters`,
  );
  return admin;
}

/** Listening in plain text where other machines can connect, and a Prometheus that is asked by plain text elsewhere. */
export function findAdminInsecurities(admin: AdminConfig): Insecurity[] {
  const asked = findPlainUrls({ ADMIN_PROMETHEUS_URL: admin.prometheusUrl });
  if (!isExposed(admin) || admin.tls) return asked;
  const what = `ADMIN_HOST ${admin.host} can be reached from other machines without TLS: set ADMIN_TLS_CERT and ADMIN_TLS_KEY`;
  return [{ word: 'plaintext', what, exposed: true }, ...asked];
}

function isExposed({ enabled, host }: AdminConfig): boolean {
  return enabled && !isLoopback(host);
}
