import { fileURLToPath } from 'node:url';
import { build, type Rolldown } from 'vite';

export interface Bundle {
  /** A script that sets the global `sdk`. */
  code: string;
  /** Imports that remain because they are modules of Node or cannot be resolved. */
  missing: string[];
  /** The npm packages in the bundle. */
  packages: string[];
}

/** Bundles a file of the SDK as an application's build for browsers does. */
export async function bundle(file: string): Promise<Bundle> {
  const missing: string[] = [];
  const built = (await build({
    configFile: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'node-imports',
        enforce: 'pre',
        resolveId(id) {
          if (!id.startsWith('node:')) return null;
          missing.push(id);
          return { id, external: true };
        },
      },
    ],
    build: {
      write: false,
      minify: false,
      lib: {
        entry: fileURLToPath(new URL(`../../../../pkg/chat-client/${file}`, import.meta.url)),
        formats: ['iife'],
        name: 'sdk',
      },
    },
  })) as Rolldown.RolldownOutput[];
  const chunks = built.flatMap(({ output }) => output).filter((output) => output.type === 'chunk');
  const modules = chunks.flatMap((chunk) => Object.keys(chunk.modules));
  const packages = modules.flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []);
  return {
    code: chunks.map(({ code }) => code).join('\n'),
    missing: [...missing, ...chunks.flatMap(({ imports }) => imports)],
    packages: [...new Set(packages)],
  };
}
