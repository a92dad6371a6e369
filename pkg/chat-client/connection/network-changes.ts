/**
 * Calls the listener when the browser reports that the network is available (true) or not (false). Returns a function that removes the
 * listener. Does nothing outside browsers.
 */
export function onNetworkChange(listener: (online: boolean) => void): () => void {
  const target = globalThis as unknown as Partial<EventTarget>;
  if (typeof target.addEventListener !== 'function') return () => {};
  const online = () => listener(true);
  const offline = () => listener(false);
  target.addEventListener('online', online);
  target.addEventListener('offline', offline);
  return () => {
    target.removeEventListener?.('online', online);
    target.removeEventListener?.('offline', offline);
  };
}
