import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { PrometheusSeries } from './prometheus-series.ts';

/** Serves answers as a Prometheus, behind a path and a password. */
async function open(
  answer: RequestListener,
  options: { maxSeries?: number; maxBytes?: number; timeoutMs?: number } = {},
) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const url = `http://reader:p%40ss@127.0.0.1:${port}/prometheus/`;
  return new PrometheusSeries({ url, timeoutMs: 60_000, maxSeries: 2, maxBytes: 10_000, ...options });
}

const range = { end: 1_000, stepSeconds: 10, points: 3 };
const read = (series: PrometheusSeries) => series.read('up', range, new AbortController().signal);
const success = (...result: object[]) => JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } });

test('series have a value for each time, and null where Prometheus has none', async () => {
  const values = [
    [980, '1'],
    [1_000, 'NaN'],
  ];
  const one = { metric: { job: 'chat' }, values };
  const series = await open((_request, response) => response.end(success(one, { metric: {}, values: [[990, '2.5']] })));
  expect(await read(series)).toEqual([
    { labels: { job: 'chat' }, values: [1, null, null] },
    { labels: {}, values: [null, 2.5, null] },
  ]);
});

test('it sends the query, the times and the password, and takes a limited number of series', async () => {
  let asked = '';
  const series = await open(async (request, response) => {
    const body = await Array.fromAsync(request);
    asked = `${request.method} ${request.url} ${request.headers.authorization} ${Buffer.concat(body)}`;
    response.end(success(...[1, 2, 3].map((n) => ({ metric: { n: `${n}` }, values: [] }))));
  });
  expect((await read(series)).map(({ labels }) => labels.n)).toEqual(['1', '2']);
  const credentials = Buffer.from('reader:p@ss').toString('base64');
  expect(asked).toBe(
    `POST /prometheus/api/v1/query_range Basic ${credentials} query=up&start=980&end=1000&step=10&timeout=60000ms`,
  );
});

test.each<[string, RequestListener, object, RegExp]>([
  ['an error of Prometheus', (_, to) => to.end('{"status":"error","error":"parse error"}'), {}, /refuses.*parse error/],
  ['what is no answer of Prometheus', (_, to) => to.end('<html>'), {}, /does not answer/],
  ['an answer without an end', (_, to) => void to.write('{'), { timeoutMs: 50 }, /does not answer/],
  ['an answer that is too long', (_, to) => to.end(success({ metric: { x: 'x'.repeat(9_999) } })), {}, /too long/],
])('%s is a failure with its reason', async (_, answer, options, reason) => {
  const series = await open(answer, options);
  await expect(read(series)).rejects.toMatchObject({
    name: 'PrometheusFailure',
    message: expect.stringMatching(reason),
  });
});
