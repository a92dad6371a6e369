import { describe, expect, test } from 'vitest';
import { compileRules } from './compile-rules.ts';
import type { FieldJson } from './descriptor-set.ts';
import { compileMessages, withRules } from './testing/one-field.ts';

const notEmpty = withRules({ string: { minLen: '1' } });
const text: FieldJson = { name: 'text', type: 'TYPE_STRING', options: notEmpty };

function message(name: string, typeName: string, more: Partial<FieldJson> = {}): FieldJson {
  return { name, type: 'TYPE_MESSAGE', typeName: `.test.v1.${typeName}`, ...more };
}

describe('a message', () => {
  test('is reported with every violation, in the order of its fields', () => {
    const title: FieldJson = { name: 'short_title', type: 'TYPE_STRING', options: notEmpty };
    const validate = compileMessages([{ name: 'Note', field: [title, text] }])('Note');
    expect(validate({ shortTitle: '', text: '' })).toEqual([
      { field: 'short_title', description: 'must have at least 1 character' },
      { field: 'text', description: 'must have at least 1 character' },
    ]);
  });

  test('that is valid gives always the same empty list, which cannot be changed', () => {
    const validatorOf = compileMessages([{ name: 'Note', field: [text] }, { name: 'Nothing' }]);
    const found = validatorOf('Note')({ text: 'a' });
    expect(found).toEqual([]);
    expect(found).toBe(validatorOf('Nothing')({}));
    expect(Object.isFrozen(found)).toBe(true);
  });

  test('without rules anywhere below it has one shared check that does nothing', () => {
    const validatorOf = compileMessages([
      { name: 'Note', field: [text] },
      { name: 'Tree', field: [message('left', 'Tree'), message('leaf', 'Leaf')] },
      { name: 'Leaf', field: [{ name: 'text', type: 'TYPE_STRING' }] },
    ]);
    expect(validatorOf('Tree')).toBe(validatorOf('Leaf'));
    expect(validatorOf('Tree')).not.toBe(validatorOf('Note'));
  });

  test('in a message is looked into if it is set', () => {
    const validate = compileMessages([
      { name: 'Letter', field: [message('first_note', 'Note')] },
      { name: 'Note', field: [text] },
    ])('Letter');
    expect(validate({ firstNote: undefined })).toEqual([]);
    expect(validate({ firstNote: { text: 'a' } })).toEqual([]);
    expect(validate({ firstNote: { text: '' } })).toMatchObject([{ field: 'first_note.text' }]);
  });

  test('that is required must be set', () => {
    const options = withRules({ message: { required: true } });
    const validate = compileMessages([{ name: 'Letter', field: [message('note', 'Letter', { options })] }])('Letter');
    expect(validate({ note: undefined })).toEqual([{ field: 'note', description: 'must be set' }]);
    expect(validate({ note: { note: undefined } })).toEqual([{ field: 'note.note', description: 'must be set' }]);
  });

  test('that is skipped is not looked into', () => {
    const options = withRules({ message: { skip: true, required: true } });
    const validate = compileMessages([
      { name: 'Letter', field: [message('note', 'Note', { options })] },
      { name: 'Note', field: [text] },
    ])('Letter');
    expect(validate({ note: { text: '' } })).toEqual([]);
    expect(validate({ note: undefined })).toHaveLength(1);
  });

  test('of a type that contains itself is followed as deep as it goes', () => {
    const validate = compileMessages([
      { name: 'Tree', field: [text, message('branches', 'Branch', { label: 'LABEL_REPEATED' })] },
      { name: 'Branch', field: [message('tree', 'Tree')] },
    ])('Tree');
    const leaf = { text: '', branches: [] };
    expect(
      validate({ text: 'a', branches: [{ tree: undefined }, { tree: { text: 'b', branches: [{ tree: leaf }] } }] }),
    ).toEqual([{ field: 'branches[1].tree.branches[0].tree.text', description: 'must have at least 1 character' }]);
  });

  test('nested in another is found by its full name', () => {
    const validatorOf = compileMessages([{ name: 'Letter', nestedType: [{ name: 'Note', field: [text] }] }]);
    expect(validatorOf('Letter.Note')({ text: '' })).toHaveLength(1);
  });
});

describe('an optional field', () => {
  const options = withRules({ int64: { gte: '1' } });
  const seq: FieldJson = { name: 'before_seq', type: 'TYPE_INT64', oneofIndex: 0, proto3Optional: true, options };

  test('is checked only if it is set', () => {
    const validate = compileMessages([{ name: 'Page', field: [seq], oneofDecl: [{ name: '_before_seq' }] }])('Page');
    expect(validate({ beforeSeq: undefined })).toEqual([]);
    expect(validate({ beforeSeq: 1 })).toEqual([]);
    expect(validate({ beforeSeq: 0 })).toMatchObject([{ field: 'before_seq' }]);
  });
});

