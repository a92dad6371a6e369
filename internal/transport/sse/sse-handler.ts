import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { type Command, ConnectChatResponse } from '../../../pkg/api/chat/v1/chat.ts';
import { BadRequest } from '../../../pkg/api/google/rpc/error_details.ts';
import { Status } from '../../../pkg/api/google/rpc/status.ts';
import type { Transcoder } from '../../../pkg/transcoder/transcoder.ts';
import { invalidFieldsError } from '../../model/errors.ts';
import { Frame } from '../../model/frame.ts';
import type { Inbox } from '../../service/sessions/inbox.ts';
import { CallFailure, toCallFailure } from '../shared/calls/call-failure.ts';
import { toPeer } from '../shared/http/peer.ts';
import { sendFailure } from '../shared/http/send-failure.ts';
import type { LiveStreams } from '../shared/streams/live-streams.ts';
import type { SseForms } from './sse-form.ts';

interface Deps {
  streams: LiveStreams;
  forms: SseForms;
  transcoder: Transcoder;
  log: Logger;
}

/** The cookie in which a page puts its access token: an EventSource cannot set headers. */
const tokenCookie = 'chat_token';

/**
 * Answers `GET /v1/chats/{chat_id}/events?after_seq=&epoch=` with the events of one chat, as server-sent events. The stream begins after the number in
 * `Last-Event-ID` (`<number>@<epoch>`, or a number alone), else after `after_seq`, else with new events only. A failure before the first event is answered as an ordinary REST error.
 */
export function sseHandler(deps: Deps, { keepaliveMs }: { keepaliveMs: number }): RequestHandler {
  const { streams, forms } = deps;

  const answer = async (req: Request, res: Response): Promise<void> => {
    const subscribe = { chatId: String(req.params.chatId), ...readCursor(req) };
    const gone = new AbortController();
    res.once('close', () => gone.abort());
    let refused: CallFailure | undefined;
    let keepalive: NodeJS.Timeout | undefined;
    let epoch = '';

    const write = (frame: Frame): Promise<void> | undefined => {
      if (!res.headersSent) {
        refused = refusalIn(frame);
        if (refused) return end();
        begin(res);
        if (req.method === 'HEAD') return end();
        keepalive = setInterval(() => res.write(': keep-alive\n\n'), keepaliveMs);
      }
      const { text, last, epoch: next } = frame.as(forms.of(epoch));
      epoch = next;
      const flowing = res.write(text);
      if (last) return end();
      return flowing ? undefined : new Promise((resolve) => res.once('drain', resolve));
    };
    const end = () => {
      gone.abort();
      return undefined;
    };

    try {
      await streams.run({
        transport: 'sse',
        header: (name) => (name === 'authorization' ? authorizationOf(req) : req.headers[name]?.toString()),
        peer: toPeer(req),
        commands: only([{ commandId: '', command: { $case: 'subscribe', value: subscribe } }]),
        write: held(write),
        onStuck: () => res.destroy(),
        signal: gone.signal,
      });
    } catch (error) {
      // Once the stream has begun, the client has the reason in the event `closing`.
      if (!res.headersSent) throw error;
    } finally {
      clearInterval(keepalive);
    }
    if (refused) throw refused;
    res.end();
  };

  return (req, res) => {
    answer(req, res).catch((error: unknown) => sendFailure(deps, req, res, error));
  };
}

/** Holds frames back until the command has been answered: until then the request can still fail with an HTTP status. */
function held(write: (frame: Frame) => Promise<void> | undefined) {
  let early: Frame[] | undefined = [];
  return (frame: Frame): Promise<void> | undefined => {
    if (!early) return write(frame);
    early.push(frame);
    const { events } = ConnectChatResponse.decode(frame.bytes);
    if (!events.some(({ event }) => event?.$case !== 'welcome')) return undefined;
    const all = Frame.join(early);
    early = undefined;
    return write(all);
  };
}

/** An inbox that gives `commands` once and never ends, because a stream lasts only as long as the client's half of it. */
function only(commands: readonly Command[]): Inbox<readonly Command[]> {
  let left: readonly Command[] | undefined = commands;
  return {
    take() {
      const taken = left;
      left = undefined;
      return taken;
    },
    ended: false,
    onReady: (reader) => reader(),
  };
}

function begin(res: Response): void {
  // no-transform stops proxies, and our own compression, from buffering events.
  res.status(200).set({
    'Content-Type': 'text/event-stream; charset=utf-8',
    'Cache-Control': 'no-store, no-transform',
    'X-Accel-Buffering': 'no',
  });
  res.flushHeaders();
}

function refusalIn(frame: Frame): CallFailure | undefined {
  for (const { event } of ConnectChatResponse.decode(frame.bytes).events) {
    if (event?.$case !== 'rejected' || !event.value.status) continue;
    const status = inTermsOfRequest(event.value.status);
    return new CallFailure(status.code, status.message, { details: Status.encode(status).finish() });
  }
  return undefined;
}

/** Names the fields at fault as the request does: `after_seq` instead of the command's `subscribe.after_seq`. */
function inTermsOfRequest(status: Status): Status {
  const details = status.details.map((detail) => {
    if (!detail.typeUrl.endsWith('/google.rpc.BadRequest')) return detail;
    const { fieldViolations } = BadRequest.decode(detail.value);
    for (const violation of fieldViolations) violation.field = violation.field.replace(/^subscribe\./, '');
    return { ...detail, value: BadRequest.encode({ fieldViolations }).finish() };
  });
  return { ...status, message: status.message.replaceAll('subscribe.', ''), details };
}

function readCursor(req: Request): { afterSeq: number | undefined; epoch: string | undefined } {
  const params = [...new URLSearchParams(req.url.split('?')[1] ?? '')];
  const given: { after_seq?: string; epoch?: string } = {};
  for (const [name, value] of params) {
    const field = name === 'afterSeq' ? 'after_seq' : name;
    if (field !== 'after_seq' && field !== 'epoch') {
      throw toCallFailure(invalidFieldsError({ field, description: 'is not a known field' }));
    }
    if (given[field] !== undefined) {
      throw toCallFailure(invalidFieldsError({ field, description: 'must be given only once' }));
    }
    given[field] = value;
  }
  const lastEventId = req.get('last-event-id') || undefined;
  // The URL stays the same when a browser reconnects: its epoch may be over since long.
  const [text = given.after_seq, epoch = given.epoch] = lastEventId?.split(/@(.*)/s) ?? [];
  if (text === undefined) return { afterSeq: undefined, epoch };
  if (!/^\d{1,19}$/.test(text)) {
    const field = lastEventId === undefined ? 'after_seq' : 'last-event-id';
    throw toCallFailure(invalidFieldsError({ field, description: 'must be a number, 0 or greater' }));
  }
  return { afterSeq: Math.min(Number(text), Number.MAX_SAFE_INTEGER), epoch };
}

function authorizationOf({ headers }: Request): string | undefined {
  if (headers.authorization !== undefined) return headers.authorization;
  for (const part of (headers.cookie ?? '').split(';')) {
    const [name, value = ''] = part.trim().split('=', 2);
    if (name === tokenCookie && value !== '') return `Bearer ${value}`;
  }
  return undefined;
}
