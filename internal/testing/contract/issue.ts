import type { Transport } from '../../../pkg/chat-client/transports/transport.ts';
import type { TokenRole } from '../../model/principal.ts';
import { type Person, personOf, uniqueName } from '../clients/person.ts';

/** Issues an access token that the service accepts. */
export type Issue = (subject: { userId: string; name: string; roles: TokenRole[] }) => Promise<string>;

/** Returns a new user whose token has these roles. */
export async function personWith(transport: Transport, issue: Issue, ...roles: TokenRole[]): Promise<Person> {
  const id = uniqueName(roles.join('-') || 'nobody');
  const name = `${id}'s name`;
  return personOf(transport, { id, name, token: await issue({ userId: id, name, roles }) });
}