describe('a oneof', () => {
  const members = [
    message('send_note', 'Note', { oneofIndex: 0 }),
    { name: 'raw_text', type: 'TYPE_STRING', oneofIndex: 0, options: notEmpty },
    { name: 'ping', type: 'TYPE_BOOL', oneofIndex: 0 },
  ];
  const note = { name: 'Note', field: [text] };

  test('is looked into by the field that is set', () => {
    const validate = compileMessages([{ name: 'Order', field: members, oneofDecl: [{ name: 'what_to_do' }] }, note])(
      'Order',
    );
    expect(validate({ whatToDo: undefined })).toEqual([]);
    expect(validate({ whatToDo: { $case: 'ping', value: false } })).toEqual([]);
    expect(validate({ whatToDo: { $case: 'sendNote', value: { text: 'a' } } })).toEqual([]);
    expect(validate({ whatToDo: { $case: 'rawText', value: '' } })).toMatchObject([{ field: 'raw_text' }]);
    expect(validate({ whatToDo: { $case: 'sendNote', value: { text: '' } } })).toMatchObject([
      { field: 'send_note.text' },
    ]);
  });

  test('that is required must be set', () => {
    const oneofDecl = [{ name: 'what_to_do', options: { '[validate.required]': true } }];
    const validate = compileMessages([{ name: 'Order', field: members, oneofDecl }, note])('Order');
    const missing = [{ field: 'what_to_do', description: 'must be set to one of send_note, raw_text, ping' }];
    expect(validate({ whatToDo: undefined })).toEqual(missing);
    expect(validate({ whatToDo: { $case: 'unheardOf', value: 1 } })).toEqual(missing);
    expect(validate({ whatToDo: { $case: 'ping', value: false } })).toEqual([]);
  });
});

describe('compiling', () => {
  test('refuses a rule that is not understood and names file, message and field', () => {
    const options = withRules({ string: { wellKnownRegex: 'HTTP_HEADER_NAME' } });
    const compile = () =>
      compileMessages([{ name: 'Note', nestedType: [{ name: 'Part', field: [{ ...text, options }] }] }]);
    expect(compile).toThrow('test.proto: test.v1.Note.Part.text: the rule string.well_known_regex is not understood');
  });

  test('refuses a rule that is not understood on a field of a oneof', () => {
    const field = { ...text, oneofIndex: 0, options: withRules({ string: { email: true } }) };
    expect(() => compileMessages([{ name: 'Note', field: [field], oneofDecl: [{ name: 'body' }] }])).toThrow(
      'test.proto: test.v1.Note.text: the rule string.email is not understood',
    );
  });

  test('refuses other validation options, of a message, a field and a oneof', () => {
    const options = { '[validate.disabled]': true };
    expect(() => compileMessages([{ name: 'Note', options }])).toThrow(
      'test.proto: test.v1.Note: the option [validate.disabled] is not understood',
    );
    expect(() => compileMessages([{ name: 'Note', field: [{ ...text, options }] }])).toThrow('test.v1.Note.text: ');
    const field = { ...text, oneofIndex: 0 };
    expect(() => compileMessages([{ name: 'Note', field: [field], oneofDecl: [{ name: 'body', options }] }])).toThrow(
      'test.v1.Note.body: ',
    );
  });

  test('refuses a rule of messages that is not understood', () => {
    const field = message('note', 'Note', { options: withRules({ message: { ignore: true } }) });
    expect(() => compileMessages([{ name: 'Note', field: [field] }])).toThrow(
      'the rule message.ignore is not understood',
    );
  });

  test('leaves other options alone', () => {
    const options = { deprecated: true, '[google.api.field_behavior]': ['REQUIRED'] };
    const validatorOf = compileMessages([{ name: 'Note', options, field: [{ ...text, options }] }]);
    expect(validatorOf('Note')({ text: '' })).toEqual([]);
  });

  test('refuses rules in proto2', () => {
    const file = { name: 'old.proto', package: 'old', messageType: [{ name: 'Note', field: [text] }] };
    expect(() => compileRules({ file: [file] })).toThrow('old.proto: old.Note: rules are understood in proto3 only');
  });

  test('gives no check of a message that is not in the set', () => {
    expect(() => compileMessages([])('Nothing')).toThrow('no message test.v1.Nothing');
  });
});
