import type { Suggestion } from '../../mentions/typed-mention.ts';

interface Props {
  id: string;
  suggestions: readonly Suggestion[];
  chosen: number;
  onChoose: (suggestion: Suggestion) => void;
}

/** The members whose names begin like what is typed after an `@`. The text field keeps the focus. */
export function MentionSuggestions({ id, suggestions, chosen, onChoose }: Props) {
  return (
    <div class="suggestions" id={id} role="listbox" aria-label="Members to mention">
      {suggestions.map((suggestion, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: the text field names the chosen one by aria-activedescendant.
        <div
          key={`${suggestion.name} ${suggestion.note}`}
          id={optionId(id, index)}
          class="suggestion"
          role="option"
          aria-selected={index === chosen}
          onMouseDown={(event) => {
            event.preventDefault();
            onChoose(suggestion);
          }}
        >
          <span class="suggestion-name">@{suggestion.name}</span> <span class="suggestion-note">{suggestion.note}</span>
        </div>
      ))}
    </div>
  );
}

export function optionId(id: string, index: number): string {
  return `${id}-${index}`;
}
