/** Entry point for the gRPC transport, which requires Node. Everything exported by `index.ts` also runs in browsers. */
export { type GrpcTransportOptions, grpcTransport, type TlsOptions } from './transports/grpc-transport.ts';
