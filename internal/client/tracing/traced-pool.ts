import { AsyncLocalStorage } from 'node:async_hooks';
import { type Span, Tags } from 'opentracing';
import pg from 'pg';
import { activeSpans } from './active-spans.ts';

type Callback = (error: Error | undefined, result: unknown) => void;
/** The query of pg in the forms that this project and its libraries use. */
type Query = (query: string | { text: string }, values?: unknown, callback?: Callback) => Promise<unknown>;

/** A connection that opens a span for each statement within an active span. Its attributes are those of OpenTelemetry's conventions for SQL, without values. */
class TracedClient extends pg.Client {
  // biome-ignore lint/suspicious/noExplicitAny: pg declares a dozen forms.
  override query(...args: any): any {
    const [parent] = activeSpans();
    if (!parent) return super.query.apply(this, args);
    return this.#traced(parent, super.query.bind(this) as Query, ...(args as Parameters<Query>));
  }

  #traced(parent: Span, run: Query, query: Parameters<Query>[0], values: unknown, callback: Callback | undefined) {
    const [name, tags] = describe(typeof query === 'string' ? query : query.text);
    const span = parent.tracer().startSpan(name, { childOf: parent, tags: { ...tags, ...this.#tags() } });
    const finish = (error?: unknown) => {
      if (error) tagError(span, error);
      span.finish();
    };
    if (!callback) {
      const result = run(query, values);
      result.then(() => finish(), finish);
      return result;
    }
    return run(query, values, (error, result) => {
      finish(error);
      callback(error, result);
    });
  }

  #tags() {
    return {
      [Tags.SPAN_KIND]: Tags.SPAN_KIND_RPC_CLIENT,
      'db.system.name': 'postgresql',
      'db.namespace': this.database,
      'server.address': this.host,
      'server.port': this.port,
    };
  }
}

type Connected = Parameters<pg.Pool['connect']>[0];

/** A pool of connections whose statements are traced. */
export class TracedPool extends pg.Pool {
  constructor(config: pg.PoolConfig) {
    super({ ...config, Client: TracedClient } as pg.PoolConfig);
  }

  /** The pool calls back from within the query that has released the connection. The statement belongs to the call that has asked for it. */
  override connect(): Promise<pg.PoolClient>;
  override connect(callback: Connected): void;
  // biome-ignore lint/suspicious/noConfusingVoidType: as pg declares it.
  override connect(callback?: Connected): Promise<pg.PoolClient> | void {
    return callback ? super.connect(AsyncLocalStorage.bind(callback)) : super.connect();
  }
}

/** What a statement does. One that begins with `with` does what it does in the first of its parts that writes, or else it reads. */
const operation = /^\s*(?!with\b)(\w+)|\b(insert)\s+into\b|\b(delete)\s+from\b|\b(update)\s+\w+\s+set\b/i;
/** The first table or function that it names. */
const target = /\b(?:from|into|update)\s+(?:only\s+)?((?:"?\w+"?\.)?"?\w+"?)\s*(\()?/i;

/** A name for the span and its attributes: what the statement does to which table or function. Texts of statements are not sent: they might hold values. */
function describe(text: string): [name: string, tags: Record<string, string>] {
  const verb = (
    operation
      .exec(text)
      ?.slice(1)
      .find((word) => word !== undefined) ?? 'select'
  ).toUpperCase();
  const [, named, isCall] = target.exec(text) ?? [];
  const object = named?.replaceAll('"', '');
  const summary = object === undefined ? verb : `${verb} ${object}`;
  const tags = { 'db.operation.name': verb, 'db.query.summary': summary };
  if (object === undefined) return [summary, tags];
  return [summary, { ...tags, [isCall ? 'db.stored_procedure.name' : 'db.collection.name']: object }];
}

/** The message of an error of PostgreSQL may quote values; its code does not. */
function tagError(span: Span, error: unknown): void {
  const { code, name } = error as Error & { code?: string };
  span.addTags({ [Tags.ERROR]: true, 'error.type': code ?? name, ...(code && { 'db.response.status_code': code }) });
}
