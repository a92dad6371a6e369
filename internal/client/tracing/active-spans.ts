import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from 'opentracing';

const none: readonly Span[] = [];
const scopes = new AsyncLocalStorage<{ spans: readonly Span[] }>();

/** Returns the spans for which the current code runs. Its own spans are children of the first and follow from the others. Empty: it is not traced. */
export function activeSpans(): readonly Span[] {
  return scopes.getStore()?.spans ?? none;
}

/**
 * Runs `work` with the spans active. Code that outlives the work, such as a timer or a loop that serves other calls too, is no longer traced once the
 * work has settled.
 */
export async function withActiveSpans<T>(spans: readonly Span[], work: () => Promise<T>): Promise<T> {
  if (spans.length === 0 && !scopes.getStore()) return work();
  const scope = { spans };
  try {
    return await scopes.run(scope, work);
  } finally {
    scope.spans = none;
  }
}
