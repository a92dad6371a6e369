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
  /** The stream has ended: nothing that was sent on it will be answered any more. */
  onEnd(): void;
}

/** Codes after which another attempt with the same credentials would fail, too. */
const hopeless = new Set(['INVALID_ARGUMENT', 'PERMISSION_DENIED', 'FAILED_PRECONDITION', 'UNIMPLEMENTED']);

/** Reasons of UNAUTHENTICATED after which another attempt would fail, too. Otherwise the token source may return a valid token next time. */
const hopelessReasons = new Set(['WRONG_CREDENTIALS', 'REFRESH_TOKEN_INVALID', 'REFRESH_TOKEN_REUSED']);

/** A stream that lasts this many milliseconds resets the waits between attempts; what ends a stream sooner may also end the next one. */
const settledMs = 3_000;

/** The longest delay of a timer in milliseconds, about 25 days. */
const maxTimerMs = 2 ** 31 - 1;

/** Opens one stream after another, until the client is closed or retrying cannot help. */
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

  /** Resolves with the error that retrying cannot solve, or with undefined once the client is closed. Never throws. */
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

  /** Call it when the service has sent `welcome`. */
  succeeded(): void {
    this.#settling = setTimeout(() => this.#backoff.reset(), settledMs);
  }

  /** Returns how many milliseconds to wait before repeating a command that was refused with this error. */
  retryInMs({ retryAfterMs }: ChatClientError): number {
    return this.#backoff.next(retryAfterMs);
  }

  /** Opens one stream. Resolves with the error that ended it. Never throws. */
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

  /** Sends a new token on the stream before the current one expires. `told` is the token that the service has for this stream. */
  #renewLater(stream: Stream, told: string, ended: AbortSignal): void {
    const { tokens } = this.#deps;
    const renew = async () => {
      const { token } = await tokens.get();
      if (ended.aborted) return;
      if (token !== told) stream.send({ commandId: '', command: { $case: 'authenticate', value: { token } } });
      this.#renewLater(stream, token, ended);
    };
    const waitMs = Math.min(tokens.renewInMs + 10, maxTimerMs);
    // A failure needs no handling: the stream ends when the old token expires, and the client opens another one.
    this.#renewal = setTimeout(() => void renew().catch(() => {}), waitMs);
  }
}
