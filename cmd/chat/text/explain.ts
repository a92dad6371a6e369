import { ChatClientError } from '../../../pkg/chat-client/index.ts';
import { plainLine } from './plain-text.ts';

/** An error as one line for a person. */
export function explain(error: unknown): string {
  if (!(error instanceof ChatClientError)) return plainLine((error as Error).message);
  if (error.violations.length > 0) {
    return error.violations.map(({ field, description }) => `${fieldName(field)} ${plainLine(description)}`).join('; ');
  }
  if (error.reason === 'DRAINING') return 'the service is being restarted';
  return plainLine(connectionFault(error.message) ?? error.message);
}

/** The last part of a field's path: `text` of `send_message.text`. */
function fieldName(field: string): string {
  return plainLine(field.slice(field.lastIndexOf('.') + 1).replaceAll('_', ' '));
}

/** Shortens a message of grpc-js, which says in one sentence what failed, why, and what the resolver reported. */
function connectionFault(message: string): string | undefined {
  if (/ECONNREFUSED/.test(message)) return 'connection refused';
  if (/Name resolution failed/.test(message)) return 'the host is not known';
  if (/self-signed certificate|first certificate|local issuer certificate/.test(message)) {
    return "the service's certificate is not trusted: name its authority with --tls-ca FILE";
  }
  if (/Last error: (?:Error: )?Failed to connect \(/.test(message)) {
    return 'the connection was closed at once; if the service speaks TLS, say --tls or --tls-ca FILE';
  }
  return /Last error: (?:Error: )?(.+?)\. Resolution note:/.exec(message)?.[1];
}
