import type { Event } from '../../api/chat/v1/chat.ts';
import { Backoff } from '../../backoff/backoff.ts';
import { sleep } from '../../backoff/sleep.ts';
import type { TokenKeeper } from '../auth/token-source.ts';
import { ChatClientError, toChatClientError } from '../errors/chat-error.ts';
import type { ConnectionState } from '../events/chat-client-events.ts';
import { retryPauses } from '../timing/retry-pauses.ts';
import type { Stream, Transport } from '../transports/transport.ts';
import { onNetworkChange } from './network-changes.ts';
import { Watchdog } from './watchdog.ts';

interface Deps {
  transport: Transport;
  tokens: TokenKeeper;
  closed: AbortSignal;
  onState(state: ConnectionState): void;
  onEvent(stream: Stream, event: Event): void;
  /** The stream is over; nothing sent on it will be answered. */
  onEnd(): void;
}

/** Codes after which another attempt with the same credentials is hopeless. */
const hopeless = new Set(['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'UNIMPLEMENTED']);

/** The same of refused credentials; other tokens that are refused may be followed by better ones. */
const hopelessReasons = new Set(['WRONG_CREDENTIALS', 'REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED']);

/** A stream that lives so long has been a success, in milliseconds: what ends one sooner may end the next one, too. */
const settledMs = 3_000;

/** The longest that a timer can wait, in milliseconds: about 25 days. */
const maxTimerMs = 2 ** 31 - 1;

/** One stream after the other, until the client is closed or it is hopeless. */
export class Connection {
  readonly #deps: Deps;
  readonly #silenceMs: number;
  readonly #backoff = new Backoff(retryPauses);
  #watchdog: Watchdog | undefined;
  #wake = new AbortController();
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(deps: Deps, { silenceMs }: { silenceMs: number }) {
    this.#deps = deps;
    this.#silenceMs = silenceMs;
  }

  /** Resolves with the error that makes it hopeless, with undefined when the client is closed. Never throws. */
  async run(): Promise<ChatClientError | undefined> {
    const { closed, onState, tokens } = this.#deps;
    const stopListening = onNetworkChange((online) => {
      this.#watchdog?.probe();
      if (online) this.#wake.abort();
    });
    try {
      while (!closed.aborted) {
        onState({ kind: 'connecting' });
        const error = await this.#connectOnce();
        if (closed.aborted) break;
        if (error.code === 'UNAUTHENTICATED') tokens.drop();
        if (hopeless.has(error.code) || hopelessReasons.has(error.reason)) return error;
        this.#wake = new AbortController();
        const retryInMs = this.#backoff.next(error.retryAfterMs);
        onState({ kind: 'offline', error, retryInMs });
        await sleep(retryInMs, AbortSignal.any([closed, this.#wake.signal]));
      }
      return undefined;
    } finally {
      stopListening();
    }
  }

  /** To be called when the service has let the client in. */
  succeeded(): void {
    this.#settling = setTimeout(() => this.#backoff.reset(), settledMs);
  }

  /** How long to wait before asking again for what was refused on the stream, in milliseconds. */
  retryInMs({ retryAfterMs }: ChatClientError): number {
    return this.#backoff.next(retryAfterMs);
  }

  /** Resolves with what ended the stream. */
  async #connectOnce(): Promise<ChatClientError> {
    const { transport, tokens, closed, onEvent, onEnd } = this.#deps;
    const ended = new AbortController();
    const abort = () => ended.abort();
    closed.addEventListener('abort', abort, { once: true });
    let retryAfterMs: number | undefined;
    try {
      const { token } = await tokens.get();
      const stream = transport.connect(token, ended.signal);
      const ask = () => stream.send({ commandId: '', command: { $case: 'ping', value: {} } });
      this.#watchdog = new Watchdog(this.#silenceMs, { ask, giveUp: abort });
      this.#renewLater(stream, token, ended.signal);
      for await (const events of stream.frames) {
        this.#watchdog.heard();
        for (const event of events) {
          if (event.event?.$case === 'closing') retryAfterMs = event.event.value.retryAfterMs;
          onEvent(stream, event);
        }
      }
      return new ChatClientError('the service ended the stream', { code: 'UNAVAILABLE', retryAfterMs });
    } catch (error) {
      const { message, code, reason, violations, retryAfterMs: hintMs } = toChatClientError(error);
      const details = { code, reason, violations, retryAfterMs: retryAfterMs ?? hintMs, cause: error };
      return new ChatClientError(message, details);
    } finally {
      this.#watchdog?.stop();
      this.#watchdog = undefined;
      clearTimeout(this.#renewal);
      clearTimeout(this.#settling);
      ended.abort();
      closed.removeEventListener('abort', abort);
      onEnd();
    }
  }

  /** `told` is the token that the stream has. */
  #renewLater(stream: Stream, told: string, ended: AbortSignal): void {
    const { tokens } = this.#deps;
    const renew = async () => {
      const { token } = await tokens.get();
      if (ended.aborted) return;
      if (token !== told) stream.send({ commandId: '', command: { $case: 'authenticate', value: { token } } });
      this.#renewLater(stream, token, ended);
    };
    const waitMs = Math.min(tokens.renewInMs + 10, maxTimerMs);
    // A failure shows when the old token expires; the stream then ends and is opened anew.
    this.#renewal = setTimeout(() => void renew().catch(() => {}), waitMs);
  }
}
