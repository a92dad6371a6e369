import { useSyncExternalStore } from 'preact/compat';
import type { Store } from './store.ts';

/** Returns the store's value, and draws the component again when it changes. */
export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, () => store.value);
}
