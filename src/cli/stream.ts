/** What commands that run events through an engine share: options, rules to load, files to push. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { renderDiagnostic } from '../core/diagnostics.js';
import { shippedContent } from '../engine/content.js';
import { loadRules } from '../engine/load_rules.js';
import type { ParseRulesOptions } from '../language/load.js';
import type { Rule } from '../rule/ir.js';
import type { ReaderTally, SourceReader } from '../source/reader.js';
import { type InputFile, readChunks, wholeLines } from './input.js';
import { CommandError, type Io, printable, printableLine } from './io.js';
import { createProgress } from './progress.js';

/** Options of every command that runs events through an engine. */
export const streamOptions = {
  rules: { type: 'string', multiple: true },
  config: { type: 'string' },
  format: { type: 'string', default: 'auto' },
  lateness: { type: 'string', default: '120s' },
  memory: { type: 'string', default: '256MiB' },
  host: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** What `--help` says of {@link streamOptions}, but for `--json`. */
export const streamHelp = `  --rules PATH        rule file or folder; may be repeated (default: the shipped content)
  --config FILE       settings and lists of behaviour rules, such as an0173.suspicious_dirs: YAML or JSON
  --format KIND       telemetry source of the events (default: auto, line by line)
  --lateness D        how far events may be out of order (default: 120s)
  --memory SIZE       budget of each kernel (default: 256MiB)
  --host ID           host of events that name none
`;

/** The values of {@link streamOptions} that say which rules to load and how. */
export interface RuleChoice {
  readonly rules?: readonly string[] | undefined;
  readonly config?: string | undefined;
}

async function configFrom(file: string): Promise<Readonly<Record<string, unknown>>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
  });
  let read: unknown;
  try {
    read = parse(text);
  } catch (error) {
    throw new CommandError(`${file}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'not YAML'}`);
  }
  if (typeof read !== 'object' || read === null || Array.isArray(read))
    throw new CommandError(`${file}: give keys and values, such as "an0173.suspicious_dirs: [/private/tmp/*]"`);
  return read as Record<string, unknown>;
}

/**
 * The rules of the paths, or the shipped ones; problems are told on stderr.
 * @throws CommandError when no rule is usable, or a configuration key is of none.
 */
export async function rulesFor(
  { rules: paths, config }: RuleChoice,
  io: Io,
  options: Pick<ParseRulesOptions, 'fieldTypes'> = {},
): Promise<readonly Rule[]> {
  const settings = config === undefined ? {} : { config: await configFrom(config) };
  const { rules, problems } = await loadRules(paths ?? [shippedContent()], { ...options, ...settings });
  const errors = problems.filter(({ severity }) => severity === 'error');
  for (const error of errors) io.stderr(`${renderDiagnostic(error).split('\n').map(printableLine).join('\n')}\n`);
  if (errors.some(({ code }) => code === 'BEHAVIOR_CONFIG'))
    throw new CommandError(`${config}: not every key is a setting or list of the rules`);
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

/** What was read, and what was not: an answer about nothing is never taken for an answer. */
export function readLines(tally: ReaderTally): string[] {
  const kinds = [...tally.byKind].map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`);
  const read = `${tally.events.toLocaleString('en')} events read (${kinds.join(', ') || 'none recognised'})`;
  return [read, ...unrecognisedLines(tally)];
}

/** Lines of no known source, with an example; none where all were recognised. */
export function unrecognisedLines({ unrecognised, unrecognisedExamples }: ReaderTally): string[] {
  if (unrecognised === 0) return [];
  const example = printable(unrecognisedExamples[0] ?? '');
  return [`${unrecognised.toLocaleString('en')} lines were not recognised, such as: ${example}`];
}
