import { ChatError } from '../../model/errors.ts';

/** The text of a streamed message would become longer than the service allows. */
export class TextTooLong extends ChatError {
  constructor() {
    const description = 'would make the message longer than the service allows';
    super('INVALID_FIELDS', `text ${description}`, { violations: [{ field: 'text', description }] });
  }
}
