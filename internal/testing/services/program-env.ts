/** Returns the environment of programs that tests start: none of the run's own settings, but Node's compile cache, which halves their load time. */
export function programEnv(): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '' } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE };
}
