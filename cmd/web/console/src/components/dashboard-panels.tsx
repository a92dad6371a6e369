import type { ConsoleApi } from '../session/console-api.ts';
import { type Dashboard, type Panel, type PanelData, usePanels } from '../session/use-dashboard.ts';
import { toShown } from '../text/to-shown.ts';
import { Plot } from './plot.tsx';

interface Props {
  api: ConsoleApi;
  dashboard: Dashboard;
  /** How far the plots go back. */
  minutes: number;
}

/** The panels of a dashboard, row by row. A panel that shows a consequence leads to the dashboard of its causes. */
export function DashboardPanels({ api, dashboard, minutes }: Props) {
  const data = usePanels(api, dashboard, minutes);
  if (!data) return <p class="hint">Loading …</p>;
  return (
    <>
      {dashboard.rows.map(({ title, panels }) => (
        <section key={title} aria-label={title}>
          <h2>{title}</h2>
          <div class="plots">
            {panels.map((panel) => (
              <PanelView key={panel.number} panel={panel} data={data.get(panel.number)} />
            ))}
          </div>
        </section>
      ))}
    </>
  );
}

function PanelView({ panel, data }: { panel: Panel; data: PanelData | undefined }) {
  const { title, description, unit, causes, kind } = panel;
  const lines = data?.lines ?? [];
  return (
    <div class="panel" title={description}>
      {kind === 'number' || lines.length === 0 ? (
        <dl class="facts">
          <div>
            <dt>{title}</dt>
            <dd>{data?.problem ?? (lines.length > 0 ? newestOf(lines, panel) : 'no data')}</dd>
          </div>
        </dl>
      ) : (
        <Plot title={title} format={(value) => toShown(value, unit)} at={data!.at} lines={lines} />
      )}
      {causes && (
        <p class="hint">
          Causes: <a href={`#/dashboards?uid=${causes.uid}`}>{causes.title}</a>
        </p>
      )}
    </div>
  );
}

function newestOf(lines: PanelData['lines'], { unit }: Panel): string {
  return lines.map(({ label, values }) => `${toShown(values.at(-1), unit)} ${label}`).join(', ');
}
