import { join } from 'node:path';
import { ServerProcess } from './server-process.ts';

/** A real Prometheus with this configuration and these rules, each by its file name: `http://127.0.0.1:<port>`. The configuration names the rules. */
export function startPrometheus(config: string, rules: Readonly<Record<string, string>>): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'prometheus',
    files: { 'prometheus.yml': config, ...rules },
    args: (port, folder) => [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      '--log.level=warn',
    ],
  });
}

/** A real Alertmanager with this configuration: `http://127.0.0.1:<port>`. */
export function startAlertmanager(config: string): Promise<ServerProcess> {
  return ServerProcess.start({
    program: 'prometheus-alertmanager',
    files: { 'alertmanager.yml': config },
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
