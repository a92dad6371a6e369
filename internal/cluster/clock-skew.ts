/** NODE_OPTIONS that make a process's clock run ahead by `ms` milliseconds. */
export function clockSkew(ms: number): string {
  const module = `
    const Real = Date;
    globalThis.Date = class Date extends Real {
      constructor(...args) { if (args.length === 0) super(Real.now() + ${ms}); else super(...args); }
      static now() { return Real.now() + ${ms}; }
    };`;
  return `--import=data:text/javascript;base64,${Buffer.from(module).toString('base64')}`;
}
