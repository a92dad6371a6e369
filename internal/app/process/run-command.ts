import { ConfigError } from '../../config/reading/env-reader.ts';
import { redactText } from '../redaction/redact.ts';

/** A fault in the command line. `runCommand` prints the usage with it. */
export class UsageError extends Error {}

/**
 * Runs a command that ends by itself. Returns the exit code: 0; 1 if it failed; 2 for a fault in the command line. Prints the reason to standard
 * error.
 */
export async function runCommand(usage: string, work: () => Promise<void>): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (error instanceof UsageError || isParseArgsError(error)) {
      console.error(`error: ${redactText((error as Error).message)}\n\n${usage}`);
      return 2;
    }
    const faults = error instanceof ConfigError ? error.faults : [(error as Error).message];
    for (const fault of faults) console.error(`error: ${redactText(fault)}`);
    return 1;
  }
}

function isParseArgsError(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS');
}
