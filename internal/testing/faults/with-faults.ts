/** Wraps a real part and replaces some of its methods, to inject a fault or a delay. All other methods are the real ones. */
export function withFaults<T extends object>(real: T, faults: (real: T) => Partial<T>): T {
  const replaced = faults(real);
  return new Proxy(real, {
    get(target, key) {
      if (Object.hasOwn(replaced, key)) return replaced[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
