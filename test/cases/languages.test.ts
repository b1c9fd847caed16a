/** The language cases of this repository, through every engine. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readSuites } from '../support/conformance/rows.js';
import { runSuite } from '../support/conformance/run.js';
import { engines } from '../support/correlator_engine.js';

const folder = fileURLToPath(new URL('languages', import.meta.url));

describe.each(engines)('language cases through the $name', (engine) => {
  it.each(readSuites(folder).map((suite) => [suite.name, suite] as const))('%s', async (_, suite) => {
    const { failed, skipped, passed, total } = await runSuite(suite, { folder, corpora: folder, engine });
    expect({ failed, skipped }).toEqual({ failed: [], skipped: [] });
    expect(passed).toBe(total);
  });
});
