/** Tells of the browser's guesses whether there is a network; returns how to stop. Does nothing outside of browsers. */
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
