import { useEffect, useState } from 'preact/hooks';
import type { ConnectionState } from '../../../../pkg/chat-client/index.ts';
import type { Store } from '../store/store.ts';
import { useStore } from '../store/use-store.ts';

/** The banner appears after the connection was lost for this many milliseconds. */
const quietMs = 800;

/** Shows that there is no connection and when the client tries again. It overlays the page, so that nothing moves. */
export function ConnectionBanner({ connection }: { connection: Store<ConnectionState> }) {
  const state = useStore(connection);
  const online = state.kind === 'online';
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (online) return setLate(false);
    const timer = setTimeout(() => setLate(true), quietMs);
    return () => clearTimeout(timer);
  }, [online]);
  return (
    <div class="banner-place" role="status">
      {!online && late && (
        <p class="banner">
          <span class="banner-dot" />
          <span>No connection. Your messages are kept and sent later.</span>
          {/* Not read out each second. */}
          <span class="banner-countdown" aria-hidden="true">
            <Countdown state={state} />
          </span>
        </p>
      )}
    </div>
  );
}

function Countdown({ state }: { state: ConnectionState }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (state.kind !== 'offline') return;
    const endsAt = Date.now() + state.retryInMs;
    const count = () => setSeconds(Math.max(0, Math.ceil((endsAt - Date.now()) / 1_000)));
    count();
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [state]);
  return <>{state.kind === 'offline' && seconds > 0 ? `Again in ${seconds} s` : 'Connecting …'}</>;
}
