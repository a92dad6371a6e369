import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** The names of the files, all in PEM. */
export interface CertificateSet {
  ca: string;
  caKey: string;
  serverCert: string;
  serverKey: string;
  clientCert: string;
  clientKey: string;
  /** False if the folder had an authority already, which was kept. */
  newAuthority: boolean;
}

export interface MakeOptions {
  /** Names and addresses of the server, besides localhost, 127.0.0.1 and ::1. */
  hosts?: readonly string[];
  /** Creates a new authority even if the folder has one. */
  force?: boolean;
  /** How long server and client certificates are valid, in days. */
  days?: number;
}

interface Authority {
  certificate: X509Certificate;
  key: webcrypto.CryptoKey;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const authorityDays = 3_650;
/** The longest that browsers accept. */
const leafDays = 397;
const dayMs = 86_400_000;

/** Creates a local authority, unless the folder has one, and new certificates of it for a server and a client. */
export async function makeCertificates(
  folder: string,
  { hosts = [], force = false, days = leafDays }: MakeOptions = {},
): Promise<CertificateSet> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const file = (name: string) => join(folder, name);
  const [ca, caKey] = [file('ca.crt'), file('ca.key')];
  const newAuthority = force || !existsSync(ca) || !existsSync(caKey);
  const authority = newAuthority ? await makeAuthority(ca, caKey) : await readAuthority(ca, caKey);
  const set = {
    ca,
    caKey,
    serverCert: file('server.crt'),
    serverKey: file('server.key'),
    clientCert: file('client.crt'),
    clientKey: file('client.key'),
    newAuthority,
  };
  const names = ['localhost', '127.0.0.1', '::1', ...hosts].map((value) => ({
    type: isIP(value) ? ('ip' as const) : ('dns' as const),
    value,
  }));
  await makeLeaf(authority, days, 'chat-service', set.serverCert, set.serverKey, [
    new SubjectAlternativeNameExtension(names),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
  ]);
  await makeLeaf(authority, days, 'chat-client', set.clientCert, set.clientKey, [
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth]),
  ]);
  return set;
}

async function makeAuthority(certFile: string, keyFile: string): Promise<Authority> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=chat-service local authority ${randomBytes(3).toString('hex')}`,
    ...validFor(authorityDays),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await save(keyFile, await toPem(keys.privateKey), 0o600);
  await save(certFile, certificate.toString('pem'), 0o644);
  return { certificate, key: keys.privateKey };
}

async function readAuthority(certFile: string, keyFile: string): Promise<Authority> {
  const certificate = new X509Certificate(await readFile(certFile, 'utf8'));
  const [der] = PemConverter.decode(await readFile(keyFile, 'utf8'));
  if (!der) throw new Error(`${keyFile} holds no key`);
  return { certificate, key: await webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']) };
}

async function makeLeaf(
  { certificate: issuer, key }: Authority,
  days: number,
  name: string,
  certFile: string,
  keyFile: string,
  extensions: Extension[],
): Promise<void> {
  const keys = await generateKeys();
  const certificate = await X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: `CN=${name}`,
    issuer: issuer.subject,
    ...validFor(days),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...extensions,
    ],
  });
  await save(keyFile, await toPem(keys.privateKey), 0o600);
  await save(certFile, certificate.toString('pem'), 0o644);
}

function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** A positive number that nobody can guess. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0]! &= 0x7f;
  bytes[0]! |= 0x40;
  return bytes.toString('hex');
}

/** The period begins an hour ago, because clocks differ. */
function validFor(days: number): { notBefore: Date; notAfter: Date } {
  const notBefore = new Date(Date.now() - 3_600_000);
  return { notBefore, notAfter: new Date(notBefore.getTime() + days * dayMs) };
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  return PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

/** Replaces the file in one step, because a service that watches it must not read a part of it. */
async function save(file: string, pem: string, mode: number): Promise<void> {
  const draft = `${file}.new`;
  await writeFile(draft, pem.endsWith('\n') ? pem : `${pem}\n`, { mode });
  await rename(draft, file);
}
