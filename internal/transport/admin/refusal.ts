/** What is wrong with one parameter. */
export interface FieldFault {
  field: string;
  /** Completes a sentence that begins with the field's name: `must be …`. */
  description: string;
}

/** A request that is refused, and why. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly fields: readonly FieldFault[];

  constructor(status: number, message: string, fields: readonly FieldFault[] = []) {
    super(message);
    this.status = status;
    this.fields = fields;
  }
}

/** The refusal of a request with these faults. */
export function invalidFields(fields: readonly FieldFault[]): Refusal {
  return new Refusal(400, fields.map(({ field, description }) => `${field} ${description}`).join('; '), fields);
}
