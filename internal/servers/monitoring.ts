import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { ServerProcess } from './server-process.ts';

export interface PrometheusOptions {
  /** The ports of the endpoints for operators. */
  chatPorts: readonly number[];
  alertmanagerPort: number | undefined;
  /** How often it scrapes and evaluates rules. */
  everySeconds: number;
  /** Changes a file of rules. */
  adaptRules?: (rules: string) => string;
}

const read = (path: string) => readFileSync(new URL(`../../deploy/${path}`, import.meta.url), 'utf8');
const at = (ports: readonly number[]) => [{ targets: ports.map((port) => `127.0.0.1:${port}`) }];

/** A real Prometheus with the project's rules, for processes on this machine: `http://127.0.0.1:<port>`. */
export function startPrometheus(options: PrometheusOptions): Promise<ServerProcess> {
  const { adaptRules = (rules) => rules } = options;
  return ServerProcess.start({
    program: 'prometheus',
    files: () => ({
      'prometheus.yml': localConfig(options),
      'recording.yml': adaptRules(read('prometheus/rules/recording.yml')),
      'alerts.yml': adaptRules(read('prometheus/rules/alerts.yml')),
    }),
    args: (port, folder) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
  });
}

/** A real Alertmanager with the project's configuration: `http://127.0.0.1:<port>`. */
export function startAlertmanager(): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'prometheus-alertmanager',
    files: () => ({ 'alertmanager.yml': read('alertmanager/alertmanager.yml') }),
    args: (port, folder) => [
      `--config.file=${join(folder, 'alertmanager.yml')}`,
      `--storage.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      // Alone: it looks for no others.
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
  });
}

/** deploy/prometheus/prometheus.yml with the targets replaced. */
function localConfig({ chatPorts, alertmanagerPort, everySeconds }: PrometheusOptions): string {
  const config = parse(read('prometheus/prometheus.yml')) as { scrape_configs: { job_name: string }[] };
  const every = `${everySeconds}s`;
  return stringify({
    global: { scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: ['recording.yml', 'alerts.yml'],
    alerting: { alertmanagers: alertmanagerPort === undefined ? [] : [{ static_configs: at([alertmanagerPort]) }] },
    scrape_configs: config.scrape_configs.map(({ job_name }) => ({ job_name, static_configs: at(chatPorts) })),
  });
}
