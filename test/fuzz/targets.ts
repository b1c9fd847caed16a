import { batchTarget, ndjsonTarget, snapshotTarget } from './kernel_inputs.js';
import { ruleFileTarget } from './rule_files.js';
import { eqlTarget, kueryTarget } from './rule_texts.js';
import type { FuzzTarget } from './target.js';

export const targets: readonly FuzzTarget[] = [
  eqlTarget,
  kueryTarget,
  ruleFileTarget,
  ndjsonTarget,
  batchTarget,
  snapshotTarget,
];
