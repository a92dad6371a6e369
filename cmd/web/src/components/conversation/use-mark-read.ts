import { useCallback, useEffect, useRef } from 'preact/hooks';
import type { Chat } from '../../../../../pkg/chat-client/index.ts';
import type { Workspace } from '../../chats/workspace.ts';
import { useStore } from '../../store/use-store.ts';

/**
 * Moves the read mark of a chat to the last message on the screen while the page is visible and has the focus. Once the mark was moved back, here or on
 * another device, it stays until the chat is opened again.
 */
export function useMarkRead(workspace: Workspace, { id, readSeq, readGeneration }: Chat): (seq: number) => void {
  const online = useStore(workspace.connection).kind === 'online';
  const seen = useRef(0);
  const marked = useRef(readSeq);
  const opened = useRef(readGeneration);
  const setAside = readGeneration > opened.current;
  const mark = useCallback(() => {
    if (setAside || document.visibilityState !== 'visible' || !document.hasFocus() || seen.current <= marked.current)
      return;
    const before = marked.current;
    marked.current = seen.current;
    workspace.markRead(id, seen.current).catch(() => {
      // Allows another attempt with the next message, or after a reconnection.
      marked.current = before;
    });
  }, [workspace, id, setAside]);
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
