import type { Message } from '../../../../../pkg/chat-client/index.ts';

interface Props {
  message: Message;
  onOpen: () => void;
}

/** Leads from a message to its thread: from the first one with the number of the others, and from each of the others. */
export function ThreadLink({ message: { thread, rootId }, onOpen }: Props) {
  const count = thread?.replyCount ?? 0;
  if (rootId === '' && count === 0) return null;
  return (
    <button type="button" class="link-button thread-link" onClick={onOpen}>
      {rootId !== '' ? 'In a thread' : count === 1 ? '1 answer' : `${count} answers`}
    </button>
  );
}
