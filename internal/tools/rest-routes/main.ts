#!/usr/bin/env node
// Usage: node cmd/rest-routes/main.ts DESCRIPTORS FILE
import { readFileSync, writeFileSync } from 'node:fs';
import { describeRoutes } from './describe-routes.ts';
import { toSource } from './to-source.ts';

const [descriptors, file] = process.argv.slice(2);
if (descriptors === undefined || file === undefined)
  throw new Error('name the descriptors to read and the file to write');
const routes = describeRoutes(readFileSync(descriptors), ['chat.v1.ChatService', 'auth.v1.AuthService']);
writeFileSync(file, toSource(routes));
