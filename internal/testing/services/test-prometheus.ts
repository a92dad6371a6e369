import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { startPrometheus } from '../../servers/monitoring.ts';
import type { ServerProcess } from '../../servers/server-process.ts';
import { eventually } from '../eventually.ts';

/** One series of an answer. */
export interface Sample {
  metric: Record<string, string>;
  value: number;
}

interface RuleFile {
  groups: { rules: { for?: string; expr: string }[] }[];
}

/** A real Prometheus that scrapes a test's services every second and evaluates the project's rules over seconds instead of minutes. */
export class TestPrometheus {
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
  }

  /** `ports` are those of the services' endpoints for operators, `alertmanager` that of an Alertmanager. Resolves when each was scraped. */
  static async start(ports: readonly number[], alertmanager?: ServerProcess): Promise<TestPrometheus> {
    const prometheus = new TestPrometheus(
      await startPrometheus({ chatPorts: ports, alertmanagerPort: alertmanager?.port, everySeconds: 1, adaptRules }),
    );
    try {
      await eventually(async () => expect(await prometheus.query('up == 1')).toHaveLength(ports.length));
      return prometheus;
    } catch (error) {
      await prometheus.stop();
      throw error;
    }
  }

  /** The result of an instant query. Values that are not numbers are left out. */
  async query(query: string): Promise<Sample[]> {
    const answer = await this.#get<{ data: { result: { metric: Record<string, string>; value: [number, string] }[] } }>(
      `query?${new URLSearchParams({ query })}`,
    );
    return answer.data.result
      .map(({ metric, value }) => ({ metric, value: Number(value[1]) }))
      .filter(({ value }) => !Number.isNaN(value));
  }

  /** The names of alerts in a state, in alphabetical order. */
  async alerts(state: 'firing' | 'pending|firing' = 'firing'): Promise<string[]> {
    const samples = await this.query(`count by (alertname) (ALERTS{alertstate=~"${state}"})`);
    return samples.map(({ metric }) => metric.alertname!).toSorted();
  }

  /** The time of Prometheus, in seconds. */
  async now(): Promise<number> {
    return (await this.query('vector(time())'))[0]!.value;
  }

  stop(): Promise<void> {
    return this.#server.stop();
  }

  async #get<Answer>(path: string): Promise<Answer> {
    const response = await fetch(`http://127.0.0.1:${this.#server.port}/api/v1/${path}`);
    if (!response.ok) throw new Error(`Prometheus answers ${response.status} to ${path}: ${await response.text()}`);
    return (await response.json()) as Answer;
  }
}

/** The rules with the same conditions, over 15 s and at once. */
function adaptRules(rules: string): string {
  const file = parse(rules) as RuleFile;
  for (const rule of file.groups.flatMap((group) => group.rules)) {
    rule.expr = rule.expr.replace(/\[\d+[mh]\]/g, '[15s]');
    if (rule.for !== undefined) rule.for = '1s';
  }
  return stringify(file);
}
