import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, test } from 'vitest';
import { compileProtos, protoFile } from '../transcoder/testing/compile-protos.ts';
import type { OpenApiDocument, Operation, Schema } from './document.ts';
import { generateOpenApi, type OpenApiOptions } from './generate-open-api.ts';

const options: OpenApiOptions = {
  info: { title: 'Test', version: '1' },
  services: ['test.v1.Shop'],
  isOpen: () => false,
  httpStatusOf: (code) => (code === 5 ? 404 : code === 7 ? 403 : 500),
};

const validate = 'import "validate/validate.proto";\n';

async function generate(proto: string, more: Partial<OpenApiOptions> = {}): Promise<OpenApiDocument> {
  const document = generateOpenApi(await compileProtos({ 'shop.proto': protoFile(validate + proto) }), {
    ...options,
    ...more,
  });
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(document)));
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  return document;
}

/** A service of one method, `Do(In) returns (Out)`. */
function oneMethod(rule: string, messages: string): string {
  return `service Shop { rpc Do(In) returns (Out) { option (google.api.http) = { ${rule} }; } }\n${messages}`;
}

async function operationOf(rule: string, messages: string): Promise<{ path: string; method: string } & Operation> {
  const [[path, methods] = ['', {}]] = Object.entries((await generate(oneMethod(rule, messages))).paths);
  const [[method, operation] = []] = Object.entries(methods);
  return { path, method: method!, ...operation! };
}

/** The schemas of `In` and `Out` as bodies. */
async function schemasOf(
  fields: string,
  types = '',
): Promise<{ in: Schema; out: Schema; all: Record<string, Schema> }> {
  const messages = `message In { ${fields} } message Out { ${fields} } ${types}`;
  const { components } = await generate(oneMethod('post: "/do" body: "*"', messages));
  const all = components.schemas;
  return { in: all['test.v1.In']!, out: all['test.v1.Out']!, all };
}

describe('routes', () => {
  test('have variables under their JSON names, and verbs', async () => {
    const { path, method, parameters } = await operationOf(
      'put: "/v1/shops/{shop_id}/items/{item.item_id}:paint"',
      `message In { string shop_id = 1; Item item = 2; }
       message Item {
         // Whatever.
         int64 item_id = 1;
       }
       message Out {}`,
    );
    expect([method, path]).toEqual(['put', '/v1/shops/{shopId}/items/{item.itemId}:paint']);
    expect(parameters).toEqual([
      { name: 'shopId', in: 'path', required: true, schema: { type: 'string' } },
      {
        name: 'item.itemId',
        in: 'path',
        required: true,
        description: 'Whatever.',
        schema: { type: 'integer', format: 'int64' },
      },
    ]);
  });

  test('with variables of several segments have a pattern', async () => {
    const { path, parameters } = await operationOf(
      'get: "/v1/{name=shops/*/items/**}"',
      'message In { string name = 1; } message Out {}',
    );
    expect(path).toBe('/v1/{name}');
    expect(parameters?.[0]?.schema).toEqual({ type: 'string', pattern: '^shops/[^/]+/items/.*$' });
  });

  test('have an operation for each additional binding', async () => {
    const rule = 'get: "/a/{id}" additional_bindings { post: "/b" body: "*" } additional_bindings { get: "/c" }';
    const { paths } = await generate(oneMethod(rule, 'message In { string id = 1; } message Out {}'));
    expect(paths['/a/{id}']?.get?.operationId).toBe('Shop_Do');
    expect(paths['/b']?.post?.operationId).toBe('Shop_Do2');
    expect(paths['/c']?.get?.operationId).toBe('Shop_Do3');
  });

  test.each([
    ['get: "/a/*"', 'no wildcards without a name'],
    ['custom: { kind: "*" path: "/a" }', 'no method *'],
    ['get: "/a/{id}" additional_bindings { delete: "/a/{other}" }', 'cannot tell'],
    ['get: "/a/{id}" additional_bindings { get: "/a/{id=*}" }', 'cannot tell'],
    ['get: "/a/{nothing}"', 'is no field of'],
    ['post: "/a" body: "nothing"', 'is no field of'],
  ])('%s is refused', async (rule, message) => {
    const proto = oneMethod(rule, 'message In { string id = 1; string other = 2; } message Out {}');
    await expect(generate(proto)).rejects.toThrow(message);
  });

  test('a service that there is not is refused', async () => {
    await expect(
      generate(oneMethod('get: "/a"', 'message In {} message Out {}'), { services: ['Nothing'] }),
    ).rejects.toThrow('there is no service Nothing');
  });
});

