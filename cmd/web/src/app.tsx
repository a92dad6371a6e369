import { useCallback, useEffect, useState } from 'preact/hooks';
import type { Transport } from '../../../pkg/chat-client/index.ts';
import { outboxKey, Workspace } from './chats/workspace.ts';
import { SignIn } from './components/sign-in.tsx';
import { WorkspaceView } from './components/workspace-view.tsx';
import { explain } from './session/explain.ts';
import type { SignedIn } from './session/sign-in.ts';
import { logOut } from './session/sign-out.ts';
import { clearSession, onSessionChangeElsewhere, readSession, writeSession } from './session/stored-session.ts';
import { clearTokens, writeTokens } from './session/stored-tokens.ts';
import { useStore } from './store/use-store.ts';

/** Shows the workspace if a user is signed in, otherwise the sign-in page. */
export function App({ newTransport }: { newTransport: () => Transport }) {
  const [workspace, setWorkspace] = useState(() => {
    const session = readSession();
    return session && new Workspace(newTransport(), session);
  });
  const [notice, setNotice] = useState('');

  const end = useCallback(
    (why: string) => {
      setNotice(why);
      setWorkspace(undefined);
      void workspace?.close();
    },
    [workspace],
  );
  useEffect(
    () =>
      onSessionChangeElsewhere(() => {
        if (readSession()?.userId !== workspace?.session.userId) location.reload();
      }),
    [workspace],
  );

  if (!workspace) {
    const begin = async ({ session, tokens }: SignedIn) => {
      await writeTokens(tokens);
      writeSession(session);
      setWorkspace(new Workspace(newTransport(), session));
    };
    return <SignIn transport={newTransport()} notice={notice} onSignedIn={begin} />;
  }
  const signOut = async () => {
    // First, so that it does not refresh a session that is being ended.
    await workspace.close();
    await logOut(newTransport(), workspace.session);
    forgetUnsent(workspace.session.userId);
    end('');
  };
  return (
    <>
      <EndOfSession workspace={workspace} onEnd={end} />
      <WorkspaceView key={workspace.session.userId} workspace={workspace} onSignOut={signOut} />
    </>
  );
}

/** Notices that the client has ended by itself: the session is over, or the user banned. */
function EndOfSession({ workspace, onEnd }: { workspace: Workspace; onEnd: (why: string) => void }) {
  const state = useStore(workspace.connection);
  useEffect(() => {
    if (state.kind !== 'closed' || !state.error) return;
    clearSession();
    void clearTokens().catch(() => {});
    onEnd(explain(state.error));
  }, [state, onEnd]);
  return null;
}

function forgetUnsent(userId: string): void {
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith(`${outboxKey(userId)}/`)) localStorage.removeItem(key);
  }
}
