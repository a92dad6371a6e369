/** A violation of a rule by a field of a message. */
export interface FieldViolation {
  /** The field's path in the names of the .proto file: `text`, `member_ids[2]`, `send_message.text`, `cursors["…"]`. */
  field: string;
  /** The rule, as a phrase that follows the field's name: "must be a UUID". */
  description: string;
}

/** The violations of a message or a value; empty if it is valid. */
export type Violations = readonly FieldViolation[];

/** Checks a value. Paths of the violations are relative to the value; an empty path is the value itself. */
export type Check = (value: unknown) => Violations;

/** The result of every check of a valid value; one shared object, so that valid values cause no allocation. */
export const noViolations: Violations = Object.freeze([]);

/** The check of a value without rules. */
export const acceptAll: Check = () => noViolations;

/** Creates a violation of the checked value itself. */
export function violation(description: string): Violations {
  return [{ field: '', description }];
}

/** Combines checks into one that reports the violations of all, in their order. */
export function checkAll(checks: readonly Check[]): Check {
  return (value) => {
    let found: FieldViolation[] | undefined;
    for (const check of checks) {
      const violations = check(value);
      if (violations !== noViolations) found = append(found, '', violations);
    }
    return found ?? noViolations;
  };
}

/** Adds the violations of the part at `prefix` to `found`. Creates the list for the first one. */
export function append(found: FieldViolation[] | undefined, prefix: string, more: Violations): FieldViolation[] {
  const all = found ?? [];
  for (const { field, description } of more) all.push({ field: joinPath(prefix, field), description });
  return all;
}

function joinPath(outer: string, inner: string): string {
  if (outer === '' || inner === '' || inner.startsWith('[')) return outer + inner;
  return `${outer}.${inner}`;
}
