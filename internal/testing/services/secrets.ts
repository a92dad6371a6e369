import { randomBytes } from 'node:crypto';

/** The secrets of a test, to check that no output contains them. */
export class Secrets {
  readonly #all: { what: string; text: string }[] = [];

  /** Creates a secret: long, and only of letters and digits, so that no output escapes it. */
  make(what: string): string {
    return this.add(what, `Qz7${randomBytes(12).toString('hex')}`);
  }

  add(what: string, text: string): string {
    this.#all.push({ what, text });
    return text;
  }

  /** Adds a JWT, except for its header, which is not secret. */
  addToken(what: string, token: string): string {
    for (const part of token.split('.').slice(1)) this.add(what, part);
    return token;
  }

  /** Returns the descriptions of the secrets that the text contains, plain or in base64. */
  in(text: string): string[] {
    const forms = ({ text: secret }: { text: string }) => [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ];
    return this.#all.filter((secret) => forms(secret).some((form) => text.includes(form))).map(({ what }) => what);
  }
}