describe('requests', () => {
  test('have in the query what is neither in the path nor in the body', async () => {
    const { parameters, requestBody } = await operationOf(
      'post: "/a/{id}" body: "item"',
      `message In {
         string id = 1;
         Item item = 2;
         Filter filter = 3;
         repeated Colour colours = 4;
         google.protobuf.Timestamp since = 5;
         map<string, string> labels = 6;
         repeated Item items = 7;
         optional bool all = 8;
       }
       message Item { string id = 1; }
       message Filter { int32 min_size = 1; Filter and = 2; }
       enum Colour { NONE = 0; RED = 1; }
       message Out {}`,
    );
    expect(parameters?.map(({ name }) => name)).toEqual(['id', 'filter.minSize', 'colours', 'since', 'all']);
    expect(parameters?.slice(2)).toEqual([
      {
        name: 'colours',
        in: 'query',
        style: 'form',
        explode: true,
        schema: { type: 'array', items: { $ref: '#/components/schemas/test.v1.Colour' } },
      },
      { name: 'since', in: 'query', schema: { type: 'string', format: 'date-time' } },
      { name: 'all', in: 'query', schema: { type: 'boolean' } },
    ]);
    expect(requestBody).toEqual({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/test.v1.Item' } } },
    });
  });

  test('have in a body of all fields those that are not in the path', async () => {
    const messages = `message In { string id = 1; Item item = 2; int32 size = 3 [(validate.rules).int32.gt = 0]; }
      message Item { string id = 1; string name = 2; } message Out {}`;
    const { components, paths } = await generate(oneMethod('patch: "/a/{id}/{item.id}" body: "*"', messages));
    expect(paths['/a/{id}/{item.id}']?.patch?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Shop_DoBody' } } },
    });
    expect(components.schemas.Shop_DoBody).toEqual({
      type: 'object',
      properties: {
        item: { type: 'object', properties: { name: { type: 'string' } } },
        size: { type: 'integer', format: 'int32', exclusiveMinimum: 0 },
      },
      required: ['size'],
    });
  });

  test('need no body if no field of it is needed', async () => {
    const { requestBody } = await operationOf('post: "/a" body: "*"', 'message In { string a = 1; } message Out {}');
    expect(requestBody?.required).toBeUndefined();
  });
});

