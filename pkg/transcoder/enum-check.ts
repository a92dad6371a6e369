import type { DescEnum } from '@bufbuild/protobuf';
import { type Check, wrongKind } from './check.ts';

const maxNames = 20;

/** Creates the check of an enum: a name of one of its values, or a number. An open enum (proto3) accepts unknown numbers. */
export function enumCheck(desc: DescEnum): Check {
  const names = new Set(desc.values.flatMap(({ name, jsonName }) => [name, jsonName ?? name]));
  const mustBe = `must be ${listNames(desc)}`;
  return (value, walk) => {
    if (value === null && desc.typeName === 'google.protobuf.NullValue') return;
    if (typeof value === 'string') {
      if (!names.has(value)) walk.faults.add(mustBe);
    } else if (typeof value !== 'number') {
      wrongKind(walk, 'a string', value);
    } else if (!Number.isInteger(value) || (value | 0) !== value || (!desc.open && !desc.value[value])) {
      walk.faults.add(mustBe);
    }
  };
}

/** Returns "one of A, B", without the value that means "unspecified", and shortened if there are too many. */
function listNames({ values }: DescEnum): string {
  const names = values.map(({ name, jsonName }) => jsonName ?? name);
  const given = names.filter((name) => !name.endsWith('_UNSPECIFIED'));
  const shown = given.length > 0 ? given : names;
  const list = shown.slice(0, maxNames).join(', ');
  if (shown.length > maxNames) return `one of ${list}, …`;
  return shown.length > 1 ? `one of ${list}` : list;
}
