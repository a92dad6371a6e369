const wide = /^[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{Emoji_Presentation}]/u;

/** Shows what a terminal would show. Supports the control codes that the program may use, and throws for any other. */
export class VirtualTerminal {
  readonly #columns: number;
  readonly #rows: number;
  /** The cells of all rows, including those that have scrolled away. A wide character is followed by an empty cell. */
  readonly #lines: string[][] = [[]];
  #row = 0;
  #column = 0;
  #unread = '';

  constructor({ columns, rows }: { columns: number; rows: number }) {
    this.#columns = columns;
    this.#rows = rows;
  }

  /** All lines, without trailing spaces. */
  get lines(): string[] {
    return this.#lines.map((cells) =>
      cells
        .map((cell) => cell ?? ' ')
        .join('')
        .trimEnd(),
    );
  }

  /** The cursor's line, up to the cursor. */
  get beforeCursor(): string {
    return this.#lines[this.#row]!.slice(0, this.#column).join('');
  }

  write(output: string): void {
    let rest = this.#unread + output;
    while (rest !== '') {
      const [token] = /^(?:\x1b\[[\d;]*[A-Za-z]|[\r\n]|[^\x00-\x1f\x7f-\x9f])/u.exec(rest) ?? [];
      if (token === undefined) {
        if (/^\x1b(?:\[[\d;]*)?$/.test(rest)) break;
        throw new Error(`a control code has reached the terminal: ${JSON.stringify(rest.slice(0, 20))}`);
      }
      this.#take(token);
      rest = rest.slice(token.length);
    }
    this.#unread = rest;
  }

  #take(token: string): void {
    if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#moveTo(this.#row + 1);
    else if (token.startsWith('\x1b')) this.#control(token);
    else this.#put(token);
  }

  #put(character: string): void {
    const width = wide.test(character) ? 2 : 1;
    if (this.#column + width > this.#columns) {
      this.#moveTo(this.#row + 1);
      this.#column = 0;
    }
    const line = this.#lines[this.#row]!;
    for (let i = line.length; i < this.#column; i++) line[i] = ' ';
    line[this.#column] = character;
    if (width === 2) line[this.#column + 1] = '';
    this.#column += width;
  }

  #control(sequence: string): void {
    const argument = Number(sequence.slice(2, -1));
    const count = argument || 1;
    const line = this.#lines[this.#row]!;
    // A cursor behind the last cell counts as in the last cell.
    const column = Math.min(this.#column, this.#columns - 1);
    switch (sequence.at(-1)) {
      case 'A':
        return this.#moveTo(Math.max(this.#row - count, this.#lines.length - this.#rows, 0));
      case 'B':
        return this.#moveTo(Math.min(this.#row + count, this.#lines.length - 1));
      case 'C':
        this.#column = Math.min(column + count, this.#columns - 1);
        return;
      case 'D':
        this.#column = Math.max(column - count, 0);
        return;
      case 'G':
        this.#column = count - 1;
        return;
      case 'J':
        line.length = Math.min(line.length, column);
        for (let row = this.#row + 1; row < this.#lines.length; row++) this.#lines[row] = [];
        return;
      case 'm':
        return;
      default:
        throw new Error(`a control code that the program does not use: ${JSON.stringify(sequence)}`);
    }
  }

  #moveTo(row: number): void {
    while (this.#lines.length <= row) this.#lines.push([]);
    this.#row = row;
  }
}
