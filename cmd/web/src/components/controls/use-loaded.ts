import { useCallback, useEffect, useState } from 'preact/hooks';
import { explain } from '../../session/explain.ts';

/** Calls an asynchronous function and returns its value or its error. Calls it again when the function changes or `reload` is called. */
export function useLoaded<T>(load: () => Promise<T>): { value: T | undefined; problem: string; reload: () => void } {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState('');
  const [turn, setTurn] = useState(0);
  // Another turn asks again.
  useEffect(() => {
    let current = true;
    load().then(
      (loaded) => {
        if (!current) return;
        setValue(loaded);
        setProblem('');
      },
      (error: unknown) => current && setProblem(explain(error)),
    );
    return () => {
      current = false;
    };
  }, [load, turn]);
  return { value, problem, reload: useCallback(() => setTurn((before) => before + 1), []) };
}
