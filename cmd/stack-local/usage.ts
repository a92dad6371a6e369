export const usage = `usage: stack-local [options]

Starts three nodes of the service behind HAProxy, with PostgreSQL, NATS, Redis, Prometheus and Alertmanager, as local programs on free ports of
loopback, prints their addresses, and runs until Ctrl-C. Then it ends all of them and removes what they stored. PostgreSQL comes with the service;
the others are Debian packages. Jaeger is started if the program \`jaeger\` is on the PATH.

  --nodes N   number of nodes (default 3)
  --logs DIR  where the nodes' logs are kept (default .data/stack-logs)
  --help
`;
