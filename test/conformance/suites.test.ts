/** Every case from outside, through every engine. A skip carries its reason in the report of `npm run conformance`. */
import { describe, expect, it } from 'vitest';
import { readSuites } from '../support/conformance/rows.js';
import { runSuite } from '../support/conformance/run.js';
import { engines } from '../support/correlator_engine.js';
import { hasShared, sharedPath } from '../support/shared.js';

const folder = sharedPath('conformance');

describe.skipIf(!hasShared('conformance')).each(engines)('cases from outside through the $name', (engine) => {
  it.each(readSuites(folder).map((suite) => [suite.name, suite] as const))('%s', async (_, suite) => {
    const report = await runSuite(suite, { folder, corpora: folder, engine });
    expect(report.failed).toEqual([]);
    expect(report.passed + report.skipped.length).toBe(report.total);
  });
});
