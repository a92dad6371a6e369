import { useEffect, useState } from 'preact/hooks';
import type { ConsoleApi } from './console-api.ts';

/** What the process that answers is. */
export interface Facts {
  /** Completes "this process is …". */
  program: string;
  /** The rooms that it serves. */
  rooms: string[];
  /** How many processes the port stands for. */
  workers: number;
}

/** Asks once what the process is. */
export function useFacts(api: ConsoleApi): { facts: Facts | undefined; problem: string } {
  const [facts, setFacts] = useState<Facts>();
  const [problem, setProblem] = useState('');
  useEffect(() => {
    api.get<Facts>('me').then(setFacts, (error: Error) => setProblem(error.message));
  }, [api]);
  return { facts, problem };
}
