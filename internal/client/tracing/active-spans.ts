import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from 'opentracing';

const none: readonly Span[] = [];
const scopes = new AsyncLocalStorage<{ spans: readonly Span[] }>();

/** The spans on whose behalf the current code runs: it belongs to the first and follows from the others. None: it is not traced. */
export function activeSpans(): readonly Span[] {
  return scopes.getStore()?.spans ?? none;
}

/**
 * Does the work, at once, on behalf of the spans. What the work leaves running, such as a timer or a loop that serves others
 * too, is not traced any more once the work has settled.
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
