/** The entry for Node: everything of `index.ts` needs no more than a browser has; gRPC does. */
export { type GrpcTransportOptions, grpcTransport, type TlsOptions } from './transports/grpc-transport.ts';
