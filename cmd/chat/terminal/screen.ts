/** Why there are no more lines: the input ended, or the user pressed Ctrl-C. */
export type InputEnd = 'end' | 'interrupt';

/** Reads lines from the user and prints lines. */
export interface Screen {
  /** Whether a person types at a terminal: then the next line may arrive while an earlier one is still being carried out. */
  readonly interactive: boolean;
  /** Prints lines, which must be safe for a terminal. A line that is being typed is kept. */
  print(lines: string): void;
  /** Sets the text before the line that is being typed. */
  setPrompt(prompt: string): void;
  /** Calls the listener with the line that is being typed, after each change. */
  onTyped(listener: (line: string) => void): void;
  /** Asks for one line; resolves with undefined if the input has ended. */
  ask(question: string): Promise<string | undefined>;
  /** Calls `take` with each line until the input ends. If not interactive, waits for each call to resolve before the next. Call once. */
  read(take: (line: string) => Promise<void>): Promise<InputEnd>;
  /** To be called while `take` handles a line: removes the line from the screen, because its result will be shown instead. */
  eraseTyped(): void;
  /** Restores the terminal. Twice is harmless. */
  close(): void;
}
