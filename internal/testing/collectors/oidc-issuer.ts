import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';

export type SigningAlgorithm = 'RS256' | 'ES256' | 'EdDSA';

const callback = 'https://app.example.com/callback';
const client: ClientMetadata & { client_secret: string } = {
  client_id: 'chat-web',
  client_secret: 'a secret of a test',
  redirect_uris: [callback],
  grant_types: ['authorization_code', 'client_credentials'],
  response_types: ['code'],
};

/** The discovery document, as far as tests use it. */
export interface Discovered {
  issuer: string;
  jwks_uri: string;
  token_endpoint: string;
  authorization_endpoint: string;
}

/** A real OpenID Connect provider on a loopback port. Any user name can sign in. A test sets the additional claims of its tokens. */
export class OidcIssuer {
  /** Additional claims of access tokens, by subject. */
  readonly claims = new Map<string, Record<string, unknown>>();
  /** The audience of its tokens. */
  audience = 'chat';
  readonly #keys: JWK[];
  #algorithm: SigningAlgorithm;
  #port = 0;
  #server: Server | undefined;

  private constructor(algorithm: SigningAlgorithm, key: JWK) {
    this.#algorithm = algorithm;
    this.#keys = [key];
  }

  static async start(algorithm: SigningAlgorithm = 'RS256'): Promise<OidcIssuer> {
    const issuer = new OidcIssuer(algorithm, await generateKey(algorithm));
    await issuer.listen();
    return issuer;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async discover(): Promise<Discovered> {
    const response = await fetch(`${this.url}/.well-known/openid-configuration`);
    return (await response.json()) as Discovered;
  }

  /** Listens; after `close`, on the same port again. */
  async listen(): Promise<void> {
    const server = createServer();
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as { port: number }).port;
    server.on('request', this.#provider().callback());
    this.#server = server;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }

  /** Creates a new signing key. `keepOld`: earlier keys stay in the key set. */
  async rotate({ keepOld }: { keepOld: boolean }, algorithm = this.#algorithm): Promise<void> {
    if (!keepOld) this.#keys.length = 0;
    this.#keys.unshift(await generateKey(algorithm));
    this.#algorithm = algorithm;
    this.#server?.removeAllListeners('request');
    this.#server?.on('request', this.#provider().callback());
  }

  /** Gets an access token for the client itself, by the client credentials grant. */
  async clientToken(): Promise<string> {
    return this.#token({ grant_type: 'client_credentials' });
  }

  /** Gets an access token and an ID token for a user, by the authorization code flow: signs in and consents as a browser does. */
  async userToken(login: string): Promise<{ accessToken: string; idToken: string }> {
    const { authorization_endpoint: authorization } = await this.discover();
    const query = new URLSearchParams({
      client_id: client.client_id,
      response_type: 'code',
      redirect_uri: callback,
      scope: 'openid',
      resource: 'urn:chat',
    });
    const browser = new Browser();
    let location = await browser.follow(`${authorization}?${query}`, callback);
    for (const form of [`prompt=login&login=${encodeURIComponent(login)}&password=any`, 'prompt=consent']) {
      location = await browser.follow(location, callback, new URLSearchParams(form));
    }
    const code = new URL(location).searchParams.get('code')!;
    const body = await this.#ask({ grant_type: 'authorization_code', code, redirect_uri: callback });
    return { accessToken: body.access_token!, idToken: body.id_token! };
  }

  async #token(grant: Record<string, string>): Promise<string> {
    return (await this.#ask({ ...grant, resource: 'urn:chat' })).access_token!;
  }

  async #ask(grant: Record<string, string>): Promise<{ access_token?: string; id_token?: string }> {
    const { token_endpoint: endpoint } = await this.discover();
    const basic = Buffer.from(`${client.client_id}:${encodeURIComponent(client.client_secret)}`).toString('base64');
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      body: new URLSearchParams(grant),
    });
    if (!response.ok) throw new Error(`the provider refuses: ${await response.text()}`);
    return (await response.json()) as { access_token?: string; id_token?: string };
  }

  #provider(): Provider {
    const configuration: Configuration = {
      clients: [{ ...client, id_token_signed_response_alg: this.#algorithm }],
      jwks: { keys: this.#keys },
      cookies: { keys: ['a key of a test'] },
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
      findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
      pkce: { required: () => false },
      ttl: { AccessToken: 600, ClientCredentials: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      extraTokenClaims: (_, token) =>
        this.claims.get(('accountId' in token && token.accountId) || token.clientId || ''),
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: true },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: '',
            audience: this.audience,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: this.#algorithm } },
          }),
        },
      },
    };
    return new Provider(this.url, configuration);
  }
}

/** Keeps cookies and follows redirections. */
class Browser {
  readonly #cookies = new Map<string, string>();

  /** Follows redirections until a page, or an address that begins with `stop`, and returns that. */
  async follow(address: string, stop: string, form?: URLSearchParams): Promise<string> {
    let url = address;
    let body = form;
    for (let steps = 0; steps < 10; steps += 1) {
      if (url.startsWith(stop)) return url;
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        body,
        headers: { cookie },
        redirect: 'manual',
      });
      for (const set of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
        if (name) this.#cookies.set(name, value ?? '');
      }
      const location = response.headers.get('location');
      if (!location) {
        if (response.ok) return url;
        throw new Error(`the provider answers ${response.status}: ${await response.text()}`);
      }
      url = new URL(location, url).href;
      body = undefined;
    }
    throw new Error('the provider sends in circles');
  }
}

async function generateKey(algorithm: SigningAlgorithm): Promise<JWK> {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: crypto.randomUUID(), alg: algorithm, use: 'sig' };
}
