import { useState } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { DashboardPanels } from '../components/dashboard-panels.tsx';
import { useDashboards } from '../session/use-dashboard.ts';
import type { Room, ViewProps } from './room.ts';

const ranges = [
  [5, '5 minutes'],
  [15, '15 minutes'],
  [60, 'hour'],
  [360, '6 hours'],
  [1_440, 'day'],
] as const;

function View({ api, parameters }: ViewProps) {
  const [minutes, setMinutes] = useState<number>(15);
  const { value, problem } = useDashboards(api);
  if (!value) return <Problem text={problem} />;
  const { available, dashboards: all } = value;
  if (!available) {
    return (
      <p class="hint">
        There is no Prometheus to ask: set ADMIN_PROMETHEUS_URL. The overview shows this process's own metrics.
      </p>
    );
  }
  const chosen = all.find(({ uid }) => uid === parameters.get('uid')) ?? all[0]!;
  return (
    <>
      <nav aria-label="Dashboards">
        <ul class="row-actions">
          {all.map(({ uid, title }) => (
            <li key={uid}>
              <a href={`#/dashboards?uid=${uid}`} aria-current={uid === chosen.uid ? 'page' : undefined}>
                {title}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <p class="row-actions">
        <label>
          The last{' '}
          <select
            aria-label="Time shown"
            value={minutes}
            onChange={(event) => setMinutes(Number((event.currentTarget as HTMLSelectElement).value))}
          >
            {ranges.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
        <span class="hint">
          {chosen.title}: {chosen.description}
        </span>
      </p>
      <DashboardPanels key={`${chosen.uid} ${minutes}`} api={api} dashboard={chosen} minutes={minutes} />
    </>
  );
}

export const dashboards: Room = { id: 'dashboards', title: 'Dashboards', View };
