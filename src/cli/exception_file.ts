/** `--exceptions FILE`: reads the file and tells its problems. */
import { readFile } from 'node:fs/promises';
import { renderDiagnostic } from '../core/diagnostics.js';
import { parseExceptions } from '../language/exceptions.js';
import type { Exception } from '../rule/exception.js';
import type { Rule } from '../rule/ir.js';
import { CommandError, type Io, printableLine } from './io.js';

/**
 * The usable exceptions of a file; those that are not are told on stderr and hide nothing. So are rules that they name
 * and that are not among `rules`.
 * @throws CommandError when the file cannot be read.
 */
export async function exceptionsFrom(path: string, rules: readonly Rule[], io: Io): Promise<readonly Exception[]> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new CommandError(`${path}: ${error.message}`);
  });
  const { exceptions, problems } = parseExceptions(text, path);
  for (const problem of problems) io.stderr(`${renderDiagnostic(problem).split('\n').map(printableLine).join('\n')}\n`);
  const loaded = new Set(rules.map(({ id }) => id));
  for (const { id, scope } of exceptions)
    for (const rule of scope.rules.filter((name) => !loaded.has(name)))
      io.stderr(`${printableLine(`exception ${id} names the rule "${rule}", which is not loaded`)}\n`);
  return exceptions;
}
