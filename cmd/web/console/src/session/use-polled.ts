import { useCallback, useEffect, useState } from 'preact/hooks';

/** Calls an asynchronous function now and again some time after each answer, as long as the page is visible. Keeps the last value when it throws. */
export function usePolled<T>(
  load: () => Promise<T>,
  everyMs: number,
): { value: T | undefined; problem: string; reload: () => void } {
  const [value, setValue] = useState<T>();
  const [problem, setProblem] = useState('');
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let current = true;
    const ask = async () => {
      if (!document.hidden) {
        try {
          const loaded = await load();
          if (!current) return;
          setValue(() => loaded);
          setProblem('');
        } catch (error) {
          if (!current) return;
          setProblem((error as Error).message);
        }
      }
      timer = setTimeout(() => void ask(), everyMs);
    };
    void ask();
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [load, everyMs, turn]);
  return { value, problem, reload: useCallback(() => setTurn((before) => before + 1), []) };
}
