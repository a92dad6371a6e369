#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { makeCertificates } from './make-certificates.ts';

const usage = `usage: gen-cert [--folder DIR] [--host NAME] … [--force]

Makes a local certificate authority and, signed by it, certificates for a server and for a client. An authority that is there is kept, so that
those who trust it need not be told; its server and client certificates are renewed.

  --folder DIR  where the files go (default certs)
  --host NAME   a name or address of the server besides localhost, 127.0.0.1 and ::1; may be repeated
  --force       makes a new authority, too
`;

try {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: 'certs' },
      host: { type: 'string', multiple: true, default: [] },
      force: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) console.log(usage);
  else {
    const hosts = values.host.flatMap((host) => host.split(',')).filter((host) => host !== '');
    const set = await makeCertificates(values.folder, { hosts, force: values.force ?? false });
    console.log(`${set.newAuthority ? 'made' : 'kept'} the authority  ${set.ca}
made for the server  ${set.serverCert}, ${set.serverKey}
made for clients     ${set.clientCert}, ${set.clientKey}

To use them, put into local.env:
  TLS_CERT=${set.serverCert}
  TLS_KEY=${set.serverKey}
  TLS_CLIENT_CA=${set.ca}   # only if clients must show a certificate, too`);
  }
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}
