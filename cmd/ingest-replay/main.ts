#!/usr/bin/env node
import { runIngestReplay } from './run-ingest-replay.ts';

process.exitCode = await runIngestReplay(process.env, process.argv.slice(2));
