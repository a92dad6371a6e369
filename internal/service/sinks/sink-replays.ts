import { type FieldViolation, invalidFieldsError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { Replay, SinkReplayRepository } from '../../repository/sink-replay-repository.ts';

/** What an administrator asks for, as texts. */
export interface AskedReplay {
  sink: string;
  chatId: string;
  /** A number of the chat, or a time in RFC 3339. */
  from: string;
  reason: string;
}

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
const number = /^[1-9]\d{0,14}$/;
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/** Delivers changes to sinks again, for administrators. */
export class SinkReplays {
  readonly #replays: SinkReplayRepository;

  constructor(replays: SinkReplayRepository) {
    this.#replays = replays;
  }

  /**
   * Has the relay deliver the chat's changes again, from the one at `from` to the newest one. The audit log has `export.replay`. Throws INVALID_ARGUMENT
   * (INVALID_FIELDS), also if the sink has nothing from there on; NOT_FOUND (CHAT_NOT_FOUND); UNAVAILABLE (STORAGE_UNAVAILABLE).
   */
  async replay(actor: Principal, { sink, chatId, from, reason }: AskedReplay): Promise<Replay> {
    const start = readFrom(from);
    const faults: FieldViolation[] = [];
    if (!uuid.test(chatId)) faults.push({ field: 'chatId', description: 'must be the id of a chat, a UUID' });
    if (start === undefined) {
      const description = 'must be a number from 1, or a time as in 2030-01-31T12:00:00Z';
      faults.push({ field: 'from', description });
    }
    if (faults.length > 0 || start === undefined) throw invalidFieldsError(...faults);
    const request = { sink, chatId, from: start, reason };
    const replay = await this.#replays.replay({ id: actor.userId, name: actor.name }, request);
    if (replay) return replay;
    throw invalidFieldsError({ field: 'from', description: 'is after everything that the sink has of the chat' });
  }
}

function readFrom(text: string): number | Date | undefined {
  if (number.test(text)) return Number(text);
  const date = new Date(text);
  return time.test(text) && !Number.isNaN(date.getTime()) ? date : undefined;
}
