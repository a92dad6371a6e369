/** How parts of a line stand out. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
}

/** No colours: for pipes, files and those who do not want them. */
export const plainStyle: Style = { bold: (text) => text, dim: (text) => text };

const terminalStyle: Style = {
  bold: (text) => `\x1b[1m${text}\x1b[22m`,
  dim: (text) => `\x1b[2m${text}\x1b[22m`,
};

/** Colours if it is a terminal that has them, and NO_COLOR does not ask for none. Source: https://no-color.org */
export function styleFor(output: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Style {
  return output.isTTY && output.hasColors(env) ? terminalStyle : plainStyle;
}
