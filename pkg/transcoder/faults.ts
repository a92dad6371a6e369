import { type FieldViolation, maxViolations } from './bad-input.ts';

/** One step of the way into a message: a field or map key ready for printing (`.text`, `["x"]`), or an item's index. */
type Step = string | number;

/** The faults found so far, and where in the message one is. The way costs nothing until there is a fault. */
export class Faults {
  readonly violations: FieldViolation[] = [];
  readonly #way: Step[] = [];

  /** Enough were found: whoever is looking can stop. */
  get full(): boolean {
    return this.violations.length >= maxViolations;
  }

  enter(step: Step): void {
    this.#way.push(step);
  }

  leave(): void {
    this.#way.pop();
  }

  /** Reports a fault of what was entered last, or of the whole. */
  add(description: string): void {
    const way = this.#way.map((step) => (typeof step === 'number' ? `[${step}]` : step)).join('');
    this.addAt(way.startsWith('.') ? way.slice(1) : way || 'body', description);
  }

  /** Reports a fault at a path of its own. */
  addAt(field: string, description: string): void {
    if (!this.full) this.violations.push({ field, description });
  }
}

/** A map's key as it stands in a path. */
export function keyStep(key: string): string {
  return `[${JSON.stringify(shorten(key))}]`;
}

/** A name that the client made up, as it stands in a path. */
export function unknownStep(name: string): string {
  return /^[A-Za-z_$][\w$-]*$/.test(name) ? `.${shorten(name)}` : keyStep(name);
}

const maxShownLength = 64;

/** Something that the client sent, short and well-formed enough to be told back. */
export function shorten(text: string): string {
  return (text.length > maxShownLength ? `${text.slice(0, maxShownLength)}…` : text).toWellFormed();
}

/** What a JSON value is, as in "must be a string, not …". */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
