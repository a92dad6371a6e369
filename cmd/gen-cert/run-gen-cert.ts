import { parseArgs } from 'node:util';
import { type CertificateSet, makeCertificates } from './make-certificates.ts';

const usage = `usage: gen-cert [--folder DIR] [--host NAME] … [--force]

Creates a local certificate authority, and certificates of it for a server and for a client. An existing authority is kept, so that clients that trust it
need no change; the server's and the client's certificates are renewed.

  --folder DIR  the folder of the files (default certs)
  --host NAME   a name or address of the server, besides localhost, 127.0.0.1 and ::1; may be repeated
  --force       creates a new authority as well
`;

/** Creates certificates in a folder, and prints how to use them. Returns the exit code: 1 if it failed, with the reason on standard error. */
export async function runGenCert(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        folder: { type: 'string', default: 'certs' },
        host: { type: 'string', multiple: true, default: [] },
        force: { type: 'boolean', default: false },
        help: { type: 'boolean' },
      },
    });
    if (values.help) console.log(usage);
    else {
      const hosts = values.host.flatMap((host) => host.split(',')).filter((host) => host !== '');
      console.log(describe(await makeCertificates(values.folder, { hosts, force: values.force })));
    }
    return 0;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    return 1;
  }
}

function describe(set: CertificateSet): string {
  return `the authority (${set.newAuthority ? 'new' : 'kept'})  ${set.ca}
for the server       ${set.serverCert}, ${set.serverKey}
for clients          ${set.clientCert}, ${set.clientKey}

To use them, put into local.env:
  TLS_CERT=${set.serverCert}
  TLS_KEY=${set.serverKey}
  TLS_CLIENT_CA=${set.ca}   # only if clients must show a certificate as well`;
}
