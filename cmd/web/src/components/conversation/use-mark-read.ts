import { useCallback, useEffect, useRef } from 'preact/hooks';
import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';

/** Moves the read mark of a chat to the last message on the screen while the page is visible and has the focus. */
export function useMarkRead(workspace: Workspace, { id, readSeq }: Chat): (seq: number) => void {
  const online = useStore(workspace.connection).kind === 'online';
  const seen = useRef(0);
  const marked = useRef(readSeq);
  const mark = useCallback(() => {
    if (document.visibilityState !== 'visible' || !document.hasFocus() || seen.current <= marked.current) return;
    const before = marked.current;
    marked.current = seen.current;
    workspace.markRead(id, seen.current).catch(() => {
      // Allows another attempt with the next message, or after a reconnection.
      marked.current = before;
    });
  }, [workspace, id]);
  useEffect(() => {
    if (online) mark();
  }, [online, mark]);
  useEffect(() => {
    addEventListener('focus', mark);
    document.addEventListener('visibilitychange', mark);
    return () => {
      removeEventListener('focus', mark);
      document.removeEventListener('visibilitychange', mark);
    };
  }, [mark]);
  return useCallback(
    (seq: number) => {
      seen.current = Math.max(seen.current, seq);
      mark();
    },
    [mark],
  );
}
