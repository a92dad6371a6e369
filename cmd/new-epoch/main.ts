#!/usr/bin/env node
import { runNewEpoch } from './run-new-epoch.ts';

process.exitCode = await runNewEpoch(process.env, process.argv.slice(2));
