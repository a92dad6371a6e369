import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { ChatError } from '../../../model/errors.ts';
import { RequestReader } from './request-reader.ts';

/** Takes the place of a request that cannot be decoded, so that the interceptor `validation` can refuse it with INVALID_ARGUMENT. */
export class MalformedRequest {
  readonly error: ChatError;

  constructor(cause: unknown) {
    const message = `the request cannot be decoded: ${(cause as Error).message}`;
    this.error = cause instanceof ChatError ? cause : new ChatError('MALFORMED_FRAME', message, { cause });
  }
}

interface Codec {
  decode(input: BinaryReader | Uint8Array, length?: number): unknown;
}

interface Definition {
  methods: Record<string, { requestType: Codec }>;
}

/**
 * Returns the service definition with strict decoding: strings must be UTF-8, and a request that cannot be decoded becomes a MalformedRequest.
 * nice-grpc would answer it with INTERNAL.
 */
export function decodeStrictly<Service extends Definition>(service: Service): Service {
  const methods = Object.entries(service.methods).map(([name, method]) => {
    const { requestType } = method;
    const decode = (bytes: Uint8Array) => {
      try {
        return requestType.decode(new RequestReader(bytes));
      } catch (cause) {
        return new MalformedRequest(cause);
      }
    };
    return [name, { ...method, requestType: { ...requestType, decode } }];
  });
  return { ...service, methods: Object.fromEntries(methods) };
}
