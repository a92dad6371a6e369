/** Aborts on SIGINT, SIGTERM and SIGHUP, and when the output is closed. A second signal ends the process at once. */
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
