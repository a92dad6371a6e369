import type { Panel } from './panel.ts';
import { orZero, rate } from './query.ts';

const refusals = (reasons: string) => ({
  query: orZero(rate('chat_refusals_total', { by: 'reason', where: `reason=~"${reasons}"` })),
  legend: '{{reason}}',
});

export const refusalsByReason: Panel = {
  title: 'Refusals by reason',
  description:
    'Calls, streams and commands that were refused or failed, a second. docs/errors.md explains each reason.',
  unit: 'ops',
  queries: [{ query: orZero(rate('chat_refusals_total', { by: 'reason' })), legend: '{{reason}}' }],
};

export const limited: Panel = {
  title: 'Beyond a limit',
  description: 'Clients that do too much: rate limits, streams of one user, frames and subscriptions.',
  unit: 'ops',
  queries: [refusals('RATE_LIMITED|TOO_MANY_STREAMS|FRAME_LIMIT|SUBSCRIPTION_LIMIT|MEMBER_LIMIT')],
};

export const badCredentials: Panel = {
  title: 'Wrong passwords and tokens',
  description: 'Many WRONG_CREDENTIALS: somebody guesses passwords. REFRESH_TOKEN_REUSED: a stolen token.',
  unit: 'ops',
  queries: [refusals('WRONG_CREDENTIALS|WRONG_PASSWORD|TOKEN_INVALID|REFRESH_TOKEN_(INVALID|REUSED)')],
};

export const nonsense: Panel = {
  title: 'Invalid requests',
  description: 'Clients with a bug, or somebody who tries things out.',
  unit: 'ops',
  queries: [refusals('INVALID_FIELDS|MALFORMED_FRAME|METHOD_NOT_ALLOWED|BANNED|BANNED_FROM_CHAT')],
};

export const signIns: Panel = {
  title: 'Sign-ins',
  description: 'Guests, logins, registrations and renewed tokens, a second, also those that are refused.',
  unit: 'ops',
  queries: [
    {
      query: rate('grpc_server_started_total', { by: 'grpc_method', where: 'grpc_service="auth.v1.AuthService"' }),
      legend: '{{grpc_method}}',
    },
  ],
};

export const beginningStreams: Panel = {
  title: 'Streams that begin',
  description: 'Streams a second. Many more than before: clients connect again and again.',
  unit: 'ops',
  queries: [{ query: rate('grpc_server_started_total', { where: 'grpc_type="bidi_stream"' }), legend: 'streams' }],
};

export const unknownRoutes: Panel = {
  title: 'HTTP requests by route',
  description: 'The ten busiest routes. Many of `other`: somebody looks for pages that are not there.',
  unit: 'ops',
  queries: [{ query: `topk(10, ${rate('http_requests_total', { by: 'route' })})`, legend: '{{route}}' }],
};
