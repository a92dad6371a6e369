import { Tags } from 'opentracing';
import { finishWith, referTo } from '../../client/tracing/trace-calls.ts';
import { spanIn } from '../../client/tracing/trace-context.ts';
import type { Tracing } from '../../client/tracing/tracing.ts';
import type { AcceptedMessage } from '../../model/message.ts';

/**
 * Does the work for accepted messages in a span, if the trace of one of them is recorded: a child of the first such message's span, with links to the
 * others'. Statements within it have spans too.
 */
export function traceBatch<T>(
  tracing: Pick<Tracing, 'tracer' | 'isSampled'> | undefined,
  messages: readonly Pick<AcceptedMessage, 'trace'>[],
  work: () => Promise<T>,
): Promise<T> {
  if (!tracing) return work();
  const { tracer, isSampled } = tracing;
  const contexts = messages.flatMap(({ trace }) => (trace && spanIn(tracer, trace)) || []);
  const [parent, ...others] = contexts.filter(isSampled);
  if (!parent) return work();
  const tags = { [Tags.SPAN_KIND]: Tags.SPAN_KIND_MESSAGING_CONSUMER, 'chat.batch.size': messages.length };
  const references = referTo(others);
  return finishWith(tracer.startSpan('write accepted messages', { childOf: parent, references, tags }), work);
}
