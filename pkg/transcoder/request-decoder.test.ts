import { beforeAll, describe, expect, test } from 'vitest';
import { kindsProto } from './testing/kinds.ts';
import { startTranscoding, type Transcoding } from './testing/transcoding.ts';

let kinds: Transcoding;
beforeAll(async () => {
  kinds = await startTranscoding(kindsProto, 'Kinds');
});

/** What a JSON body becomes, or the violations. */
function put(body: unknown): unknown {
  const answer = kinds.ask('POST', '/v1/all', body);
  return typeof answer === 'object' && 'request' in answer ? answer.request : answer;
}

/** What a query becomes, or the violations. */
function find(query: string): unknown {
  const answer = kinds.ask('GET', `/v1/all?${query}`);
  return typeof answer === 'object' && 'request' in answer ? answer.request : answer;
}

describe('values of every kind', () => {
  test.each<[string, unknown, unknown]>([
    ['fDouble', 1.5, 1.5],
    ['fDouble', '-1e-3', -0.001],
    ['fDouble', 'NaN', 'NaN'],
    ['fFloat', '-Infinity', '-Infinity'],
    ['fFloat', 3.4028234e38, 3.4028234663852886e38],
    ['fInt32', -2147483648, -2147483648],
    ['fInt32', '2147483647', 2147483647],
    ['fInt32', 1.2e2, 120],
    ['fUint32', 4294967295, 4294967295],
    ['fSint32', '-1', -1],
    ['fFixed32', '7', 7],
    ['fSfixed32', -7, -7],
    ['fInt64', '-9223372036854775808', '-9223372036854775808'],
    ['fInt64', 9007199254740991, '9007199254740991'],
    ['fUint64', '18446744073709551615', '18446744073709551615'],
    ['fSint64', -5, '-5'],
    ['fFixed64', '5', '5'],
    ['fSfixed64', '5', '5'],
    ['fBool', true, true],
    ['fString', 'é😀\u0000', 'é😀\u0000'],
    ['fBytes', 'AP+/', 'AP+/'],
    ['fBytes', 'AP-_', 'AP+/'],
    ['fBytes', 'AA', 'AA=='],
    ['fColour', 'BLUE', 'BLUE'],
    ['fColour', 5, 'BLUE'],
    ['fColour', 77, 77],
    ['oInt32', 0, 0],
    ['oString', '', ''],
    ['oColour', 'COLOUR_UNSPECIFIED', 'COLOUR_UNSPECIFIED'],
    ['rInt32', [1, '2'], [1, 2]],
    ['rColour', ['RED', 5], ['RED', 'BLUE']],
    ['rOne', [{ itsName: 'a' }, {}], [{ itsName: 'a' }, {}]],
    ['mStringInt64', { '': '1', __proto__x: 2 }, { '': '1', __proto__x: '2' }],
    ['mInt32One', { '-1': { its_name: 'a' } }, { '-1': { itsName: 'a' } }],
    ['mBoolString', { true: 'a', false: 'b' }, { true: 'a', false: 'b' }],
    ['mUint64Colour', { '18446744073709551615': 'RED' }, { '18446744073709551615': 'RED' }],
    ['wTimestamp', '2024-02-29T23:59:59.123456789+01:00', '2024-02-29T22:59:59.123456789Z'],
    ['wTimestamp', '0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['wDuration', '-1.5s', '-1.500s'],
    ['wMask', 'aB,c.dE', 'aB,c.dE'],
    ['wStruct', { a: [1, null, { b: 'x' }] }, { a: [1, null, { b: 'x' }] }],
    ['wValue', null, null],
    ['wValue', [1], [1]],
    ['wList', ['a', {}], ['a', {}]],
    ['wEmpty', {}, {}],
    ['wBool', false, false],
    ['wString', '', ''],
    ['wInt64', '5', '5'],
    ['wUint32', 5, 5],
    ['wDouble', 1.5, 1.5],
    ['wBytes', 'AA==', 'AA=='],
    ['rTimestamp', ['2024-01-01T00:00:00Z'], ['2024-01-01T00:00:00Z']],
    ['rValue', [null, 1], [null, 1]],
    ['cNull', null, null],
    ['an-other name', 'a', 'a'],
    ['constructor', 'a', 'a'],
    ['wAny', {}, {}],
    [
      'wAny',
      { '@type': 'type.googleapis.com/test.v1.One', its_name: 'a' },
      { '@type': 'type.googleapis.com/test.v1.One', itsName: 'a' },
    ],
    [
      'wAny',
      { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' },
      { '@type': 'type.googleapis.com/google.protobuf.Duration', value: '1s' },
    ],
  ])('%s %j in a body', (name, value, expected) => {
    expect(put({ [name]: value })).toEqual({ [name]: expected });
  });

  test.each<[string, unknown]>([
    ['f_double=1.5&f_float=-Infinity', { fDouble: 1.5, fFloat: '-Infinity' }],
    [
      'f_int32=-5&f_int64=9223372036854775807&f_uint64=18446744073709551615',
      { fInt32: -5, fInt64: '9223372036854775807', fUint64: '18446744073709551615' },
    ],
    ['f_bool=true&w_bool=false', { fBool: true, wBool: false }],
    ['f_string=a+b%26%3D%C3%A9&oString=', { fString: 'a b&=é', oString: '' }],
    ['fBytes=AP-_&w_bytes=AP%2B%2F', { fBytes: 'AP+/', wBytes: 'AP+/' }],
    ['f_colour=RED&o_colour=5&r_colour=1&rColour=BLUE', { fColour: 'RED', oColour: 'BLUE', rColour: ['RED', 'BLUE'] }],
    ['r_int32=1&r_int32=2&rInt64=3&r_string=&r_string=x', { rInt32: [1, 2], rInt64: ['3'], rString: ['', 'x'] }],
    [
      'f_one.its_name=a&fAll.fAll.f_int32=1&f_all.rString=x',
      { fOne: { itsName: 'a' }, fAll: { fAll: { fInt32: 1 }, rString: ['x'] } },
    ],
    [
      'w_timestamp=2024-01-01T00:00:00Z&w_duration=3s&w_mask=a,bC',
      { wTimestamp: '2024-01-01T00:00:00Z', wDuration: '3s', wMask: 'a,bC' },
    ],
    ['w_int64=5&w_double=1.5&w_string=x', { wInt64: '5', wDouble: 1.5, wString: 'x' }],
    ['r_timestamp=2024-01-01T00:00:00Z', { rTimestamp: ['2024-01-01T00:00:00Z'] }],
    ['c_one.its_name=a', { cOne: { itsName: 'a' } }],
    ['an-other+name=a&constructor=b', { 'an-other name': 'a', constructor: 'b' }],
    ['&&f_int32=1&', { fInt32: 1 }],
    ['', {}],
  ])('?%s', (query, expected) => {
    expect(find(query)).toEqual(expected);
  });

  test('a 64-bit integer is exact also when it is written as a number', () => {
    expect(put('{"fInt64": 9007199254740993, "rInt64": [-9223372036854775808, 5]}')).toEqual({
      fInt64: '9007199254740993',
      rInt64: ['-9223372036854775808', '5'],
    });
    expect(put('{"fUint64": 18446744073709551615, "mStringInt64": {"__proto__": 9007199254740993}}')).toEqual(
      JSON.parse('{"fUint64": "18446744073709551615", "mStringInt64": {"__proto__": "9007199254740993"}}'),
    );
    expect(put('{"wAny": {"@type": "x/test.v1.All", "fInt64": 9007199254740993}}')).toMatchObject({
      wAny: { fInt64: '9007199254740993' },
    });
    expect(put('{"fInt64": 123456789012345.6e4}')).toEqual([
      'f_int64 must be written as a string: as a number it would not be exact',
    ]);
    expect(put('{"fDouble": 9007199254740993, "wValue": 9007199254740993}')).toMatchObject({
      fDouble: 9007199254740992,
    });
  });

  test('null means unset, except for a value that can be null', () => {
    const nulls = Object.fromEntries(
      kinds.transcoder.routes[0]!.method.input.fields.filter(({ name }) => name !== 'w_value' && name !== 'c_null').map(
        ({ jsonName }) => [jsonName, null],
      ),
    );
    expect(put(nulls)).toEqual({});
    expect(put({ cString: null, cOne: null, cInt32: 5 })).toEqual({ cInt32: 5 });
    expect(put({ cInt32: 5, cOne: null })).toEqual({ cInt32: 5 });
  });
});

describe('faults of a body, each with its field and what it must be', () => {
  const int32 = 'must be from -2147483648 to 2147483647';
  const surrogate = 'must be well-formed Unicode: it has half of a surrogate pair';
  const colours = 'must be one of RED, BLUE';
  const base64 = 'must be base64';
  const aTime = 'must be a time such as "2026-01-31T12:00:00Z"';
  const aDuration = 'must be a duration in seconds such as "1.5s"';
  test.each<[string, string[]]>([
    ['{"fString": 5}', ['f_string must be a string, not a number']],
    ['{"fString": ["a"]}', ['f_string must be a string, not an array']],
    ['{"fString": "a\\ud800"}', [`f_string ${surrogate}`]],
    ['{"rString": ["a", null, "\\udc00"]}', ['r_string[1] must not be null', `r_string[2] ${surrogate}`]],
    ['{"fBool": "true"}', ['f_bool must be true or false']],
    ['{"fBool": 1}', ['f_bool must be true or false, not a number']],
    ['{"fInt32": 1.5}', ['f_int32 must be an integer']],
    ['{"fInt32": "0x10"}', ['f_int32 must be an integer']],
    ['{"fInt32": " 1"}', ['f_int32 must be an integer']],
    ['{"fInt32": ""}', ['f_int32 must be an integer']],
    ['{"fInt32": true}', ['f_int32 must be an integer, not a boolean']],
    ['{"fInt32": 2147483648}', [`f_int32 ${int32}`]],
    ['{"fInt32": 1e999}', ['f_int32 must be an integer']],
    ['{"fUint32": -1}', ['f_uint32 must be from 0 to 4294967295']],
    ['{"fInt64": "9223372036854775808"}', ['f_int64 must be from -9223372036854775808 to 9223372036854775807']],
    ['{"fInt64": 9223372036854775808}', ['f_int64 must be from -9223372036854775808 to 9223372036854775807']],
    ['{"fInt64": "0x10"}', ['f_int64 must be an integer']],
    ['{"fInt64": " 1 "}', ['f_int64 must be an integer']],
    ['{"fInt64": "1.0"}', ['f_int64 must be an integer']],
    ['{"fInt64": {}}', ['f_int64 must be an integer, not an object']],
    ['{"fUint64": -1}', ['f_uint64 must be from 0 to 18446744073709551615']],
    ['{"fUint64": "18446744073709551616"}', ['f_uint64 must be from 0 to 18446744073709551615']],
    ['{"fDouble": "a"}', ['f_double must be a number']],
    ['{"fDouble": 1e999}', ['f_double must not be that large a number']],
    ['{"fDouble": "1e999"}', ['f_double must not be that large a number']],
    ['{"fFloat": 3.5e38}', ['f_float must not be that large a number']],
    ['{"fBytes": "a"}', [`f_bytes ${base64}`]],
    ['{"fBytes": "a b="}', [`f_bytes ${base64}`]],
    ['{"fBytes": "AA=="}', []],
    ['{"fBytes": "AA="}', [`f_bytes ${base64}`]],
    ['{"fBytes": "A==="}', [`f_bytes ${base64}`]],
    ['{"fBytes": 5}', ['f_bytes must be a string in base64, not a number']],
    ['{"fColour": "GREEN"}', [`f_colour ${colours}`]],
    ['{"fColour": 1.5}', [`f_colour ${colours}`]],
    ['{"fColour": 2147483648}', [`f_colour ${colours}`]],
    ['{"fColour": true}', ['f_colour must be a string, not a boolean']],
    ['{"rColour": [null]}', ['r_colour[0] must not be null']],
    ['{"rInt32": 5}', ['r_int32 must be an array, not a number']],
    ['{"rInt32": {}}', ['r_int32 must be an array, not an object']],
    ['{"rOne": [[]]}', ['r_one[0] must be an object, not an array']],
    ['{"fOne": "x"}', ['f_one must be an object, not a string']],
    ['{"mStringInt64": []}', ['m_string_int64 must be an object, not an array']],
    [
      '{"mStringInt64": {"a\\"b": null, "c": "d"}}',
      ['m_string_int64["a\\"b"] must not be null', 'm_string_int64["c"] must be an integer'],
    ],
    ['{"mStringInt64": {"\\ud800": 1}}', [`m_string_int64["\ufffd"] ${surrogate}`]],
    [
      '{"mInt32One": {"a": {}, "01": {}, "-0": {}, "2147483648": {}}}',
      ['2147483648', 'a', '01', '-0'].map(
        (key) => `m_int32_one["${key}"] ${key === '2147483648' ? int32 : 'must have an integer as its key'}`,
      ),
    ],
    ['{"mBoolString": {"1": ""}}', ['m_bool_string["1"] must have true or false as its key']],
    [
      '{"fAll": {"fAll": {"rOne": [{}, {"itsName": 1}]}}}',
      ['f_all.f_all.r_one[1].its_name must be a string, not a number'],
    ],
    ['{"cString": "a", "cInt32": 1}', ['c_int32 must not be given together with c_string']],
    ['{"fInt32": 1, "f_int32": 1}', ['f_int32 must not be given twice, as fInt32 and as f_int32']],
    [
      '{"nope": 1, "a b": 2, "": 3}',
      ['nope is not a known field', '["a b"] is not a known field', '[""] is not a known field'],
    ],
    [
      '{"fOne": {"__proto__": 1, "toString": 2}}',
      ['f_one.__proto__ is not a known field', 'f_one.toString is not a known field'],
    ],
    ['{"[google.api.http]": {}}', ['["[google.api.http]"] is not a known field']],
    ['{"wTimestamp": "2024-02-30T00:00:00Z"}', [`w_timestamp ${aTime}`]],
    ['{"wTimestamp": "2023-02-29T00:00:00Z"}', [`w_timestamp ${aTime}`]],
    ['{"wTimestamp": "2024-01-01T24:00:00Z"}', [`w_timestamp ${aTime}`]],
    ['{"wTimestamp": "2024-01-01 00:00:00Z"}', [`w_timestamp ${aTime}`]],
    ['{"wTimestamp": "0000-01-01T00:00:00Z"}', [`w_timestamp ${aTime}`]],
    ['{"wTimestamp": 5}', [`w_timestamp ${aTime}, not a number`]],
    ['{"wDuration": "1sfoo"}', [`w_duration ${aDuration}`]],
    ['{"wDuration": "1.1234567890s"}', [`w_duration ${aDuration}`]],
    ['{"wDuration": "315576000001s"}', [`w_duration ${aDuration}`]],
    ['{"wMask": "a_b"}', ['w_mask must be fields in lowerCamelCase, separated by commas']],
    ['{"wStruct": []}', ['w_struct must be an object, not an array']],
    [
      '{"wStruct": {"a": ["\\ud800", 1e999]}}',
      [`w_struct["a"][0] ${surrogate}`, 'w_struct["a"][1] must not be that large a number'],
    ],
    ['{"wStruct": {"\\ud800": 1}}', ['w_struct["\ufffd"] must have a key of well-formed Unicode']],
    ['{"wList": {}}', ['w_list must be an array, not an object']],
    ['{"wBool": "x"}', ['w_bool must be true or false']],
    ['{"wUint32": -1}', ['w_uint32 must be from 0 to 4294967295']],
    ['{"wEmpty": {"a": 1}}', ['w_empty.a is not a known field']],
    ['{"wAny": 5}', ['w_any must be an object, not a number']],
    ['{"wAny": {"a": 5}}', ['w_any["@type"] must be the URL of a known type']],
    ['{"wAny": {"@type": "x/no.Such"}}', ['w_any["@type"] must be the URL of a known type']],
    [
      '{"wAny": {"@type": "x/test.v1.One", "itsName": 5, "b": 1}}',
      ['w_any.its_name must be a string, not a number', 'w_any.b is not a known field'],
    ],
    [
      '{"wAny": {"@type": "x/google.protobuf.Duration", "value": 1, "b": 1}}',
      [`w_any.value ${aDuration}, not a number`, 'w_any.b is not a known field'],
    ],
    ['{"wAny": {"@type": "x/google.protobuf.Value"}}', ['w_any.value must be given']],
    ['[]', ['body must be an object, not an array']],
    ['null', ['body must be an object, not null']],
    ['"a"', ['body must be an object, not a string']],
    [
      '{"fInt32": "a", "fString": 1, "x": {}, "rInt32": ["b", "c"]}',
      [
        'f_int32 must be an integer',
        'f_string must be a string, not a number',
        'x is not a known field',
        'r_int32[0] must be an integer',
        'r_int32[1] must be an integer',
      ],
    ],
  ])('%s', (body, violations) => {
    const answer = put(body);
    expect(Array.isArray(answer) ? answer : []).toEqual(violations);
  });

  test.each([
    ['{"fInt32": 1,}', 'line 1 column 14'],
    ['{\n  "fInt32" 1}', 'line 2 column 12'],
    ['{', 'line 1 column 2'],
    ['[', 'end of JSON'],
    ['nonsense', "'o'"],
    ['{} {}', 'line 1 column 4'],
    ['\ufeff{}', 'Unexpected'],
    ['{"a": "\n"}', 'line 1 column 8'],
  ])('what is no JSON is told so, and where: %j', (body, place) => {
    expect(put(body)).toEqual([expect.stringMatching(/^body must be JSON: /)]);
    expect(put(body)).toEqual([expect.stringContaining(place)]);
  });

  test('a key that stands twice in an object is refused, with its place, however it is written', () => {
    expect(put('{"fInt32": 1,\n "fInt32": 2}')).toEqual([
      'body must not have the key "fInt32" twice in one object (line 2 column 2)',
    ]);
    expect(put('{"fOne": {"itsName": "a", "\\u0069tsName": "b"}}')).toEqual([
      'body must not have the key "itsName" twice in one object (line 1 column 27)',
    ]);
    expect(put('{"wStruct": {"a": [{"b": 1, "c": ",\\"{", "b": 2}]}}')).toHaveLength(1);
    expect(put('{"rOne": [{"itsName": "a"}, {"itsName": "b"}], "fOne": {"itsName": "\\\\"}}')).toMatchObject({
      rOne: [{}, {}],
    });
  });
});

describe('faults of a query', () => {
  test.each([
    ['nope=1', ['nope is not a known field']],
    ['f_int32=x', ['f_int32 must be an integer']],
    ['f_int32=', ['f_int32 must be an integer']],
    ['fBool=yes', ['f_bool must be true or false']],
    ['f_colour=GREEN', ['f_colour must be one of RED, BLUE']],
    ['f_colour=99999999999', ['f_colour must be one of RED, BLUE']],
    ['f_int32=1&fInt32=2', ['f_int32 must not be given more than once']],
    ['f_one.its_name=a&f_one.its_name=b', ['f_one.its_name must not be given more than once']],
    ['f_one=a', ['f_one must be given field by field: f_one.its_name=…']],
    ['f_one.x=a', ['f_one.x is not a known field']],
    ['r_one=a', ['r_one cannot be given in the query']],
    ['r_one.its_name=a', ['r_one.its_name is not a known field']],
    ['m_string_int64=a', ['m_string_int64 cannot be given in the query']],
    ['m_string_int64[a]=1', ['m_string_int64[a] is not a known field']],
    ['w_struct=a', ['w_struct cannot be given in the query']],
    ['w_value=a', ['w_value cannot be given in the query']],
    ['w_any=a', ['w_any cannot be given in the query']],
    ['w_timestamp.seconds=1', ['w_timestamp.seconds is not a known field']],
    ['w_timestamp=now', ['w_timestamp must be a time such as "2026-01-31T12:00:00Z"']],
    ['f_string.x=1', ['f_string.x is not a known field']],
    ['f_string=%zz', ['f_string must be percent-encoded UTF-8']],
    ['f_string=%FF', ['f_string must be percent-encoded UTF-8']],
    ['f_string=é', ['f_string must be percent-encoded UTF-8']],
    ['%zz=1', ['%zz must be percent-encoded UTF-8']],
    ['=1', ['query is not a known field']],
    [
      '__proto__=1&toString=2&__proto__.x=3',
      ['__proto__ is not a known field', 'toString is not a known field', '__proto__.x is not a known field'],
    ],
    ['c_string=a&c_int32=1', ['c_int32 must not be given together with c_string']],
    ['r_int32=1&r_int32=x', ['r_int32[1] must be an integer']],
    [
      'f_int32=x&nope=1&f_bool=2',
      ['nope is not a known field', 'f_int32 must be an integer', 'f_bool must be true or false'],
    ],
  ])('?%s', (query, violations) => {
    expect(find(query)).toEqual(violations);
  });
});
