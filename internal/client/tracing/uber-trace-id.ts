/** `<version>-<trace id>-<span id>-<flags>`. Source: https://www.w3.org/TR/trace-context/ */
const w3c = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** `<trace id>:<span id>:<parent id>:<flags>`. Source: https://www.jaegertracing.io/docs/1.76/client-libraries/#propagation-format */
const uber = /^([0-9a-f]{1,32})(?::|%3a)([0-9a-f]{1,16})(?::|%3a)[0-9a-f]{1,16}(?::|%3a)([0-9a-f]{1,2})$/i;

/** In both forms the lowest bit says that the trace is recorded. */
function isRecorded(flags: string): 0 | 1 {
  return (Number.parseInt(flags, 16) & 1) as 0 | 1;
}

/** The same context as `traceparent`; undefined if the header is malformed. */
export function toTraceparent(uberTraceId: string | undefined): string | undefined {
  const [, traceId, spanId, flags] = uber.exec(uberTraceId ?? '') ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  const traceparent = `00-${traceId.padStart(32, '0')}-${spanId.padStart(16, '0')}-0${isRecorded(flags)}`.toLowerCase();
  return w3c.test(traceparent) ? traceparent : undefined;
}

/** The same context as `uber-trace-id`; undefined if the header is malformed. */
export function toUberTraceId(traceparent: string | undefined): string | undefined {
  const [, traceId, spanId, flags] = w3c.exec(traceparent ?? '') ?? [];
  return flags && `${traceId}:${spanId}:0:${isRecorded(flags)}`;
}
