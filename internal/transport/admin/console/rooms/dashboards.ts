import { dashboards, panelsOf } from '../../../../monitoring/dashboards.ts';
import type { Panel } from '../../../../monitoring/panels/panel.ts';
import { toPromql } from '../../../../monitoring/panels/query.ts';
import { readNumbers } from '../../query.ts';
import { Refusal } from '../../refusal.ts';
import type { Route } from '../../route.ts';
import { whenGone } from '../../when-gone.ts';

/** One series as it is drawn. */
interface Line {
  labels: Readonly<Record<string, string>>;
  values: readonly (number | null)[];
}

/** Evaluates a query at times of the same distance, the newest last. */
export type ReadSeries = (
  query: string,
  range: { end: number; stepSeconds: number; points: number },
  signal: AbortSignal,
) => Promise<Line[]>;

interface Options {
  /** Absent: there is no Prometheus to ask. */
  read: ReadSeries | undefined;
  /** The range of rates is at least this long: four scrapes, in seconds. */
  minWindowSeconds: number;
}

const points = 121;
const minutes = { min: 5, max: 1_440, fallback: 30 };
/** Panels that are evaluated at the same time, of all administrators together. */
const atOnce = 8;
/** As in the configuration of Prometheus in `deploy`. */
const nodes = 'job="chat"';

/** The dashboards of Grafana with their queries, evaluated by the Prometheus of ADMIN_PROMETHEUS_URL. Only queries of panels are: nobody sends one. */
export function dashboardsRoutes({ read, minWindowSeconds }: Options): Route[] {
  let underWay = 0;
  const evaluate = async (panel: Panel, minutesBack: number, signal: AbortSignal) => {
    if (!read) throw new Refusal(404, 'there is no Prometheus to ask: set ADMIN_PROMETHEUS_URL');
    if (underWay >= atOnce) throw new Refusal(429, 'other plots are being read: try again');
    underWay += 1;
    try {
      const stepSeconds = Math.max(1, Math.round((minutesBack * 60) / (points - 1)));
      const window = `${Math.max(minWindowSeconds, stepSeconds)}s`;
      const range = { end: Math.floor(Date.now() / 1_000), stepSeconds, points };
      const lines = await Promise.all(
        panel.queries.map(async ({ query, legend }) => {
          const series = await read(toPromql(query, { nodes, window }), range, signal);
          return series.map(({ labels, values }) => ({ label: fill(legend, labels), values }));
        }),
      );
      const at = Array.from({ length: points }, (_, i) => (range.end - stepSeconds * (points - 1 - i)) * 1_000);
      return { at, lines: lines.flat() };
    } finally {
      underWay -= 1;
    }
  };
  return [
    {
      method: 'GET',
      path: '/admin/api/dashboards',
      access: 'admin',
      handle: (_request, response) => void response.json({ available: read !== undefined, dashboards: shown }),
    },
    {
      method: 'GET',
      path: '/admin/api/dashboards/:uid/panels/:panel',
      access: 'admin',
      async handle(request, response) {
        const { uid, panel } = request.params as { uid: string; panel: string };
        const { minutes: back } = readNumbers(request, { minutes });
        const dashboard = dashboards.find((each) => each.uid === uid);
        const found = dashboard && /^\d{1,3}$/.test(panel) ? panelsOf(dashboard)[Number(panel)] : undefined;
        if (!found) throw new Refusal(404, 'there is no such panel');
        try {
          response.json(await evaluate(found, back, whenGone(response)));
        } catch (error) {
          if ((error as Error).name === 'PrometheusFailure') throw new Refusal(502, (error as Error).message);
          throw error;
        }
      },
    },
  ];
}

const titles = new Map(dashboards.map(({ uid, title }) => [uid, title]));

/** What the page draws, without the queries. Panels are numbered through their dashboard. */
const shown = dashboards.map((dashboard) => {
  const { uid, title, description } = dashboard;
  const all = panelsOf(dashboard);
  const rows = dashboard.rows.map((row) => ({
    title: row.title,
    panels: row.panels.map((panel) => ({
      number: all.indexOf(panel),
      title: panel.title,
      description: panel.description,
      unit: panel.unit,
      kind: panel.kind ?? 'lines',
      // A panel on the dashboard of its causes needs no way there.
      ...(panel.causes !== undefined &&
        panel.causes !== uid && { causes: { uid: panel.causes, title: titles.get(panel.causes) } }),
    })),
  }));
  return { uid, title, description, rows };
});

function fill(legend: string, labels: Readonly<Record<string, string>>): string {
  return legend.replace(/\{\{(\w+)\}\}/g, (_, label: string) => labels[label] ?? '');
}
