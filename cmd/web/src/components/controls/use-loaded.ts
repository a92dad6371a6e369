import { useCallback, useEffect, useState } from 'preact/hooks';
import { explain } from '../../session/explain.ts';

/** What a function resolves with, or why it did not; asked again when the function is another one, or by `reload`. */
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
