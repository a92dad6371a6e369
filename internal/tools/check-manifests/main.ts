#!/usr/bin/env node
// Checks folders of Kubernetes manifests, without a cluster: see checkManifests.
import { checkManifests } from './check-manifests.ts';

for (const folder of process.argv.slice(2)) {
  for (const fault of await checkManifests(folder)) {
    console.error(`${folder}: ${fault}`);
    process.exitCode = 1;
  }
}
