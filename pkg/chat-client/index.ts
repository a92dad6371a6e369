export {
  type Chat,
  ChatRole,
  ChatType,
  type Member,
  type Message,
  RemovalReason,
  type User,
} from '../api/chat/v1/chat.ts';
export { ChatClient, type ChatClientEvents, type ChatClientOptions, type ConnectionState } from './chat-client.ts';
export { ChatClientError } from './chat-error.ts';
export { type GrpcTransportOptions, grpcTransport, type TlsOptions } from './grpc-transport.ts';
export type { Receipt } from './pending-sends.ts';
export { accessToken, account, guest, refreshToken, type Token, type TokenSource } from './token-source.ts';
export type { Transport } from './transport.ts';
