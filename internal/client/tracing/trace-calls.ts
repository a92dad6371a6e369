import { followsFrom, type Span, Tags } from 'opentracing';
import { activeSpans, withActiveSpans } from './active-spans.ts';

/** The most references in a span. A span for the work of hundreds of calls would otherwise be too large to send. */
const maxReferences = 64;

/**
 * Wraps a part of the service so that each call of its methods within an active span opens a child span named `<name>.<method>`. The methods must return
 * promises or nothing.
 */
export function traceCalls<T extends object>(name: string, part: T): T {
  const methods = new Map<string, unknown>();
  return new Proxy(part, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || typeof key !== 'string') return value;
      let method = methods.get(key);
      if (!method) {
        method = (...args: unknown[]) => traced(`${name}.${key}`, () => Reflect.apply(value, target, args));
        methods.set(key, method);
      }
      return method;
    },
  });
}

function traced<T>(name: string, work: () => Promise<T>): Promise<T> {
  const [parent, ...others] = activeSpans();
  if (!parent) return work();
  const references = others.slice(0, maxReferences).map((span) => followsFrom(span.context()));
  return finishWith(parent.tracer().startSpan(name, { childOf: parent, references }), work);
}

async function finishWith<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await withActiveSpans([span], work);
  } catch (error) {
    tagError(span, error);
    throw error;
  } finally {
    span.finish();
  }
}

/** Marks the span as failed, with the error's name and message. */
export function tagError(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  span.setTag(Tags.ERROR, true);
  span.log({ event: 'error', 'error.kind': name, message });
}
