#!/usr/bin/env node
import { runRotateKeys } from './run-rotate-keys.ts';

process.exitCode = await runRotateKeys(process.env, process.argv.slice(2));
