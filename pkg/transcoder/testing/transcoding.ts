import { createFileRegistry, type FileRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { BadInput, type Route, Transcoder } from '../transcoder.ts';
import { compileProtos } from './compile-protos.ts';

/** A transcoder of a .proto text, and how requests fare in it. */
export interface Transcoding {
  transcoder: Transcoder;
  registry: FileRegistry;
  /** The route, and the request's JSON with what is set; or the violations as "field description"; or the kind of no match. */
  ask(httpMethod: string, path: string, body?: unknown): { rpc: string; request: unknown } | string[] | string;
}

/** `services` are names in `test.v1`. */
export async function startTranscoding(proto: string, ...services: string[]): Promise<Transcoding> {
  const descriptors = await compileProtos({ 'test.proto': proto });
  const transcoder = Transcoder.create(
    descriptors,
    services.map((name) => `test.v1.${name}`),
  );
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
  return {
    transcoder,
    registry,
    ask(httpMethod, target, body) {
      const [path = '', query = ''] = target.split('?');
      const match = transcoder.match(httpMethod, path);
      if (match.kind !== 'route') return match.kind;
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
      const answer = decode(transcoder, match.route, match.variables, query, text);
      if (Array.isArray(answer)) return answer;
      const { input } = match.route.method;
      const request = toJson(input, fromBinary(input, answer), { registry });
      return { rpc: match.route.method.name, request };
    },
  };
}

/** The request, or the violations as "field description". */
export function decode(
  transcoder: Transcoder,
  route: Route,
  variables: ReadonlyMap<string, string>,
  query: string,
  body: string | undefined,
): Uint8Array | string[] {
  try {
    return transcoder.decodeRequest(route, variables, query, body);
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return error.violations.map(({ field, description }) => `${field} ${description}`);
  }
}
