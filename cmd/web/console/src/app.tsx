import { useEffect, useState } from 'preact/hooks';
import { rooms } from './rooms/index.ts';
import { ConsoleApi } from './session/console-api.ts';
import { SignIn } from './sign-in.tsx';

/** The console: signing in, then one room at a time, by the address's fragment. */
export function App() {
  const [api, setApi] = useState(() => ConsoleApi.restore(() => setApi(undefined)));
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  if (!api) return <SignIn onSignedIn={setApi} onSignedOut={() => setApi(undefined)} />;
  const room = rooms.find(({ id }) => hash === `#/${id}`) ?? rooms[0]!;
  const { View } = room;
  return (
    <div class="console">
      <header class="console-header">
        <strong>Chat console</strong>
        <nav aria-label="Rooms">
          <ul>
            {rooms.map(({ id, title }) => (
              <li key={id}>
                <a href={`#/${id}`} aria-current={id === room.id ? 'page' : undefined}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <button type="button" class="link-button" onClick={() => api.signOut()}>
          Sign out
        </button>
      </header>
      <main>
        <h1>{room.title}</h1>
        <View key={room.id} api={api} />
      </main>
    </div>
  );
}
