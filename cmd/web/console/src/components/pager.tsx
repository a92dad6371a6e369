interface Props {
  /** The tokens of this page and of those before it; the first page's is empty. */
  tokens: readonly string[];
  next: string | undefined;
  onTurn: (tokens: string[]) => void;
}

/** Goes to the next page, and back. */
export function Pager({ tokens, next, onTurn }: Props) {
  return (
    <nav class="row-actions" aria-label="Pages">
      <button
        type="button"
        class="small-button"
        disabled={tokens.length === 1}
        onClick={() => onTurn(tokens.slice(0, -1))}
      >
        Previous page
      </button>
      <button type="button" class="small-button" disabled={!next} onClick={() => next && onTurn([...tokens, next])}>
        Next page
      </button>
    </nav>
  );
}
