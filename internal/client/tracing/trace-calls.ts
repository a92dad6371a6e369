import { followsFrom, type Span, type SpanContext, Tags } from 'opentracing';
import { ChatError } from '../../model/errors.ts';
import { activeSpans, withActiveSpans } from './active-spans.ts';

/** The most references in a span. A span for the work of hundreds of calls would otherwise be too large to send. */
const maxReferences = 64;

/**
 * Returns an object like `part` that opens a child span named `<name>.<method>` for each call of a method within an active span. The methods must return
 * promises or nothing.
 */
export function traceCalls<T extends object>(name: string, part: T): T {
  const tracedPart: T = Object.create(part);
  for (const key of keysOf(part)) {
    if (isGetter(part, key)) {
      Object.defineProperty(tracedPart, key, { get: () => Reflect.get(part, key) });
      continue;
    }
    const value: unknown = Reflect.get(part, key);
    if (typeof value !== 'function' || key === 'constructor') continue;
    const spanName = `${name}.${key}`;
    const method = (...args: unknown[]) => traced(spanName, () => Reflect.apply(value, part, args));
    Object.defineProperty(tracedPart, key, { value: method });
  }
  return tracedPart;
}

/** The names of an object's properties and methods, also those of its class and the classes above. */
function keysOf(part: object): Set<string> {
  const keys = new Set<string>();
  for (let at = part; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertyNames(at)) keys.add(key);
  }
  return keys;
}

function isGetter(part: object, key: string): boolean {
  for (let at = part; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, key);
    if (descriptor) return descriptor.get !== undefined;
  }
  return false;
}

/** Does the work in a child of the active span, which follows from the other active spans. Without an active span it only does the work. */
export function traced<T>(name: string, work: () => Promise<T>, tags: Record<string, unknown> = {}): Promise<T> {
  const [parent, ...others] = activeSpans();
  if (!parent) return work();
  const references = referTo(others.map((span) => span.context()));
  return finishWith(parent.tracer().startSpan(name, { childOf: parent, references, tags }), work);
}

/** References to spans that a span follows from; a limited number of them. */
export function referTo(contexts: readonly SpanContext[]) {
  return contexts.slice(0, maxReferences).map(followsFrom);
}

/** Does the work with the span active, and finishes the span with it. */
export async function finishWith<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await withActiveSpans([span], work);
  } catch (error) {
    tagError(span, error);
    throw error;
  } finally {
    span.finish();
  }
}

/** Marks the span as failed. The message of an error that is not made for clients is left out: it may quote what users have written. */
function tagError(span: Span, error: unknown): void {
  if (error instanceof ChatError) return tagFailure(span, error.reason, error.message);
  tagFailure(span, error instanceof Error ? error.name : 'Error');
}

/** Marks the span as failed, with a kind of error from a short list. */
export function tagFailure(span: Span, type: string, message?: string): void {
  span.setTag(Tags.ERROR, true);
  span.setTag('error.type', type);
  span.log({ event: 'error', 'error.kind': type, ...(message !== undefined && { message }) });
}
