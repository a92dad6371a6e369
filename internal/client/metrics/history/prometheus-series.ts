/** One series over time. */
export interface Series {
  labels: Readonly<Record<string, string>>;
  /** The values at the times of the range; null where there is none. */
  values: readonly (number | null)[];
}

/** Times at the same distance, the newest last. */
export interface TimeRange {
  /** In seconds since 1970. */
  end: number;
  stepSeconds: number;
  points: number;
}

/** Prometheus could not answer, and why. */
export class PrometheusFailure extends Error {
  override readonly name = 'PrometheusFailure';
}

interface Options {
  /** Its address. It may have a user and a password. */
  url: string;
  timeoutMs: number;
  /** The most series of one query: further ones are left out. */
  maxSeries: number;
  /** The longest answer that is read, in bytes. */
  maxBytes: number;
}

interface Answer {
  status: string;
  error?: string;
  data?: { result: { metric: Record<string, string>; values: [number, string][] }[] };
}

/** Evaluates queries over time by a Prometheus, or whatever else has its HTTP API. */
export class PrometheusSeries {
  readonly #options: Options;
  readonly #endpoint: URL;
  readonly #headers: Record<string, string>;

  constructor(options: Options) {
    this.#options = options;
    const url = new URL(options.url);
    const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    this.#headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...(url.username && { authorization: `Basic ${btoa(credentials)}` }),
    };
    url.username = '';
    url.password = '';
    url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query_range`;
    this.#endpoint = url;
  }

  /** Throws PrometheusFailure. */
  async read(query: string, { end, stepSeconds, points }: TimeRange, signal: AbortSignal): Promise<Series[]> {
    const { timeoutMs, maxSeries } = this.#options;
    const start = end - stepSeconds * (points - 1);
    const body = new URLSearchParams({
      query,
      start: `${start}`,
      end: `${end}`,
      step: `${stepSeconds}`,
      timeout: `${timeoutMs}ms`,
    });
    const { data } = await this.#post(body, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    return (data?.result ?? []).slice(0, maxSeries).map(({ metric, values }) => {
      const at = new Map(values.map(([time, text]) => [Math.round((time - start) / stepSeconds), Number(text)]));
      const valueAt = (index: number) => {
        const value = at.get(index);
        return value !== undefined && Number.isFinite(value) ? value : null;
      };
      return { labels: metric, values: Array.from({ length: points }, (_, index) => valueAt(index)) };
    });
  }

  async #post(body: URLSearchParams, signal: AbortSignal): Promise<Answer> {
    let answer: Answer;
    try {
      const response = await fetch(this.#endpoint, { method: 'POST', body, headers: this.#headers, signal });
      answer = JSON.parse(await this.#readText(response)) as Answer;
    } catch (cause) {
      if (cause instanceof PrometheusFailure) throw cause;
      throw new PrometheusFailure('Prometheus (ADMIN_PROMETHEUS_URL) does not answer', { cause });
    }
    if (answer.status === 'success') return answer;
    throw new PrometheusFailure(`Prometheus refuses the query: ${answer.error ?? 'it does not say why'}`);
  }

  async #readText({ body }: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = '';
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > this.#options.maxBytes) throw new PrometheusFailure('the answer of Prometheus is too long');
      text += decoder.decode(chunk, { stream: true });
    }
    return text;
  }
}
