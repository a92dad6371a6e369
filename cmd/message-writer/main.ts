#!/usr/bin/env node
import { runMessageWriter } from './run-background.ts';

process.exitCode = await runMessageWriter(process.env, process.argv.slice(2));
