import { type Feature, features } from '../../model/feature.ts';
import type { EnvReader } from '../reading/env-reader.ts';

/** Returns the features that clients may use. */
export function readFeatures(read: EnvReader): ReadonlySet<Feature> {
  const isFeature = (text: string) => (features as readonly string[]).includes(text);
  const names = read.list('FEATURES_ENABLED', [...features], isFeature, `a list of ${features.join(', ')}, or empty`);
  return new Set(names as Feature[]);
}
