import { type CallContext, ServerError, Status } from 'nice-grpc-common';
import type { Bus, BusState } from '../../../client/bus/bus.ts';
import type { Call, Interceptor } from '../../../interceptor/call.ts';
import type { CallExt, ServedMethod, ServedService, UnaryHandler } from '../operations/served-service.ts';
import { CallFailure } from './call-failure.ts';
import { RequestReader } from './request-reader.ts';
import type { CallOptions, CallResult, UnaryCaller } from './unary-caller.ts';

interface Method {
  name: string;
  decode(bytes: Uint8Array): object;
  encode(response: unknown): Uint8Array;
  handle: UnaryHandler;
}

/** The process's state, for health checks. */
interface State {
  isReady: () => boolean;
  bus?: Pick<Bus, 'state'> | undefined;
}

/** Calls the services of this process directly, through the same interceptors and handlers as gRPC does. */
export class LocalCaller implements UnaryCaller {
  readonly #interceptor: Interceptor;
  readonly #state: State;
  readonly #methods = new Map<string, Method>();

  constructor(services: readonly ServedService[], interceptor: Interceptor, state: State) {
    this.#interceptor = interceptor;
    this.#state = state;
    for (const { definition, unary } of services) {
      for (const [key, method] of Object.entries(definition.methods)) {
        const handle = unary[key];
        if (handle) this.#methods.set(`/${definition.fullName}/${method.name}`, toMethod(method, handle));
      }
    }
  }

  get ready(): boolean {
    return this.#state.isReady();
  }

  get bus(): BusState | undefined {
    return this.#state.bus?.state;
  }

  async call(rpc: string, bytes: Uint8Array, { metadata, peer, signal }: CallOptions): Promise<CallResult> {
    const method = this.#methods.get(rpc);
    if (!method) throw new CallFailure(Status.UNIMPLEMENTED, `${rpc} is not served here`);
    const responseMetadata = new Map<string, string>();
    let details: Uint8Array | undefined;
    const request = method.decode(bytes);
    const call: Call = {
      kind: 'unary',
      path: rpc,
      method: method.name,
      peer,
      request,
      signal,
      traceId: '',
      header: (name) => {
        const value = metadata.get(name);
        return typeof value === 'string' ? value : undefined;
      },
      setResponseHeader: (name, value) => responseMetadata.set(name, value),
      setTrailer: (name, value) => {
        if (name === 'grpc-status-details-bin') details = value;
      },
    };
    try {
      const response = await this.#interceptor(call, () =>
        method.handle(request, { call, signal: call.signal } as CallContext & CallExt),
      );
      return { response: method.encode(response), metadata: responseMetadata };
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      throw new CallFailure(error.code, error.details, { details, metadata: responseMetadata });
    }
  }

  close(): void {}
}

function toMethod({ name, requestType, responseType }: ServedMethod, handle: UnaryHandler): Method {
  return {
    name,
    decode: (bytes) => requestType.decode(new RequestReader(bytes)),
    // `fromPartial`, because handlers may omit unset fields.
    encode: (response) => responseType.encode(responseType.fromPartial(response)).finish(),
    handle,
  };
}
