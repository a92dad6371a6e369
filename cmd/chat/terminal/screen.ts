/** Why there are no more lines: the input came to its end, or the person broke it off. */
export type InputEnd = 'end' | 'interrupt';

/** Where lines are read from and printed to. */
export interface Screen {
  /** Whether somebody sits before it: then lines come while others are still being carried out. */
  readonly interactive: boolean;
  /** Prints lines, which must be safe for a terminal; the line that is being typed stays as it is. */
  print(lines: string): void;
  /** What stands before the line that is typed. */
  setPrompt(prompt: string): void;
  /** Calls back whenever the line that is typed has changed. */
  onTyped(listener: (line: string) => void): void;
  /** Asks for one line; undefined if there is none. */
  ask(question: string): Promise<string | undefined>;
  /** Calls back with each line until there are no more. Unless interactive, waits for each to be carried out. Call once. */
  read(take: (line: string) => Promise<void>): Promise<InputEnd>;
  /** Called while a line is being taken: removes it from the screen, as something else will show what became of it. */
  eraseTyped(): void;
  /** Gives the terminal back as it was. Twice is harmless. */
  close(): void;
}
