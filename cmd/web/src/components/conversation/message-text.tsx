import { type Mention, textParts as mentionParts } from '../../../../../pkg/chat-client/index.ts';
import { textParts } from '../../text/text-parts.ts';

interface Props {
  text: string;
  mentions?: Mention[];
  /** Whether the message is the user's own, which mentions the user in no case. */
  own?: boolean;
  ownId?: string;
}

/** A message's text, with its web addresses as links and whom it mentions. */
export function MessageText({ text, mentions = [], own = false, ownId = '' }: Props) {
  return (
    <span class="bubble-text">
      {mentionParts({ text, mentions }).map((part, index) => {
        if (!part.mention) return <Linked key={index} text={part.text} />;
        const { everyone, userId } = part.mention;
        const isUser = !own && (everyone || userId === ownId);
        return (
          <span key={index} class={isUser ? 'mention mention-own' : 'mention'}>
            {part.text}
          </span>
        );
      })}
    </span>
  );
}

function Linked({ text }: { text: string }) {
  return (
    <>
      {textParts(text).map((part, index) =>
        part.kind === 'text' ? (
          part.text
        ) : (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ),
      )}
    </>
  );
}
