/** One thing that is wrong with one field of a message. */
export interface FieldViolation {
  /** The path by the names in the .proto file: `text`, `member_ids[2]`, `send_message.text`, `cursors["…"]`. */
  field: string;
  /** What the field must be, as a phrase to follow its name: "must be a UUID". */
  description: string;
}

/** What is wrong with a message or a value; empty if nothing is. */
export type Violations = readonly FieldViolation[];

/** Looks at one value. The paths of what it returns start at that value: an empty path is the value itself. */
export type Check = (value: unknown) => Violations;

/** What every check returns for a valid value, always the same object: nothing is allocated for what is valid. */
export const noViolations: Violations = Object.freeze([]);

/** The check of what has no rules. */
export const acceptAll: Check = () => noViolations;

/** A violation of the value that is being looked at. */
export function violation(description: string): Violations {
  return [{ field: '', description }];
}

/** One check that reports what all of these report, in their order. */
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

/** Adds violations of the part at `prefix` to those found so far. Creates the list with the first one. */
export function append(found: FieldViolation[] | undefined, prefix: string, more: Violations): FieldViolation[] {
  const all = found ?? [];
  for (const { field, description } of more) all.push({ field: joinPath(prefix, field), description });
  return all;
}

function joinPath(outer: string, inner: string): string {
  if (outer === '' || inner === '' || inner.startsWith('[')) return outer + inner;
  return `${outer}.${inner}`;
}
