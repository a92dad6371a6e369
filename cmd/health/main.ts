#!/usr/bin/env node
import { runHealth } from './run-health.ts';

process.exitCode = await runHealth(process.env, process.argv.slice(2));
