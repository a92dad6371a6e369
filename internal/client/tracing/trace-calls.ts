import { followsFrom, type Span, Tags } from 'opentracing';
import { activeSpans, withActiveSpans } from './active-spans.ts';

/** A span of the work of hundreds would be too large to be sent, were each of them referred to. */
const maxReferences = 64;

/**
 * The same part of the service, but every call of one of its methods that is made on behalf of a span gets a span of its own,
 * a child of that one, named `<name>.<method>`. The methods must return promises, or nothing.
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

/** Marks the span's work as failed, and says with what. */
export function tagError(span: Span, error: unknown): void {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  span.setTag(Tags.ERROR, true);
  span.log({ event: 'error', 'error.kind': name, message });
}
