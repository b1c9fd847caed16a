import { readFile } from 'node:fs/promises';
import { renderDiagnostic } from '../core/diagnostics.js';
import { UsageError } from '../core/errors.js';
import { parseCoverageModel } from '../language/coverage.js';
import type { CoverageModel } from '../rule/coverage.js';
import { contentPath } from './content.js';

/**
 * Reads a coverage model, by default the one that ships with the package.
 * @throws UsageError `INPUT_UNREADABLE` for a file that cannot be read or is wrong, with the first problem's place.
 */
export async function loadCoverageModel(path: string = contentPath('coverage/model.yml')): Promise<CoverageModel> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UsageError('INPUT_UNREADABLE', `${path}: ${error.message}`);
  });
  const { model, problems } = parseCoverageModel(text, path);
  if (model !== undefined) return model;
  const [first] = problems;
  throw new UsageError(
    'INPUT_UNREADABLE',
    first === undefined ? `${path}: not a coverage model` : (renderDiagnostic(first).split('\n')[0] ?? path),
  );
}
