/** A span as a collector has received it, whatever its protocol. Ids are hexadecimal. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty: it has no parent. */
  parentSpanId: string;
  name: string;
  /** `client`, `server`, `producer`, `consumer` or `internal`. */
  kind: string;
  /** The name of the program that sent it. */
  service: string;
  tags: Readonly<Record<string, unknown>>;
}

/** Returns `name < parent's name` for each span, in alphabetical order. */
export function treeOf(spans: readonly ReceivedSpan[]): string[] {
  const names = new Map(spans.map(({ spanId, name }) => [spanId, name]));
  return spans.map(({ name, parentSpanId }) => `${name} < ${names.get(parentSpanId) ?? 'nothing'}`).sort();
}
