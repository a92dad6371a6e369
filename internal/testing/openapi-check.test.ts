import { describe, expect, test } from 'vitest';
import type { OpenApiDocument } from '../../pkg/openapi/document.ts';
import { type HttpExchange, openApiChecker } from './openapi-check.ts';

const item = { $ref: '#/components/schemas/Item' };
const error = { description: 'An error.', content: { 'application/json': { schema: { type: 'object' } } } };

const document: OpenApiDocument = {
  openapi: '3.1.0',
  info: { title: 'Items', version: '1' },
  servers: [{ url: '/' }],
  tags: [],
  security: [{ bearer: [] }],
  paths: {
    '/items/{id}': {
      get: {
        operationId: 'Items_GetItem',
        tags: [],
        parameters: [
          { name: 'id', in: 'path', required: true, schema: { type: 'string', maxLength: 5 } },
          { name: 'size', in: 'query', schema: { type: 'integer', maximum: 10 } },
          { name: 'tags', in: 'query', schema: { type: 'array', items: { enum: ['A', 'B'] }, maxItems: 2 } },
        ],
        responses: {
          200: { description: 'OK', content: { 'application/json': { schema: item } } },
          404: error,
        },
      },
    },
    '/items/{id}:paint': {
      post: {
        operationId: 'Items_Paint',
        tags: [],
        security: [],
        requestBody: { required: true, content: { 'application/json': { schema: item } } },
        responses: { 200: { description: 'OK', content: { 'application/json': { schema: { type: 'object' } } } } },
      },
    },
  },
  components: {
    schemas: {
      Item: {
        type: 'object',
        properties: { name: { type: 'string' }, size: { type: 'string', format: 'int64' }, inner: item },
        required: ['name'],
      },
    },
    responses: {},
    securitySchemes: {},
  },
};

const check = openApiChecker(document);
const json = { 'content-type': 'application/json; charset=utf-8' };

function get(path: string, body: unknown = { name: 'a' }, status = 200): HttpExchange {
  return {
    rpc: '/shop.v1.Items/GetItem',
    request: { method: 'GET', path, headers: { authorization: 'Bearer token' } },
    response: { status, headers: json, body: JSON.stringify(body) },
  };
}

function paint(body: unknown): HttpExchange {
  return {
    request: { method: 'POST', path: '/items/a:paint', headers: json, body: JSON.stringify(body) },
    response: { status: 200, headers: json, body: '{}' },
  };
}

describe('the check of exchanges against an OpenAPI document', () => {
  test('accepts what the document describes', () => {
    check(get('/items/a%3Ab?size=10&tags=A&tags=B'));
    check(get('/items/a', { name: 'a', size: '-5', inner: { name: 'b' } }));
    check(get('/items/a', {}, 404));
    check(paint({ name: 'a' }));
  });

  test.each([
    ['an unknown route', get('/item/a'), 'no such route'],
    ['a route of another method', { ...get('/items/a'), rpc: '/shop.v1.Items/Paint' }, 'Items_GetItem'],
    ['a value in the path', get('/items/abcdef'), 'id: must NOT have more than 5'],
    ['a value in the query', get('/items/a?size=11'), 'size: must be <= 10'],
    ['text for a number', get('/items/a?size=ten'), 'size: must be integer'],
    ['an item in the query', get('/items/a?tags=C'), 'tags/0'],
    ['too many items in the query', get('/items/a?tags=A&tags=A&tags=A'), 'more than 2 items'],
    ['a repeated parameter', get('/items/a?size=1&size=2'), 'is there 2 times'],
    ['an unknown parameter', get('/items/a?colour=red'), 'no query parameter colour'],
    ['a missing field', get('/items/a', { size: '1' }), "must have required property 'name'"],
    ['an additional field', get('/items/a', { name: 'a', colour: 'red' }), 'additional properties'],
    ['an additional field further down', get('/items/a', { name: 'a', inner: { name: 'a', x: 1 } }), '/inner'],
    ['a wrong type', get('/items/a', { name: 1 }), 'must be string'],
    ['a 64-bit number without digits', get('/items/a', { name: 'a', size: 'ten' }), '/size'],
    ['a status', get('/items/a', {}, 500), 'no response 500'],
    ['a success that is not listed', get('/items/a', {}, 201), 'no response 201'],
    ['a request body', paint({ size: '1' }), "the request: must have required property 'name'"],
  ])('reports %s', (_what, exchange, message) => {
    expect(() => check(exchange)).toThrow(message);
  });

  test('reports a body that is not JSON or has another content type', () => {
    const { request, response } = get('/items/a');
    expect(() => check({ request, response: { ...response, body: '<p>' } })).toThrow('is no JSON');
    expect(() => check({ request, response: { ...response, headers: {} } })).toThrow('content type');
  });

  test('reports missing and unexpected bodies', () => {
    const { request, response } = paint({});
    expect(() => check({ request: { ...request, body: undefined }, response })).toThrow('the request has no body');
    const read = get('/items/a');
    expect(() => check({ ...read, request: { ...read.request, body: '{}' } })).toThrow('no body for this request');
  });

  test('reports a successful call without a token where the document requires one', () => {
    const { request, response } = get('/items/a');
    expect(() => check({ request: { ...request, headers: {} }, response })).toThrow('asks for a token');
  });

  test('does not check a request that the service refused', () => {
    check(get('/items/abcdef?colour=red', {}, 404));
  });
});
