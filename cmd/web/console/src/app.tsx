import { useEffect, useState } from 'preact/hooks';
import { Problem } from '../../src/components/controls/problem.tsx';
import { WorkerChoice } from './components/worker-choice.tsx';
import { rooms } from './rooms/index.ts';
import { ConsoleApi } from './session/console-api.ts';
import { useFacts } from './session/use-facts.ts';
import { SignIn } from './sign-in.tsx';

/** The console: signing in, then one room at a time, by the address's fragment. */
export function App() {
  const [api, setApi] = useState(() => ConsoleApi.restore(() => setApi(undefined)));
  if (!api) return <SignIn onSignedIn={setApi} onSignedOut={() => setApi(undefined)} />;
  return <Rooms api={api} />;
}

function Rooms({ api }: { api: ConsoleApi }) {
  const [hash, setHash] = useState(location.hash);
  const [worker, setWorker] = useState<number>();
  const { facts, problem } = useFacts(api);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  const choose = (number: number | undefined) => {
    api.worker = number;
    setWorker(number);
  };
  const [id, query] = hash.slice(2).split('?');
  const room = rooms.find((each) => each.id === id) ?? rooms[0]!;
  const { View } = room;
  const isServed = facts === undefined || facts.rooms.includes(room.id);
  return (
    <div class="console">
      <header class="console-header">
        <strong>Chat console</strong>
        <nav aria-label="Rooms">
          <ul>
            {rooms.map((each) => (
              <li key={each.id}>
                <a href={`#/${each.id}`} aria-current={each.id === room.id ? 'page' : undefined}>
                  {each.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        {facts && facts.workers > 1 && <WorkerChoice count={facts.workers} onChoose={choose} />}
        <button type="button" class="link-button" onClick={() => api.signOut()}>
          Sign out
        </button>
      </header>
      <main>
        <h1>{room.title}</h1>
        <Problem text={problem} />
        {isServed ? (
          <View key={`${room.id} ${worker}`} api={api} parameters={new URLSearchParams(query)} />
        ) : (
          <p class="hint">
            This process is {facts.program}, which does not serve this room. Ask the admin port of a process with the
            chat service.
          </p>
        )}
      </main>
    </div>
  );
}
