/** One thing that is wrong with a request. */
export interface FieldViolation {
  /** The path by the names in the .proto file: `member_ids[2]`, `subscribe_all.cursors["x"]`; `body` for the body as a whole. */
  field: string;
  /** A phrase to follow the field's name: "must be a string, not a number". */
  description: string;
}

/** A request that is not a message of its type. `violations` is never empty and never longer than `maxViolations`. */
export class BadInput extends Error {
  readonly violations: readonly FieldViolation[];

  constructor(violations: readonly FieldViolation[]) {
    super(violations.map(({ field, description }) => `${field} ${description}`).join('; '));
    this.name = 'BadInput';
    this.violations = violations;
  }
}

/** How many violations are collected; the search ends then. */
export const maxViolations = 100;
