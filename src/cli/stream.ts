/** What commands that run events through an engine share: rules to load, files to push. */
import { renderDiagnostic } from '../core/diagnostics.js';
import { shippedContent } from '../engine/content.js';
import { loadRules } from '../engine/load_rules.js';
import type { ParseRulesOptions } from '../language/load.js';
import type { Rule } from '../rule/ir.js';
import type { SourceReader } from '../source/reader.js';
import { type InputFile, readChunks, wholeLines } from './input.js';
import { CommandError, type Io, printableLine } from './io.js';
import { createProgress } from './progress.js';

/**
 * The rules of the paths, or the shipped ones; problems are told on stderr.
 * @throws CommandError when no rule is usable.
 */
export async function rulesFor(
  paths: readonly string[] | undefined,
  io: Io,
  options: Pick<ParseRulesOptions, 'fieldTypes'> = {},
): Promise<readonly Rule[]> {
  const { rules, problems } = await loadRules(paths ?? [shippedContent()], options);
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const error of errors) io.stderr(`${renderDiagnostic(error).split('\n').map(printableLine).join('\n')}\n`);
  if (rules.length === 0)
    throw new CommandError(`no rules: nothing usable in ${(paths ?? ['the shipped content']).join(', ')}`);
  return rules;
}

/** Pushes the events of the files, in order, as one stream; draws progress where there is a terminal. */
export async function pushFiles(
  what: string,
  files: readonly InputFile[],
  reader: SourceReader,
  push: (events: Uint8Array) => void | Promise<void>,
  io: Io,
): Promise<void> {
  const progress = createProgress(
    io,
    what,
    files.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  try {
    for (const file of files) {
      for await (const lines of wholeLines(readChunks(file, (count) => progress.addBytes(count)))) {
        const before = reader.tally.events;
        await push(reader.read(lines));
        progress.addEvents(reader.tally.events - before);
      }
    }
    await push(reader.end());
  } finally {
    progress.clear();
  }
}
