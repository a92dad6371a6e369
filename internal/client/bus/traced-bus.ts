import { type Span, type SpanContext, type SpanOptions, Tags } from 'opentracing';
import type { TraceContext } from '../../model/trace-context.ts';
import { activeSpans, withActiveSpansNow } from '../tracing/active-spans.ts';
import { referTo } from '../tracing/trace-calls.ts';
import { contextOf, spanIn } from '../tracing/trace-context.ts';
import type { Tracing } from '../tracing/tracing.ts';
import type { Bus, BusState, ChatPublication, Unsubscribe } from './bus.ts';
import { chatTopic } from './topic-names.ts';

type EntriesPublication = Extract<ChatPublication, { kind: 'entries' }>;

interface Deps {
  bus: Bus;
  tracing: Pick<Tracing, 'tracer' | 'isSampled'>;
  /** The kind of broker: `nats`, `redis`, `postgresql` or `memory`. */
  system: string;
}

/**
 * Opens a span for each publication of entries whose trace is recorded, and one for its delivery on each node. The publication carries the context of its
 * span. The attributes are those of OpenTelemetry's conventions for messaging.
 */
export class TracedBus implements Bus {
  readonly #bus: Bus;
  readonly #tracing: Deps['tracing'];
  readonly #system: string;

  constructor({ bus, tracing, system }: Deps) {
    this.#bus = bus;
    this.#tracing = tracing;
    this.#system = system;
  }

  publishToChat(chatId: string, publication: ChatPublication): void {
    const [parent, ...others] = publication.kind === 'entries' ? this.#causesOf(publication) : [];
    if (!parent) return this.#bus.publishToChat(chatId, publication);
    const { entries } = publication as EntriesPublication;
    const span = this.#start('publish', chatId, entries.length, { childOf: parent, references: referTo(others) });
    this.#bus.publishToChat(chatId, { ...(publication as EntriesPublication), traces: [contextOf(span)] });
    span.finish();
  }

  subscribeToChat(chatId: string, handler: (publication: ChatPublication) => void): Promise<Unsubscribe> {
    return this.#bus.subscribeToChat(chatId, (publication) => {
      const [parent] = publication.kind === 'entries' ? this.#spansIn(publication.traces) : [];
      if (!parent) return handler(publication);
      const { entries } = publication as EntriesPublication;
      const span = this.#start('deliver', chatId, entries.length, { childOf: parent });
      withActiveSpansNow([span], () => handler(publication));
      span.finish();
    });
  }

  publishMembershipChange(userIds: readonly string[]): void {
    this.#bus.publishMembershipChange(userIds);
  }

  subscribeToMemberships(userId: string, handler: () => void): Promise<Unsubscribe> {
    return this.#bus.subscribeToMemberships(userId, handler);
  }

  onLoss(listener: () => void): void {
    this.#bus.onLoss(listener);
  }

  get state(): BusState {
    return this.#bus.state;
  }

  onStateChange(listener: (state: BusState) => void): void {
    this.#bus.onStateChange(listener);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  /** The spans that wrote the entries: those that the publication names, or else the active one. */
  #causesOf({ traces }: EntriesPublication): SpanContext[] {
    return traces ? this.#spansIn(traces) : activeSpans().map((span) => span.context());
  }

  #spansIn(traces: readonly TraceContext[] = []): SpanContext[] {
    const { tracer, isSampled } = this.#tracing;
    return traces.flatMap((context) => spanIn(tracer, context) ?? []).filter(isSampled);
  }

  #start(name: keyof typeof operations, chatId: string, entries: number, options: SpanOptions): Span {
    const { kind, type } = operations[name];
    const tags = {
      [Tags.SPAN_KIND]: kind,
      'messaging.system': this.#system,
      'messaging.operation.name': name,
      'messaging.operation.type': type,
      'messaging.destination.name': chatTopic(chatId),
      'messaging.batch.message_count': entries,
      'chat.id': chatId,
    };
    return this.#tracing.tracer.startSpan(`${name} chat`, { ...options, tags });
  }
}

const operations = {
  publish: { kind: Tags.SPAN_KIND_MESSAGING_PRODUCER, type: 'send' },
  deliver: { kind: Tags.SPAN_KIND_MESSAGING_CONSUMER, type: 'process' },
} as const;
