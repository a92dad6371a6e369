/** The headers by which another process continues a trace, by name: `traceparent`, or `uber-trace-id`. It exists only for traces that are recorded. */
export type TraceContext = Readonly<Record<string, string>>;
