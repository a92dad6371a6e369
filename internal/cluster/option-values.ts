/** Returns the option's value if it is one of the choices. Throws an Error that names them. */
export function oneOf<T extends string>(name: string, text: string, choices: readonly T[]): T {
  const choice = choices.find((one) => one === text);
  if (choice === undefined) throw new Error(`${name} must be one of ${choices.join(', ')}`);
  return choice;
}

/** Returns the option's value as a number of 0 or more. Throws an Error that names the option. */
export function toNumber(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text === '') throw new Error(`${name} must be a number`);
  return value;
}
