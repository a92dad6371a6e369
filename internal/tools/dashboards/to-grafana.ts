import * as common from '@grafana/grafana-foundation-sdk/common';
import * as grafana from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { Dashboard, Panel } from '../../monitoring/panels/panel.ts';
import { toPromql } from '../../monitoring/panels/query.ts';

/** What Grafana's variables select. */
const scope = { nodes: 'job="$job",instance=~"$node"', window: '$__rate_interval' };
/** As in deploy/grafana/provisioning/datasources. */
const datasource = { type: 'prometheus', uid: 'prometheus' };
const columns = 24;

/** The JSON of a dashboard, with one panel on each line. `titles` are those of all dashboards, by uid. */
export function toGrafana(dashboard: Dashboard, titles: Readonly<Record<string, string>>): string {
  const builder = new grafana.DashboardBuilder(dashboard.title)
    .uid(dashboard.uid)
    .description(dashboard.description)
    .tags(['chat'])
    .readonly()
    .tooltip(1)
    .refresh('10s')
    .time({ from: 'now-30m', to: 'now' })
    .withVariable(variable('job', 'label_values(chat_ready, job)'))
    .withVariable(nodeVariable(dashboard))
    .link(
      new grafana.DashboardLinkBuilder('Chat')
        .type(grafana.DashboardLinkType.Dashboards)
        .tags(['chat'])
        .asDropdown(false)
        .includeVars(true)
        .keepTime(true),
    );
  for (const { title, panels } of dashboard.rows) {
    builder.withRow(new grafana.RowBuilder(title));
    const width = columns / Math.min(panels.length, panels.some(({ kind }) => kind === 'number') ? 4 : 2);
    for (const panel of panels) builder.withPanel(toPanel(panel, dashboard, titles).span(width));
  }
  const { panels = [], ...rest } = builder.build();
  const lines = panels.map((panel, id) => JSON.stringify({ ...panel, id: id + 1 }));
  return `{"panels":[\n${lines.join(',\n')}\n],\n${JSON.stringify(rest).slice(1)}\n`;
}

function toPanel(panel: Panel, { uid }: Dashboard, titles: Readonly<Record<string, string>>) {
  const isNumber = panel.kind === 'number';
  const builder = (isNumber ? new stat.PanelBuilder() : lines())
    .title(panel.title)
    .description(panel.description)
    .unit(panel.unit)
    .datasource(datasource)
    .height(isNumber ? 4 : 7);
  for (const [i, { query, legend }] of panel.queries.entries()) {
    const target = new prometheus.DataqueryBuilder()
      .refId(String.fromCharCode(65 + i))
      .expr(toPromql(query, scope))
      .legendFormat(legend)
      .exemplar(query.includes('_bucket'));
    builder.withTarget(isNumber ? target.instant() : target.range());
  }
  const { causes } = panel;
  // A panel on the dashboard of its causes needs no way there.
  if (causes === undefined || causes === uid) return builder;
  const url = `/d/${causes}?\${__url_time_range}&\${job:queryparam}&\${node:queryparam}`;
  return builder.links([new grafana.DashboardLinkBuilder(titles[causes]!).url(url)]);
}

function lines(): timeseries.PanelBuilder {
  return new timeseries.PanelBuilder()
    .fillOpacity(8)
    .min(0)
    .legend(new common.VizLegendOptionsBuilder().showLegend(true))
    .tooltip(new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi));
}

function nodeVariable({ ofOneNode = false }: Dashboard) {
  const node = variable('node', 'label_values(chat_ready{job="$job"}, instance)');
  return ofOneNode ? node : node.multi(true).includeAll(true).allValue('.*');
}

function variable(name: string, query: string) {
  return new grafana.QueryVariableBuilder(name)
    .query(query)
    .datasource(datasource)
    .refresh(grafana.VariableRefresh.OnTimeRangeChanged);
}
