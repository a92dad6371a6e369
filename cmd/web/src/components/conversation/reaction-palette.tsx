import { useEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../controls/icon.tsx';

/** The reactions that people use most. */
const emojis = [
  ['👍', 'thumbs up'],
  ['❤️', 'heart'],
  ['😂', 'tears of joy'],
  ['🎉', 'party'],
  ['😮', 'surprise'],
  ['😢', 'sadness'],
  ['🙏', 'thanks'],
  ['👀', 'eyes'],
] as const;

interface Props {
  /** Names the message to screen readers. */
  name: string;
  tabIndex: number;
  onReact: (emoji: string) => void;
}

/** The button that opens a row of emoji to react with. */
export function ReactionPalette({ name, tabIndex, onReact }: Props) {
  const [open, setOpen] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    opener.current?.focus();
  };
  useEffect(() => {
    if (!open) return;
    first.current?.focus();
    const onKey = (event: KeyboardEvent) => event.key === 'Escape' && close();
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [open]);
  return (
    <span class="reaction-opener">
      <button
        ref={opener}
        type="button"
        tabIndex={tabIndex}
        aria-label={`React: ${name}`}
        aria-expanded={open}
        title="React"
        onClick={() => setOpen(!open)}
      >
        <Icon name="smile" />
      </button>
      {open && (
        <fieldset class="reaction-palette" aria-label="Reactions">
          {emojis.map(([emoji, label], index) => (
            <button
              key={emoji}
              ref={index === 0 ? first : undefined}
              type="button"
              aria-label={label}
              title={label}
              onClick={() => {
                onReact(emoji);
                close();
              }}
            >
              {emoji}
            </button>
          ))}
        </fieldset>
      )}
    </span>
  );
}
