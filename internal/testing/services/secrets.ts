import { randomBytes } from 'node:crypto';

/** Everything that must not come to light. */
export class Secrets {
  readonly #all: { what: string; text: string }[] = [];

  /** A new one: long, and of letters and digits only, so that nothing writes it in another way. */
  make(what: string): string {
    return this.add(what, `Qz7${randomBytes(12).toString('hex')}`);
  }

  add(what: string, text: string): string {
    this.#all.push({ what, text });
    return text;
  }

  /** Of a JWT the header is no secret. */
  addToken(what: string, token: string): string {
    for (const part of token.split('.').slice(1)) this.add(what, part);
    return token;
  }

  /** What each is that the text holds, as it is or in base64. */
  in(text: string): string[] {
    const forms = ({ text: secret }: { text: string }) => [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    ];
    return this.#all.filter((secret) => forms(secret).some((form) => text.includes(form))).map(({ what }) => what);
  }
}
