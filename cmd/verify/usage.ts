export const usage = `usage: verify [--addr host:port] … [--http URL] … [options]
       verify check FILE [--json]

Has random clients use a chat service, over every transport, and checks that it keeps what it promises: every acknowledged message is there
once, in one order for all, with numbers without gaps; nothing is missed by who resumes; nothing comes to who was removed. The second form checks
a history that was recorded.

  --addr HOST:PORT     gRPC of a node; may be repeated (default, if no --http is given: 127.0.0.1:50051)
  --http URL           the HTTP side of a node, for REST, WebSocket and server-sent events; may be repeated (default: none)
  --tls                gRPC is by TLS, with a certificate of an authority that this machine trusts
  --tls-ca FILE        the same, with a certificate of the authority in FILE (PEM), which is trusted for --http https://… too
  --tls-cert FILE      one's own certificate, where the service asks for one over gRPC; with --tls-key FILE
  --clients N          clients at the same time (default 12)
  --seconds N          how long they go on (default 30)
  --operations N       at most so many operations
  --pace MS            pause of a client after each operation (default 20)
  --seed N             what the clients choose depends on it alone (default: by chance)
  --token TOKEN        access token of a client; may be repeated, and there are as many clients then, the first one reading everything at the
                       end. Without it they are guests (AUTH_GUESTS)
  --account NAME:PASS  the same with accounts; may be repeated
  --faults             somebody is breaking things: lost connections and delays are no violations, everything else is
  --max-delay MS       how late a message may come to a live reader (default 10000)
  --history FILE       writes everything that happened, as lines of JSON
  --json               prints the verdict as JSON
  --help

Exit code: 0 nothing was violated, 1 something was, 2 bad usage, no connection, or nothing is proved: no message was
acknowledged, or chats could not be read at the end.
`;
