import type { Panel } from './panel.ts';
import { orZero, percentiles, rate, total } from './query.ts';

const sending = 'grpc_method=~"SendMessage|EditMessage|DeleteMessage"';
const commands = 'operation=~"SendMessage|EditMessage|DeleteMessage"';

export const arrivingMessages: Panel = {
  title: 'Messages and changes that arrive',
  description: 'Sends, edits and deletions a second, also those that are refused: by calls and by commands of streams.',
  unit: 'ops',
  queries: [
    { query: orZero(rate('grpc_server_started_total', { where: sending })), legend: 'calls' },
    { query: orZero(rate('chat_commands_total', { where: commands })), legend: 'commands' },
  ],
};

export const receivedFrames: Panel = {
  title: 'Frames received',
  description: 'Requests of unary calls, and frames of commands in streams, a second.',
  unit: 'ops',
  queries: [{ query: rate('grpc_server_msg_received_total', { by: 'grpc_type' }), legend: '{{grpc_type}}' }],
};

export const calls: Panel = {
  title: 'Calls by outcome',
  description: 'Calls and streams that ended, a second, by status code. Streams that clients close count as CANCELLED.',
  unit: 'ops',
  queries: [{ query: rate('grpc_server_handled_total', { by: 'grpc_code' }), legend: '{{grpc_code}}' }],
};

export const callSeconds: Panel = {
  title: 'Time of calls',
  description: 'How long unary calls took. That of SendMessage includes its commit.',
  unit: 's',
  queries: percentiles('grpc_server_handling_seconds'),
  causes: 'chat-database',
};

export const slowMethods: Panel = {
  title: 'Time of calls by method, p99',
  description: 'Methods without calls in the period have no line.',
  unit: 's',
  queries: [percentiles('grpc_server_handling_seconds', { by: 'grpc_method' })[1]!],
};

export const httpRequests: Panel = {
  title: 'HTTP requests by status',
  description: 'Requests to the gateway that were answered, a second, by HTTP status.',
  unit: 'ops',
  queries: [{ query: rate('http_requests_total', { by: 'code' }), legend: '{{code}}' }],
};

export const httpSeconds: Panel = {
  title: 'Time of HTTP requests',
  description: 'How long the gateway took to answer. Server-sent events are left out.',
  unit: 's',
  queries: percentiles('http_request_duration_seconds'),
};

export const connections: Panel = {
  title: 'Connections',
  description: 'Open connections of clients, to gRPC and to HTTP. Each takes a file descriptor.',
  unit: 'short',
  queries: [{ query: total('chat_connections', { by: 'server' }), legend: '{{server}}' }],
};

export const streams: Panel = {
  title: 'Streams',
  description: 'Open streams of users, by transport.',
  unit: 'short',
  queries: [{ query: total('chat_sessions', { by: 'transport' }), legend: '{{transport}}' }],
};

export const waitingArrivals: Panel = {
  title: 'Streams that wait to begin',
  description: 'More than 0 after many clients were disconnected at once: each process admits ARRIVALS_PER_SECOND.',
  unit: 'short',
  queries: [{ query: total('chat_arrivals_waiting', { by: 'instance' }), legend: '{{instance}}' }],
};
