#!/usr/bin/env node
import { runIngestSwitch } from './run-ingest-switch.ts';

process.exitCode = await runIngestSwitch(process.env, process.argv.slice(2));
