/** Aborts when the program is told to end, or nobody reads its output any more. Told twice, it ends at once. */
export function stopSignal(output: NodeJS.WriteStream): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (stop.signal.aborted) process.exit(130);
      stop.abort();
    });
  }
  output.on('error', () => stop.abort());
  return stop.signal;
}
