import { useCallback } from 'preact/hooks';
import { Problem } from '../../../src/components/controls/problem.tsx';
import { DashboardPanels } from '../components/dashboard-panels.tsx';
import { type Line, Plot } from '../components/plot.tsx';
import { useDashboards } from '../session/use-dashboard.ts';
import { usePolled } from '../session/use-polled.ts';
import { toDuration } from '../text/to-duration.ts';
import { toShown } from '../text/to-shown.ts';
import type { Room, RoomProps } from './room.ts';

/** What the process did in some seconds, as the API tells it. */
interface Point {
  at: number;
  messagesPerSecond: number;
  deliveriesPerSecond: number;
  acknowledgementP50Ms: number | null;
  acknowledgementP99Ms: number | null;
  deliveryP99Ms: number | null;
  eventLoopP99Ms: number | null;
  residentBytes: number | null;
  heapUsedBytes: number | null;
  sessions: Record<string, number>;
  refusalsPerSecond: Record<string, number>;
}

interface Overview {
  nodeId: string;
  ready: boolean;
  reasons: string[];
  version: string;
  roles: string[];
  uptimeSeconds: number;
  history: Point[];
}

/** Milliseconds as seconds. */
const seconds = (ms: number | null | undefined) => (typeof ms === 'number' ? ms / 1_000 : ms);

function View({ api }: RoomProps) {
  const { value, problem } = usePolled(
    useCallback(() => api.get<Overview>('overview'), [api]),
    5_000,
  );
  const dashboards = useDashboards(api);
  if (!value) return <Problem text={problem} />;
  const fleet = dashboards.value?.available
    ? dashboards.value.dashboards.find(({ uid }) => uid === 'chat-overview')
    : undefined;
  return (
    <>
      <Problem text={problem} />
      <dl class="facts">
        <div>
          <dt>State</dt>
          <dd class={value.ready ? 'good' : 'bad'}>
            {value.ready ? 'ready' : `not ready: ${value.reasons.join('; ')}`}
          </dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{value.version}</dd>
        </div>
        <div>
          <dt>Roles</dt>
          <dd>{value.roles.join(', ')}</dd>
        </div>
        <div>
          <dt>Up for</dt>
          <dd>{toDuration(value.uptimeSeconds)}</dd>
        </div>
      </dl>
      {fleet ? (
        <>
          <p class="hint">All processes, in the last 15 minutes, from Prometheus.</p>
          <DashboardPanels api={api} dashboard={fleet} minutes={15} />
        </>
      ) : (
        <OwnPlots history={value.history} />
      )}
    </>
  );
}

/** What the process itself remembers. */
function OwnPlots({ history }: Pick<Overview, 'history'>) {
  const at = history.map((point) => point.at);
  const line = (label: string, of: (point: Point) => number | null): Line => ({ label, values: history.map(of) });
  const each = (of: (point: Point) => Record<string, number>): Line[] =>
    [...new Set(history.flatMap((point) => Object.keys(of(point))))]
      .toSorted()
      .map((name) => line(name, (point) => of(point)[name] ?? 0));
  /** A plot needs a line. */
  const orNone = (lines: Line[]) => (lines.length > 0 ? lines : [line('none', () => 0)]);
  return (
    <>
      <p class="hint">This process, in the last 15 minutes.</p>
      <div class="plots">
        <Plot
          title="Throughput"
          format={(value) => toShown(value, 'ops')}
          at={at}
          lines={[
            line('messages', (point) => point.messagesPerSecond),
            line('deliveries', (point) => point.deliveriesPerSecond),
          ]}
        />
        <Plot
          title="Times"
          format={(value) => toShown(seconds(value), 's')}
          at={at}
          lines={[
            line('acknowledgement p50', (point) => point.acknowledgementP50Ms),
            line('acknowledgement p99', (point) => point.acknowledgementP99Ms),
            line('delivery p99', (point) => point.deliveryP99Ms),
          ]}
        />
        <Plot
          title="Open streams"
          format={(value) => toShown(value, 'short')}
          at={at}
          lines={orNone(each((point) => point.sessions))}
        />
        <Plot
          title="Refusals"
          format={(value) => toShown(value, 'ops')}
          at={at}
          lines={orNone(each((point) => point.refusalsPerSecond))}
        />
        <Plot
          title="Event loop delay"
          format={(value) => toShown(seconds(value), 's')}
          at={at}
          lines={[line('p99', (point) => point.eventLoopP99Ms)]}
        />
        <Plot
          title="Memory"
          format={(value) => toShown(value, 'bytes')}
          at={at}
          lines={[line('resident', (point) => point.residentBytes), line('heap', (point) => point.heapUsedBytes)]}
        />
      </div>
    </>
  );
}

export const overview: Room = { id: 'overview', title: 'Overview', View };
