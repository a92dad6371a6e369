import type { BinaryReader } from '@bufbuild/protobuf/wire';
import type { ServiceImplementation, TsProtoServiceDefinition } from 'nice-grpc';
import type { StreamExt } from '../../grpc/middleware.ts';

/** A message type as ts-proto generates it. */
interface Codec {
  decode(input: BinaryReader | Uint8Array, length?: number): object;
  encode(message: unknown): { finish(): Uint8Array };
  fromPartial(message: unknown): unknown;
}

export interface ServedMethod {
  name: string;
  requestType: Codec;
  requestStream: boolean;
  responseType: Codec;
  responseStream: boolean;
  options: object;
}

/** A service of the contract and what carries out its methods, whichever transport the calls come by. */
export interface ServedService {
  definition: { name: string; fullName: string; methods: Record<string, ServedMethod> };
  handlers: ServiceImplementation<TsProtoServiceDefinition, StreamExt>;
}

/** Ties a service to handlers of exactly its methods. */
export function served<Definition extends TsProtoServiceDefinition>(
  definition: Definition,
  handlers: ServiceImplementation<Definition, StreamExt>,
): ServedService {
  return { definition, handlers } as unknown as ServedService;
}
