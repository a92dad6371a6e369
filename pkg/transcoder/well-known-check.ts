import { type DescMessage, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import { type Check, isObject, wrongKind } from './check.ts';
import { keyStep, kindOf } from './faults.ts';
import { scalarCheck } from './scalar-check.ts';

/** Returns the check of a google.protobuf type with a special JSON form; undefined for Any and for all other types. */
export function wellKnownCheck(desc: DescMessage): Check | undefined {
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return textCheck(desc, 'a time such as "2026-01-31T12:00:00Z"', isTimestamp);
    case 'google.protobuf.Duration':
      return textCheck(desc, 'a duration in seconds such as "1.5s"', (text) => /^-?\d+(?:\.\d{1,9})?s$/.test(text));
    case 'google.protobuf.FieldMask':
      return textCheck(desc, 'fields in lowerCamelCase, separated by commas', (text) => /^[\w.,]*$/.test(text));
    case 'google.protobuf.Struct':
      return (value, walk, holder, key) => {
        if (isObject(value)) checkAnything(value, walk, holder, key);
        else wrongKind(walk, 'an object', value);
      };
    case 'google.protobuf.ListValue':
      return (value, walk, holder, key) => {
        if (Array.isArray(value)) checkAnything(value, walk, holder, key);
        else wrongKind(walk, 'an array', value);
      };
    case 'google.protobuf.Value':
      return checkAnything;
  }
  return isWrapperDesc(desc) ? scalarCheck(desc.fields[0]!.scalar!) : undefined;
}

/** Checks first what the protobuf library is too lax about, then lets the library decide. */
function textCheck(desc: DescMessage, expected: string, looksRight: (text: string) => boolean): Check {
  return (value, walk) => {
    if (typeof value !== 'string') return wrongKind(walk, expected, value);
    if (!looksRight(value) || !isAccepted(desc, value)) walk.faults.add(`must be ${expected}`);
  };
}

function isAccepted(desc: DescMessage, json: JsonValue): boolean {
  try {
    fromJson(desc, json);
    return true;
  } catch {
    return false;
  }
}

/** Whether the day exists: Date.parse reads April 31 as May 1. */
function isTimestamp(text: string): boolean {
  const [, year, month, day, hour] = /^(\d{4})-(\d\d)-(\d\d)T(\d\d)/.exec(text)?.map(Number) ?? [];
  if (year === undefined || month === undefined || day === undefined || hour === undefined || hour > 23) return false;
  return day <= new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
}

/** Accepts any JSON whose strings are well-formed and whose numbers are finite. */
const checkAnything: Check = (value, walk) => {
  const { faults } = walk;
  if (typeof value === 'string') {
    if (!value.isWellFormed()) faults.add('must be well-formed Unicode: it has half of a surrogate pair');
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) faults.add('must not be that large a number');
  } else if (Array.isArray(value)) {
    for (let at = 0; at < value.length && !faults.full; at++) {
      faults.enter(at);
      checkAnything(value[at], walk, value, at);
      faults.leave();
    }
  } else if (isObject(value)) {
    for (const key of Object.keys(value)) {
      if (faults.full) return;
      faults.enter(keyStep(key));
      if (!key.isWellFormed()) faults.add('must have a key of well-formed Unicode');
      checkAnything(value[key], walk, value, key);
      faults.leave();
    }
  } else if (value !== null && typeof value !== 'boolean') {
    throw new TypeError(`${kindOf(value)} in JSON`);
  }
};
