export const usage = `usage: verify [--addr host:port] … [--http URL] … [options]
       verify check FILE [--json]

Lets random clients use a chat service, over every transport, and checks its promises: every acknowledged message is in its chat once, in one
order for all readers, with numbers without gaps; a client that resumes misses nothing; a user who was removed receives nothing. The second
form checks a recorded history.

  --addr HOST:PORT     gRPC of a node; may be repeated (default, if no --http is given: 127.0.0.1:50051)
  --http URL           the HTTP side of a node, for REST, WebSocket and server-sent events; may be repeated (default: none)
  --tls                gRPC uses TLS, with a certificate of an authority that this machine trusts
  --tls-ca FILE        the same, with a certificate of the authority in FILE (PEM), which is trusted for --http https://… too
  --tls-cert FILE      the client's certificate, if the service asks for one over gRPC; with --tls-key FILE
  --clients N          clients at the same time (default 12)
  --seconds N          how long the run lasts (default 30)
  --operations N       ends the run after N operations
  --pace MS            pause of a client after each operation (default 20)
  --seed N             determines what the clients choose (default: random)
  --token TOKEN        access token of a client; may be repeated: one client for each token, the first of which reads everything at the end.
                       Without tokens and accounts the clients are guests (AUTH_GUESTS)
  --account NAME:PASS  the same with an account; may be repeated
  --faults             faults are expected: lost connections and delays are no violations, everything else is
  --max-delay MS       how late a live reader may receive a message (default 10000)
  --history FILE       writes a record of everything that happened, as lines of JSON
  --json               prints the verdict as JSON
  --help

Exit code: 0 no violation, 1 at least one, 2 bad usage, no connection, or nothing proved: no message was acknowledged, or
chats could not be read at the end.
`;
