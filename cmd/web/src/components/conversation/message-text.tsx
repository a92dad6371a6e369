import { textParts } from '../../text/text-parts.ts';

/** A message's text, with its web addresses as links. */
export function MessageText({ text }: { text: string }) {
  return (
    <span class="bubble-text">
      {textParts(text).map((part, index) =>
        part.kind === 'text' ? (
          part.text
        ) : (
          <a key={index} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ),
      )}
    </span>
  );
}
