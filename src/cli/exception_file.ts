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
  return (await readExceptions(path, rules, io)).exceptions;
}

/** As {@link exceptionsFrom}, with whether any was refused. */
export async function readExceptions(
  path: string,
  rules: readonly Rule[],
  io: Io,
): Promise<{ readonly exceptions: readonly Exception[]; readonly hasRefused: boolean }> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
  });
  const { exceptions, problems } = parseExceptions(text, path);
  for (const problem of problems) io.stderr(`${renderDiagnostic(problem).split('\n').map(printableLine).join('\n')}\n`);
  const loaded = new Set(rules.map(({ id }) => id));
  for (const { id, scope } of exceptions)
    for (const rule of scope.rules.filter((name) => !loaded.has(name)))
      io.stderr(`${printableLine(`exception ${id} names the rule "${rule}", which is not loaded`)}\n`);
  if (exceptions.length === 0 && problems.length === 0) io.stderr(`${printableLine(path)}: holds no exceptions\n`);
  return { exceptions, hasRefused: problems.some(({ severity }) => severity === 'error') };
}
