import type { Typing } from '../../people/typing.ts';
import { useStore } from '../../store/use-store.ts';
import { listOf, nameOf } from '../../text/names.ts';

/** Shows the members who are typing. Its space is always reserved, so that nothing moves. */
export function TypingLine({ typing, chatId }: { typing: Typing; chatId: string }) {
  const users = useStore(typing.state).get(chatId) ?? [];
  const names = users.length > 3 ? ['Several people'] : users.map(nameOf);
  return (
    <div class="typing-line" role="status">
      {users.length > 0 && (
        <span class="typing">
          <span class="typing-dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {listOf(names)} {users.length > 1 ? 'are' : 'is'} typing …
        </span>
      )}
    </div>
  );
}
