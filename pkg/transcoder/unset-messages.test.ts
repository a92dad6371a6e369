import { fromJson, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { protoFile } from './testing/compile-protos.ts';
import { startTranscoding } from './testing/transcoding.ts';

const proto = protoFile(`
service Trees {
  rpc Get(Tree) returns (Tree) { option (google.api.http) = {post: "/v1/trees" body: "*"}; }
}
message Leaf { string name = 1; }
message Tree {
  Tree left = 1;
  Leaf leaf = 2;
  repeated Tree many = 3;
  map<string, Tree> named = 4;
  oneof choice {
    Leaf chosen = 5;
    string text = 6;
  }
  optional Leaf perhaps = 7;
  google.protobuf.Timestamp at = 8;
  google.protobuf.Struct detail = 9;
  google.protobuf.Value value = 10;
  google.protobuf.StringValue wrapped = 11;
}`);

const unset = { left: null, leaf: null, many: [], named: {}, at: null, detail: null, wrapped: null };

test('a message field that is not set is null, at any depth; of a oneof, and of what is optional, nothing is shown', async () => {
  const { transcoder, registry } = await startTranscoding(proto, 'Trees');
  const [route] = transcoder.routes;
  const { output } = route!.method;
  const show = (json: object) =>
    JSON.parse(transcoder.encodeResponse(route!, toBinary(output, fromJson(output, json as never, { registry }))));
  expect(show({})).toEqual(unset);
  expect(show({ left: { leaf: { name: 'a' } }, many: [{}], named: { x: {} } })).toEqual({
    ...unset,
    left: { ...unset, leaf: { name: 'a' } },
    many: [unset],
    named: { x: unset },
  });
  expect(show({ chosen: {}, perhaps: {}, value: null, at: '2026-01-01T00:00:00Z', detail: { a: {} } })).toEqual({
    ...unset,
    chosen: { name: '' },
    perhaps: { name: '' },
    value: null,
    at: '2026-01-01T00:00:00Z',
    detail: { a: {} },
  });
});
