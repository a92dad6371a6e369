import { type FieldViolation, maxViolations } from './bad-input.ts';

/** One step of a path into a message: a field or map key ready for printing (`.text`, `["x"]`), or an item's index. */
type Step = string | number;

/** Collects faults and keeps the current path in the message. The path is formatted only when a fault is reported. */
export class Faults {
  readonly violations: FieldViolation[] = [];
  readonly #way: Step[] = [];

  /** Whether the maximum number of faults was found, so that the search can stop. */
  get full(): boolean {
    return this.violations.length >= maxViolations;
  }

  enter(step: Step): void {
    this.#way.push(step);
  }

  leave(): void {
    this.#way.pop();
  }

  /** Reports a fault at the current path; `body` if nothing was entered. */
  add(description: string): void {
    const way = this.#way.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join('');
    this.addAt(way.startsWith('.') ? way.slice(1) : way || 'body', description);
  }

  /** Reports a fault at the given path. */
  addAt(field: string, description: string): void {
    if (!this.full) this.violations.push({ field, description });
  }
}

/** Returns the path step of a map key. */
export function keyStep(key: string): string {
  return `[${JSON.stringify(shorten(key))}]`;
}

/** Returns the path step of a field name that the message does not have. */
export function unknownStep(name: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(name) ? `.${shorten(name)}` : keyStep(name);
}

const maxShownLength = 64;

/** Returns a text of the client, shortened and well-formed, so that an error can quote it. */
export function shorten(text: string): string {
  return (text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text).toWellFormed();
}

/** Returns the kind of a JSON value, as in "must be a string, not a number". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
