import { closeSync, openSync } from 'node:fs';

/**
 * Returns a function that says whether the terminal in which the program was started has been closed. The system reports that by SIGHUP, and the program
 * should end then, like any other in that terminal.
 */
export function watchTerminal(): () => boolean {
  const hadTerminal = hasTerminal();
  return () => hadTerminal && !hasTerminal();
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
