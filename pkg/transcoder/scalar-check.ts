import { ScalarType } from '@bufbuild/protobuf';
import { type Check, type Walk, wrongKind } from './check.ts';

/** Creates the check of a scalar. It refuses null; where null means "unset", the check of the holder handles it. */
export function scalarCheck(type: ScalarType): Check {
  switch (type) {
    case ScalarType.STRING:
      return checkString;
    case ScalarType.BOOL:
      return checkBool;
    case ScalarType.BYTES:
      return checkBytes;
    case ScalarType.DOUBLE:
      return floatCheck(Number.isFinite);
    case ScalarType.FLOAT:
      return floatCheck((number) => Number.isFinite(Math.fround(number)));
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return intCheck(-(2 ** 31), 2 ** 31 - 1);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return intCheck(0, 2 ** 32 - 1);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return longCheck(-(2n ** 63n), 2n ** 63n - 1n);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return longCheck(0n, 2n ** 64n - 1n);
  }
}

const checkString: Check = (value, walk) => {
  if (typeof value !== 'string') return wrongKind(walk, 'a string', value);
  if (!value.isWellFormed()) walk.faults.add('must be well-formed Unicode: it has half of a surrogate pair');
};

const checkBool: Check = (value, walk) => {
  if (typeof value === 'string') walk.faults.add('must be true or false');
  else if (typeof value !== 'boolean') wrongKind(walk, 'true or false', value);
};

const checkBytes: Check = (value, walk) => {
  if (typeof value !== 'string') return wrongKind(walk, 'a string in base64', value);
  const digits = value.replace(/={1,2}$/, '');
  const padded = digits.length === value.length || value.length % 4 === 0;
  if (!/^[A-Za-z0-9+/_-]*$/.test(digits) || digits.length % 4 === 1 || !padded) walk.faults.add('must be base64');
};

function floatCheck(fits: (number: number) => boolean): Check {
  return (value, walk) => {
    if (typeof value !== 'number' && typeof value !== 'string') return wrongKind(walk, 'a number', value);
    if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return;
    if (typeof value === 'string' && !decimal.test(value)) walk.faults.add('must be a number');
    else if (!fits(Number(value))) walk.faults.add('must not be that large a number');
  };
}

const decimal = /^-?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

function intCheck(min: number, max: number): Check {
  return (value, walk) => {
    if (typeof value !== 'number' && typeof value !== 'string') return wrongKind(walk, 'an integer', value);
    const number = typeof value === 'number' || decimal.test(value) ? Number(value) : Number.NaN;
    if (!Number.isInteger(number)) walk.faults.add('must be an integer');
    else if (number < min || number > max) walk.faults.add(`must be from ${min} to ${max}`);
  };
}

function longCheck(min: bigint, max: bigint): Check {
  const outOfRange = (walk: Walk) => walk.faults.add(`must be from ${min} to ${max}`);
  return (value, walk, holder, key) => {
    if (Number.isSafeInteger(value) && min < 0n) return;
    if (typeof value !== 'number' && typeof value !== 'string') return wrongKind(walk, 'an integer', value);
    const text = exactText(value, walk, holder, key);
    if (text === undefined) walk.faults.add('must be written as a string: as a number it would not be exact');
    else if (!/^-?\d+$/.test(text)) walk.faults.add('must be an integer');
    else if (text.length > maxLongLength) outOfRange(walk);
    else {
      const integer = BigInt(text);
      if (integer < min || integer > max) outOfRange(walk);
    }
  };
}

/** More digits than any 64-bit integer has, with room for leading zeros. */
const maxLongLength = 64;

/** Returns the decimal digits of the request. If a JavaScript number cannot hold them, they replace the value in its holder as a string. */
function exactText(value: string | number, walk: Walk, holder: object, key: string | number): string | undefined {
  if (typeof value === 'string' || !Number.isInteger(value) || Number.isSafeInteger(value)) return String(value);
  const text = walk.numbers?.get(holder)?.get(String(key));
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  (holder as Record<string, unknown>)[key] = text;
  return text;
}
