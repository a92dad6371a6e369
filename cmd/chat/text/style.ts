/** Colours for parts of a line. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  /** What the user must not overlook. */
  mark(text: string): string;
  /** Text about a user, in that user's colour. */
  name(text: string, userId: string): string;
}

/** No colours: for pipes, files and NO_COLOR. */
export const plainStyle: Style = {
  bold: (text) => text,
  dim: (text) => text,
  mark: (text) => text,
  name: (text) => text,
};

const terminalStyle: Style = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
  mark: (text) => `\x1b[1;7m${text}\x1b[22;27m`,
  name: (text, userId) => `\x1b[1;${colourOf(userId)}m${text}\x1b[22;39m`,
};

/** Red, green, yellow, blue, magenta or cyan: readable on dark and light backgrounds. */
function colourOf(userId: string): number {
  let sum = 0;
  for (const character of userId) sum = (sum * 31 + character.codePointAt(0)!) % 0xffff;
  return 31 + (sum % 6);
}

/** Colours if the output is a terminal that has them and NO_COLOR is not set. Source: https://no-color.org */
export function styleFor(output: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Style {
  return output.isTTY && output.hasColors(env) ? terminalStyle : plainStyle;
}
