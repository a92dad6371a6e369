import fc from 'fast-check';
import { seed } from './random.ts';

// The one place that seeds fast-check: each property of a run draws from the run's seed.
fc.configureGlobal({ ...fc.readConfigureGlobal(), seed });
