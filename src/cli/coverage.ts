/** `vedette coverage`: whether each rule could have fired on each host, why not, and what to do about it. */
import { parseArgs } from 'node:util';
import { hash128Hex } from '../core/hash.js';
import { createCorrelator } from '../correlator/correlator.js';
import type { CoverageReport } from '../correlator/coverage/report.js';
import { packageVersion } from '../engine/content.js';
import { loadCoverageModel } from '../engine/load_coverage.js';
import type { CoverageModel } from '../rule/coverage.js';
import type { Rule } from '../rule/ir.js';
import { createSourceReader, type ReaderTally } from '../source/reader.js';
import { coverageMarkdown } from './coverage_markdown.js';
import { coverageText } from './coverage_text.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io } from './io.js';
import { pushFiles, rulesFor, streamHelp, streamOptions } from './stream.js';

const help = `usage: vedette coverage [OPTION]... FILE|FOLDER|-...

Tells for each host and rule whether the telemetry in the files would have let the rule fire: full, degraded, blind or
unknown, with the gaps and their remedies. Silence of a blind rule is not safety.

${streamHelp}  --markdown          the report as Markdown, for a ticket or a page
  --json              one JSON object on stdout, and nothing else there
`;

const options = { ...streamOptions, markdown: { type: 'boolean', default: false } } as const;

/** Runs the command. Resolves to 0. */
export async function coverage(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (values.json && values.markdown) throw new CommandError('give one of --json and --markdown');
  if (positionals.length === 0)
    throw new CommandError('no event files given; name files, folders or - for standard input');
  const files = await resolveInputs(positionals);
  const model = await loadCoverageModel();
  const rules = await rulesFor(values, io);
  const correlator = await createCorrelator({
    rules,
    unsupported: 'skip',
    coverage: model,
    lateness: values.lateness,
    memory: values.memory,
    minSeverity: 'critical',
    ...(values.host === undefined ? {} : { defaultHost: values.host }),
  });
  const reader = createSourceReader(values.format);
  await pushFiles('coverage', files, reader, (events) => void correlator.push(events), io);
  correlator.flush();
  const report = withUnread(correlator.coverage(), model, reader.tally);
  correlator.close();
  const input = inputOf(reader.tally);
  if (!values.json && !values.markdown) {
    io.stdout(coverageText(report, input, io));
    return 0;
  }
  const made = {
    generatedAt: new Date().toISOString(),
    libraryVersion: packageVersion(),
    configHash: hashOf(rules, model),
  };
  io.stdout(values.json ? `${JSON.stringify({ ...made, ...report, input })}\n` : coverageMarkdown(report, input, made));
  return 0;
}

/** Equal for equal rules, settings and coverage model: reports of one hash can be compared. */
function hashOf(rules: readonly Rule[], model: CoverageModel): string {
  const text = (value: unknown): string =>
    JSON.stringify(value, (_, one: unknown) => (typeof one === 'bigint' ? String(one) : one)) ?? '';
  return hash128Hex(`${text(rules)}\n${text(model)}`);
}

/** The report with the lines that no source recognised among what the stream lost. */
function withUnread(
  report: CoverageReport,
  model: CoverageModel,
  { lines, unrecognised }: ReaderTally,
): CoverageReport {
  if (unrecognised === 0) return report;
  const { effect = '', remedy = '' } = model.gaps['G-PARSE'] ?? {};
  const detail = `${unrecognised} of ${lines} lines are of no known source`;
  const rules = model.rules.map(({ id }) => id);
  const gap = { code: 'G-PARSE', effect, remedy, severity: 'low', sinceUs: null, rules, detail } as const;
  return { ...report, stream: { ...report.stream, gaps: [...report.stream.gaps, gap] } };
}

/** What became of the lines before they were events. */
export interface InputReport {
  readonly lines: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly unrecognised: number;
  readonly unrecognisedExamples: readonly string[];
  /** Of events that no analytic reads. */
  readonly otherActions: Readonly<Record<string, number>>;
}

function inputOf({ lines, byKind, unrecognised, unrecognisedExamples, otherActions }: ReaderTally): InputReport {
  const byCount = (counts: ReadonlyMap<string, number>): Record<string, number> =>
    Object.fromEntries([...counts].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)));
  return {
    lines,
    byKind: byCount(byKind),
    unrecognised,
    unrecognisedExamples,
    otherActions: byCount(otherActions),
  };
}
