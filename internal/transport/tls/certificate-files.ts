import { experimental, type ServerCredentials } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { TlsConfig } from '../../config/groups/tls-config.ts';
import { type Certificates, readCertificates } from './certificates.ts';

export interface CertificateFilesOptions {
  /** The interval at which the files are read, in milliseconds. */
  pollMs: number;
}

type Listener = (certificates: Certificates) => void;
type CertificateProvider = Parameters<typeof experimental.createCertificateProviderServerCredentials>[0];

const soonMs = 14 * 86_400_000;

/**
 * Holds the server's certificates, and replaces them when the content of their files changes. Files that do not fit together, as in the middle of
 * a renewal, are logged and not used. Open connections keep the certificates with which they began.
 */
export class CertificateFiles {
  readonly #config: TlsConfig;
  readonly #log: Logger;
  readonly #listeners = new Set<Listener>();
  readonly #timer: NodeJS.Timeout;
  #current: Certificates;
  #looking = false;
  #toldFault = '';

  private constructor(config: TlsConfig, log: Logger, pollMs: number, current: Certificates) {
    this.#config = config;
    this.#log = log;
    this.#current = current;
    this.#timer = setInterval(() => void this.look(), pollMs).unref();
    this.#warnOfExpiry();
  }

  /** Reads the files and starts to watch them. Throws an Error that names the setting at fault. */
  static async open(
    config: TlsConfig,
    { log }: { log: Logger },
    { pollMs }: CertificateFilesOptions = { pollMs: 1_000 },
  ): Promise<CertificateFiles> {
    return new CertificateFiles(config, log, pollMs, await readCertificates(config));
  }

  get current(): Certificates {
    return this.#current;
  }

  /** Calls `listener` after each change. Returns a function that removes it. */
  onChange(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Returns credentials for a gRPC server. Each new connection uses the certificates that are current then. */
  grpcCredentials(): ServerCredentials {
    const identity = this.#provide(({ cert, key }) => ({ certificate: cert, privateKey: key }));
    const authority = this.#provide(({ clientCa }) => (clientCa ? { caCertificate: clientCa } : null));
    const { clientCa } = this.#config;
    // The library's type declaration has the two providers in the wrong order.
    const create = experimental.createCertificateProviderServerCredentials as unknown as (
      identity: CertificateProvider,
      authority: CertificateProvider | null,
      requireClientCertificate: boolean,
    ) => ServerCredentials;
    return create(identity, clientCa === undefined ? null : authority, clientCa !== undefined);
  }

  /** Reads the files and adopts what changed. Never throws; logs each fault once. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    try {
      const read = await readCertificates(this.#config);
      this.#toldFault = '';
      if (same(read, this.#current)) return;
      this.#current = read;
      this.#log.info({ expiresAt: read.expiresAt }, 'the TLS certificate was renewed');
      this.#warnOfExpiry();
      for (const listener of this.#listeners) listener(read);
    } catch (error) {
      const { message } = error as Error;
      if (message !== this.#toldFault) this.#log.error({ err: error }, 'keeping the current TLS certificate');
      this.#toldFault = message;
    } finally {
      this.#looking = false;
    }
  }

  /** Stops watching the files. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #provide<Update>(select: (certificates: Certificates) => Update | null): CertificateProvider {
    const stops = new Map<(update: Update | null) => void, () => void>();
    const add = (listener: (update: Update | null) => void) => {
      stops.set(
        listener,
        this.onChange((certificates) => listener(select(certificates))),
      );
      // Deferred: the server starts to watch its credentials only after this call.
      process.nextTick(() => stops.has(listener) && listener(select(this.#current)));
    };
    const remove = (listener: (update: Update | null) => void) => {
      stops.get(listener)?.();
      stops.delete(listener);
    };
    return {
      addCaCertificateListener: add,
      removeCaCertificateListener: remove,
      addIdentityCertificateListener: add,
      removeIdentityCertificateListener: remove,
    } as unknown as CertificateProvider;
  }

  #warnOfExpiry(): void {
    const { expiresAt } = this.#current;
    const leftMs = expiresAt.getTime() - Date.now();
    if (leftMs < 0) this.#log.error({ expiresAt }, 'the TLS certificate has expired');
    else if (leftMs < soonMs) this.#log.warn({ expiresAt }, 'the TLS certificate expires soon');
  }
}

function same(a: Certificates, b: Certificates): boolean {
  return a.cert.equals(b.cert) && a.key.equals(b.key) && String(a.clientCa) === String(b.clientCa);
}
