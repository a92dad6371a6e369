/** Why the service has refused a request. */
export class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Tokens {
  accessToken: string;
  /** Absent: the token was pasted. */
  refreshToken?: string;
}

/** Where the tokens are kept: until the tab is closed, and for this origin only. */
const key = 'chat-console';

/** The console's API, with the token of who has signed in. */
export class ConsoleApi {
  /** The number of the process that answers, of those that share the port; undefined: any. */
  worker: number | undefined;
  #tokens: Tokens;
  readonly #onSignedOut: () => void;
  #refreshing: Promise<void> | undefined;

  private constructor(tokens: Tokens, onSignedOut: () => void) {
    this.#tokens = tokens;
    this.#onSignedOut = onSignedOut;
  }

  /** The session of before a reload; undefined if there is none. */
  static restore(onSignedOut: () => void): ConsoleApi | undefined {
    const stored = sessionStorage.getItem(key);
    return stored === null ? undefined : new ConsoleApi(JSON.parse(stored) as Tokens, onSignedOut);
  }

  /** Signs in. Throws `Refused`, also if the account is none of an administrator. */
  static async signIn(credentials: { username: string; password: string } | Tokens, onSignedOut: () => void) {
    const tokens =
      'accessToken' in credentials
        ? credentials
        : ((await send('POST', 'sign-in', undefined, credentials)) as Required<Tokens>);
    await send('GET', 'me', tokens.accessToken);
    const api = new ConsoleApi(tokens, onSignedOut);
    api.#keep(tokens);
    return api;
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.#send('GET', path) as Promise<Answer>;
  }

  post<Answer>(path: string, body: object = {}): Promise<Answer> {
    return this.#send('POST', path, body) as Promise<Answer>;
  }

  signOut(): void {
    sessionStorage.removeItem(key);
    this.#onSignedOut();
  }

  async #send(method: string, of: string, body?: object): Promise<unknown> {
    const path = this.worker === undefined ? of : `${of}${of.includes('?') ? '&' : '?'}worker=${this.worker}`;
    const { accessToken } = this.#tokens;
    try {
      return await send(method, path, accessToken, body);
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error;
    }
    if (accessToken === this.#tokens.accessToken) await this.#refresh();
    return send(method, path, this.#tokens.accessToken, body);
  }

  /** Several requests refresh together: a refresh token is good for one use. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<void> {
    const { refreshToken } = this.#tokens;
    try {
      if (refreshToken === undefined) throw new Refused(401, 'the token has expired');
      this.#keep((await send('POST', 'refresh', undefined, { refreshToken })) as Required<Tokens>);
    } catch (error) {
      if (error instanceof Refused && error.status < 500) this.signOut();
      throw error;
    }
  }

  #keep({ accessToken, refreshToken }: Tokens): void {
    this.#tokens = { accessToken, refreshToken };
    sessionStorage.setItem(key, JSON.stringify(this.#tokens));
  }
}

async function send(method: string, path: string, token?: string, body?: object): Promise<unknown> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(`api/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const answer = await response.json().catch(() => ({ error: `the answer has the status ${response.status}` }));
  if (!response.ok) throw new Refused(response.status, String((answer as { error?: string }).error));
  return answer;
}
