import { create, type DescField, type DescMessage, type Message, ScalarType } from '@bufbuild/protobuf';
import { isWrapperDesc } from '@bufbuild/protobuf/wkt';
import fc from 'fast-check';

/** Any message of a type whose JSON can be read back, nested up to a depth. */
export function arbitraryMessage(desc: DescMessage, depth = 2): fc.Arbitrary<Message> {
  const special = wellKnown(desc);
  if (special) return special.map((init) => create(desc, init as never));
  const entries = desc.fields
    .filter((field) => depth > 0 || field.message === undefined)
    .map((field) =>
      field.oneof ? inOneof(field, depth) : fc.tuple(fc.constant(field.localName), ofField(field, depth)),
    );
  return fc
    .subarray(entries)
    .chain((chosen) => fc.tuple(...chosen))
    .map((chosen) => create(desc, Object.fromEntries(chosen) as never));
}

function inOneof(field: DescField, depth: number): fc.Arbitrary<[string, unknown]> {
  return ofField(field, depth).map((value) => [field.oneof!.localName, { case: field.localName, value }]);
}

function ofField(field: DescField, depth: number): fc.Arbitrary<unknown> {
  const single = ofSingle(field, depth);
  if (field.fieldKind === 'list') return fc.array(single, { maxLength: 3 });
  if (field.fieldKind !== 'map') return single;
  return fc.dictionary(scalars(field.mapKey).map(String), single, { maxKeys: 3 });
}

function ofSingle({ message, enum: enumeration, scalar, fieldKind }: DescField, depth: number): fc.Arbitrary<unknown> {
  if (enumeration) return fc.constantFrom(...enumeration.values.map(({ number }) => number));
  if (!message) return scalars(scalar!);
  // The library shows these as plain values.
  if (fieldKind === 'message' && isWrapperDesc(message)) return scalars(message.fields[0]!.scalar!);
  if (message.typeName === 'google.protobuf.Struct') return anyObject;
  return arbitraryMessage(message, depth - 1);
}

const text = fc.string({ unit: 'binary', maxLength: 8 });
/** JSON has no negative zero that proto3 would tell from zero. */
const noNegativeZero = (value: number) => (value === 0 ? 0 : value);
const anyNumber = fc.double({ noNaN: true, noDefaultInfinity: true }).map(noNegativeZero);
const leaf = fc.oneof(fc.constant(null), fc.boolean(), anyNumber, text);
const anyObject = fc.dictionary(text, fc.oneof(leaf, fc.array(leaf, { maxLength: 2 })), { maxKeys: 3 });

function scalars(type: ScalarType): fc.Arbitrary<unknown> {
  switch (type) {
    case ScalarType.STRING:
      return text;
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 8 });
    case ScalarType.DOUBLE:
      return fc.double().map(noNegativeZero);
    case ScalarType.FLOAT:
      return fc.float().map(noNegativeZero);
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return fc.integer({ min: 0, max: 2 ** 32 - 1 });
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  }
}

const nanos = fc.integer({ min: 0, max: 999_999_999 });

/** The initial values of a type of google.protobuf that cannot have just any. */
function wellKnown({ typeName }: DescMessage): fc.Arbitrary<object> | undefined {
  switch (typeName) {
    case 'google.protobuf.Timestamp':
      return fc.record({ seconds: fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_798n }), nanos });
    case 'google.protobuf.Duration':
      return fc
        .tuple(fc.bigInt({ min: 0n, max: 315_575_999_999n }), nanos, fc.constantFrom(1, -1))
        .map(([seconds, n, sign]) => ({ seconds: seconds * BigInt(sign), nanos: n === 0 ? 0 : n * sign }));
    case 'google.protobuf.FieldMask':
      return fc.record({ paths: fc.array(fc.stringMatching(/^[a-z]+(_[a-z]+)*(\.[a-z]+)*$/), { maxLength: 3 }) });
    case 'google.protobuf.Value':
      return fc.oneof(
        fc.constant({ kind: { case: 'nullValue', value: 0 } }),
        anyNumber.map((value) => ({ kind: { case: 'numberValue', value } })),
        text.map((value) => ({ kind: { case: 'stringValue', value } })),
        anyObject.map((value) => ({ kind: { case: 'structValue', value } })),
      );
    case 'google.protobuf.Any':
      return fc.constant({
        typeUrl: 'type.googleapis.com/google.protobuf.Duration',
        value: new Uint8Array([8, 1]),
      });
    case 'google.protobuf.Struct':
      throw new Error('a Struct is a plain value');
  }
  return undefined;
}
