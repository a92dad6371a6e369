import { useCallback } from 'preact/hooks';
import type { Unit } from '../text/to-shown.ts';
import type { ConsoleApi } from './console-api.ts';
import { usePolled } from './use-polled.ts';

export interface Panel {
  number: number;
  title: string;
  description: string;
  unit: Unit;
  kind: 'lines' | 'number';
  /** The dashboard that shows the causes. */
  causes?: { uid: string; title: string };
}

export interface Dashboard {
  uid: string;
  title: string;
  description: string;
  rows: { title: string; panels: Panel[] }[];
}

/** What one panel shows. */
export interface PanelData {
  at: number[];
  lines: { label: string; values: (number | null)[] }[];
  /** Why there is nothing to show. */
  problem?: string;
}

/** Panels that are read at the same time. */
const atOnce = 3;

/** Lists the dashboards, and whether there is a Prometheus to draw them from. */
export function useDashboards(api: ConsoleApi) {
  const load = useCallback(() => api.get<{ available: boolean; dashboards: Dashboard[] }>('dashboards'), [api]);
  return usePolled(load, 60_000);
}

/** Reads all panels of a dashboard now and again. A panel that cannot be read says why. */
export function usePanels(api: ConsoleApi, dashboard: Dashboard, minutes: number): Map<number, PanelData> | undefined {
  const load = useCallback(async () => {
    const data = new Map<number, PanelData>();
    const left = dashboard.rows.flatMap(({ panels }) => panels);
    const readNext = async (): Promise<void> => {
      const panel = left.shift();
      if (!panel) return;
      const path = `dashboards/${dashboard.uid}/panels/${panel.number}?minutes=${minutes}`;
      try {
        data.set(panel.number, await api.get<PanelData>(path));
      } catch (error) {
        data.set(panel.number, { at: [], lines: [], problem: (error as Error).message });
      }
      return readNext();
    };
    await Promise.all(Array.from({ length: atOnce }, readNext));
    return data;
  }, [api, dashboard, minutes]);
  return usePolled(load, 10_000).value;
}
