/** Returns a signal that the first SIGINT or SIGTERM aborts, with an error of this message. A second one ends the process at once. */
export function abortOnInterrupt(message: string): AbortSignal {
  const stop = new AbortController();
  const abort = () => stop.abort(new Error(message));
  process.once('SIGINT', abort).once('SIGTERM', abort);
  return stop.signal;
}
