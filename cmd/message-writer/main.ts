#!/usr/bin/env node
import { runMessageWriter } from '../../internal/app/run-message-writer.ts';

process.exitCode = await runMessageWriter(process.env);