describe('responses', () => {
  const shop = `
    // Shop sells.
    service Shop {
      // Do does it. With \`item_id\`.
      //
      // NOT_FOUND (ITEM_NOT_FOUND): there is none.
      // PERMISSION_DENIED (NOT_OWNER): it is another's.
      // NOT_FOUND (SHOP_NOT_FOUND): it is closed.
      rpc Do(In) returns (Out) { option (google.api.http) = { get: "/a" }; }
      rpc Stream(stream In) returns (Out);
    }
    message In { string item_id = 1; }
    message Out { string a = 1; Out next = 2; }
    message Detail { string why = 1; In more = 2; }`;

  test('are the message, and errors under their HTTP status', async () => {
    const { paths, tags, components } = await generate(shop, {
      commonErrors: () => ['PERMISSION_DENIED (BANNED): go away.'],
      errorDetails: ['test.v1.Detail'],
    });
    const operation = paths['/a']?.get;
    expect(Object.keys(paths)).toEqual(['/a']);
    expect(tags).toEqual([{ name: 'Shop', description: 'Shop sells.' }]);
    expect(operation).toMatchObject({ summary: 'Do does it', description: 'With `itemId`.', tags: ['Shop'] });
    expect(Object.keys(operation?.responses ?? {})).toEqual(['200', '403', '404', 'default']);
    expect(operation?.responses[200]?.content).toEqual({
      'application/json': { schema: { $ref: '#/components/schemas/test.v1.Out' } },
    });
    expect(operation?.responses[404]).toEqual({
      description: '- NOT_FOUND (`ITEM_NOT_FOUND`): there is none.\n- NOT_FOUND (`SHOP_NOT_FOUND`): it is closed.',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/google.rpc.Status' } } },
    });
    expect(operation?.responses[403]?.description).toContain('PERMISSION_DENIED (`BANNED`): go away.');
    expect(components.schemas['google.rpc.Status']).toMatchObject({
      required: ['code', 'message', 'details'],
      properties: {
        details: {
          items: {
            anyOf: [
              {
                properties: { '@type': { const: 'type.googleapis.com/test.v1.Detail' }, why: { type: 'string' } },
                // Unlike in answers, unset messages are left out.
                required: ['@type', 'why'],
              },
            ],
          },
        },
      },
    });
  });

  test('may be a field of the message', async () => {
    const { responses } = await operationOf(
      'get: "/a" response_body: "item"',
      'message In {} message Out { Item item = 1; } message Item {}',
    );
    expect(responses[200]?.content?.['application/json']?.schema).toEqual({
      anyOf: [{ $ref: '#/components/schemas/test.v1.Item' }, { type: 'null' }],
    });
  });

  test('need a token unless the method is open', async () => {
    const secured = await generate(shop);
    expect(secured.security).toEqual([{ bearer: [] }]);
    expect(secured.paths['/a']?.get?.security).toBeUndefined();
    expect(secured.components.securitySchemes.bearer).toEqual({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
    const open = await generate(shop, { isOpen: ({ name }) => name === 'Do' });
    expect(open.paths['/a']?.get?.security).toEqual([]);
  });

  test('a message that contains itself refers to itself', async () => {
    const { components } = await generate(shop);
    expect(components.schemas['test.v1.Out']?.properties?.next?.anyOf).toEqual([
      { $ref: '#/components/schemas/test.v1.Out' },
      { type: 'null' },
    ]);
  });
});

describe('schemas', () => {
  test.each([
    ['string', { type: 'string' }, { type: 'string' }],
    ['bool', { type: 'boolean' }, { type: 'boolean' }],
    ['int32', { type: 'integer', format: 'int32' }, { type: 'integer', format: 'int32' }],
    ['bytes', { type: 'string', contentEncoding: 'base64' }, { type: 'string', contentEncoding: 'base64' }],
    ['int64', { type: ['string', 'integer'], format: 'int64' }, { type: 'string', format: 'int64' }],
    ['fixed64', { type: ['string', 'integer'], format: 'uint64' }, { type: 'string', format: 'uint64' }],
    ['google.protobuf.Timestamp', { type: 'string', format: 'date-time' }, { type: ['string', 'null'] }],
    ['google.protobuf.FieldMask', { type: 'string' }, { type: ['string', 'null'] }],
    ['google.protobuf.Struct', { type: 'object', additionalProperties: true }, { type: ['object', 'null'] }],
    ['google.protobuf.Any', { type: 'object', required: ['@type'] }, { type: ['object', 'null'] }],
    ['google.protobuf.StringValue', { type: 'string' }, { type: ['string', 'null'] }],
    ['google.protobuf.NullValue', { type: 'null' }, { type: 'null' }],
    ['repeated string', { type: 'array', items: { type: 'string' } }, { type: 'array' }],
    ['map<string, bool>', { type: 'object', additionalProperties: { type: 'boolean' } }, { type: 'object' }],
  ])('%s has its JSON form', async (type, request, response) => {
    const schemas = await schemasOf(`${type} value = 1;`);
    if (type.endsWith('NullValue')) {
      expect(schemas.all['google.protobuf.NullValue']).toEqual(request);
      return;
    }
    expect(schemas.in.properties?.value).toMatchObject(request);
    expect(schemas.out.properties?.value).toMatchObject(response);
  });

  test('fields that are always written are required in what goes out', async () => {
    const { out } = await schemasOf(
      `string a = 1; optional string b = 2; repeated string c = 3; map<string, string> d = 4; Empty e = 5;
       oneof f { string g = 6; Empty h = 7; }`,
      'message Empty {}',
    );
    expect(out.required).toEqual(['a', 'c', 'd', 'e']);
    expect(out.properties?.e).toEqual({ anyOf: [{ $ref: '#/components/schemas/test.v1.Empty' }, { type: 'null' }] });
    expect(out.properties?.h).toEqual({ $ref: '#/components/schemas/test.v1.Empty' });
    expect(out.description).toBe('At most one of these is set: `g`, `h`.');
  });

  test('a message that comes in and goes out has one for each', async () => {
    const { in: request, out, all } = await schemasOf('Item item = 1;', 'message Item { int64 size = 1; }');
    expect(request.properties?.item).toEqual({ $ref: '#/components/schemas/test.v1.Item-Request' });
    expect(out.properties?.item).toEqual({ anyOf: [{ $ref: '#/components/schemas/test.v1.Item' }, { type: 'null' }] });
    expect(all['test.v1.Item-Request']?.required).toBeUndefined();
    expect(all['test.v1.Item']?.required).toEqual(['size']);
  });

  test('enums have names, and say what each is', async () => {
    const { all, in: request } = await schemasOf(
      'Colour any = 1; Colour some = 2 [(validate.rules).enum = { defined_only: true not_in: [0] }];',
      '\n// Colour is seen.\nenum Colour {\nNONE = 0;\n// Like\n// blood.\nRED = 1;\n}',
    );
    expect(all['test.v1.Colour']).toEqual({
      type: 'string',
      description: 'Colour is seen.\n\n- `NONE`\n- `RED`: Like blood.',
      enum: ['NONE', 'RED'],
    });
    expect(request.properties?.any).toEqual({ $ref: '#/components/schemas/test.v1.Colour' });
    expect(request.properties?.some).toMatchObject({ type: 'string', enum: ['RED'] });
    expect(request.required).toEqual(['some']);
  });

  test('comments of fields speak of JSON names and leave lines for tools out', async () => {
    const { in: request } = await schemasOf(
      '\n// With `other_one`, not `else_where`.\n// buf:lint:ignore X\nstring other_one = 1;',
    );
    expect(request.properties?.otherOne?.description).toBe('With `otherOne`, not `else_where`.');
  });

  test('json_name is obeyed', async () => {
    const { in: request } = await schemasOf('string jwks_uri = 1 [json_name = "jwks_uri"];');
    expect(Object.keys(request.properties ?? {})).toEqual(['jwks_uri']);
  });
});

describe('limits', () => {
  test.each([
    ['string', 'string = { min_len: 1 max_len: 9 }', { minLength: 1, maxLength: 9 }, true],
    ['string', 'string.max_len = 9', { maxLength: 9 }, false],
    ['string', 'string = { min_bytes: 5 max_bytes: 9 }', { minLength: 2, maxLength: 9 }, true],
    ['string', 'string.uuid = true', { format: 'uuid' }, true],
    ['string', 'string.pattern = "^[a-z]*$"', { pattern: '^[a-z]*$' }, false],
    ['string', 'string.pattern = "^[a-z]+$"', { pattern: '^[a-z]+$' }, true],
    ['string', 'string.pattern = "^\\\\p{L}+$"', { pattern: '^\\p{L}+$', examples: ['string'] }, true],
    ['string', 'string = { prefix: "a." suffix: "z" }', { allOf: [{ pattern: '^a\\.' }, { pattern: 'z$' }] }, true],
    ['string', 'string = { in: ["a", "b"] }', { enum: ['a', 'b'] }, true],
    ['string', 'string = { not_in: ["a"] }', { not: { enum: ['a'] } }, false],
    ['optional string', 'string.min_len = 1', { minLength: 1 }, false],
    ['int32', 'int32 = { gte: 0 lte: 9 }', { minimum: 0, maximum: 9 }, false],
    ['int32', 'int32 = { gt: 0 lt: 9 }', { exclusiveMinimum: 0, exclusiveMaximum: 9 }, true],
    ['int32', 'int32 = { gt: 9 lt: 5 }', { anyOf: [{ exclusiveMinimum: 9 }, { exclusiveMaximum: 5 }] }, false],
    ['int64', 'int64 = { in: [1, 2] }', { enum: [1, '1', 2, '2'] }, true],
    ['double', 'double.gte = 1', { type: 'number', format: 'double', minimum: 1 }, true],
    ['bytes', 'bytes = { min_len: 1 max_len: 4 }', { minLength: 2, maxLength: 8 }, true],
    ['bool', 'bool.const = true', { const: true }, true],
    ['google.protobuf.Timestamp', 'timestamp.required = true', { format: 'date-time' }, true],
    [
      'repeated string',
      'repeated = { min_items: 1 max_items: 9 unique: true items: { string: { max_len: 5 } } }',
      { minItems: 1, maxItems: 9, uniqueItems: true, items: { type: 'string', maxLength: 5 } },
      true,
    ],
    [
      'map<string, string>',
      'map = { max_pairs: 9 keys: { string: { max_len: 5 } } values: { string: { max_len: 6 } } }',
      { maxProperties: 9, propertyNames: { maxLength: 5 }, additionalProperties: { type: 'string', maxLength: 6 } },
      false,
    ],
  ])('%s with %s', async (type, rule, limits, required) => {
    const { in: request, out } = await schemasOf(`${type} value = 1 [(validate.rules).${rule}];`);
    expect(request.properties?.value).toMatchObject(limits);
    expect(request.required).toEqual(required ? ['value'] : undefined);
    for (const key of Object.keys(limits)) {
      if (key.startsWith('min') || key.startsWith('max')) expect(out.properties?.value).not.toHaveProperty(key);
    }
  });

  test('a pattern that needs the flag u stands apart in a parameter', async () => {
    const { parameters } = await operationOf(
      'get: "/a"',
      `message In {
         string name = 1 [(validate.rules).string = { pattern: "^\\\\p{L}*$" max_len: 9 }];
         repeated string ids = 2 [(validate.rules).repeated.items.string.pattern = "^[a-z]*$"];
       }
       message Out {}`,
    );
    expect(parameters?.map(({ schema }) => schema)).toEqual([
      { type: 'string', maxLength: 9, anyOf: [{ pattern: '^\\p{L}*$' }] },
      { type: 'array', items: { type: 'string', pattern: '^[a-z]*$' } },
    ]);
  });

  test('a rule that is not understood is refused', async () => {
    await expect(schemasOf('string value = 1 [(validate.rules).string.ip = true];')).rejects.toThrow('string.ip');
  });
});
