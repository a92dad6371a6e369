/** A fault of a request. */
export interface FieldViolation {
  /** The field's path in the names of the .proto file: `member_ids[2]`, `subscribe_all.cursors["x"]`; `body` for the body as a whole. */
  field: string;
  /** What the field must be, as a phrase that follows its name: "must be a string, not a number". */
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

/** Maximum number of violations; the search ends when it is reached. */
export const maxViolations = 100;
