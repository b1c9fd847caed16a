/** `vedette scan`: events of files through one correlator or many, alerts as a timeline or as NDJSON. */

import { parseArgs } from 'node:util';
import { compareCodeUnits } from '../core/order.js';
import type { Alert } from '../correlator/alert.js';
import { createCorrelator } from '../correlator/correlator.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import type { CorrelatorOptions } from '../correlator/options.js';
import type { CorrelatorStats } from '../correlator/stats.js';
import { createEngine } from '../engine/engine.js';
import { loadCoverageModel } from '../engine/load_coverage.js';
import { type Severity, severities } from '../rule/ir.js';
import { createSourceReader, type ReaderTally } from '../source/reader.js';
import { exceptionsFrom } from './exception_file.js';
import { fieldTypesFrom, fieldTypesHelp } from './field_types.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io, printable } from './io.js';
import { pushFiles, rulesFor, streamHelp, streamOptions, unrecognisedLines } from './stream.js';
import { renderAlert } from './timeline.js';

const help = `usage: vedette scan [OPTION]... FILE|FOLDER|-...

Correlates the events of the files, in the order given, as one stream; reads .gz too.

${streamHelp}  ${fieldTypesHelp}
  --shards N          worker threads that share the events by host (default: none, one kernel in this process)
  --exceptions FILE   approved exceptions; what they cover is counted instead of shown
  --min-severity S    publish alerts from this severity up (default: low)
  --fail-on S         exit with 1 when an alert of this severity or above was published
  --json              one alert a line on stdout, and nothing else there
`;

const options = {
  ...streamOptions,
  'field-types': { type: 'string' },
  shards: { type: 'string' },
  exceptions: { type: 'string' },
  'min-severity': { type: 'string', default: 'low' },
  'fail-on': { type: 'string' },
} as const;

/** Runs the command. Resolves to 0, or 1 when `--fail-on` was reached. */
export async function scan(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (positionals.length === 0)
    throw new CommandError('no event files given; name files, folders or - for standard input');
  const minSeverity = severityOption('--min-severity', values['min-severity']);
  const failOn = values['fail-on'] === undefined ? undefined : severityOption('--fail-on', values['fail-on']);
  const files = await resolveInputs(positionals);
  const reader = createSourceReader(values.format);
  const rules = await rulesFor(values, io, await fieldTypesFrom(values['field-types']));
  const judge = await judgeFor(values.shards, {
    rules,
    lateness: values.lateness,
    memory: values.memory,
    minSeverity,
    coverage: await loadCoverageModel(),
    ...(values.exceptions === undefined ? {} : { exceptions: await exceptionsFrom(values.exceptions, rules, io) }),
    ...(values.host === undefined ? {} : { defaultHost: values.host }),
  });
  const output = values.json ? jsonOutput(io) : timelineOutput(io);
  try {
    await pushFiles('scan', files, reader, async (events) => output.add(await judge.push(events)), io);
    output.add(await judge.flush());
    output.end();
    if (!values.json) io.stderr(closingLines(reader.tally, await judge.tally(), output));
  } finally {
    await judge.close();
  }
  return failOn !== undefined && output.worst >= severities.indexOf(failOn) ? 1 : 0;
}

/** What judges the events: one correlator, or an engine of many. */
interface Judge {
  push(events: Uint8Array): Promise<Alert[]> | Alert[];
  flush(): Promise<Alert[]> | Alert[];
  /** Counts, and what exceptions hid. */
  tally(): Promise<Tally> | Tally;
  close(): Promise<void> | void;
}

type Tally = Pick<CorrelatorStats, 'events' | 'rows' | 'losses' | 'skippedExamples'> & {
  readonly exceptions: readonly ExceptionUse[];
};

async function judgeFor(shards: string | undefined, options: CorrelatorOptions): Promise<Judge> {
  if (shards === undefined) {
    const correlator = await createCorrelator(options);
    return {
      push: (events) => correlator.push(events),
      flush: () => correlator.flush(),
      tally: () => ({ ...correlator.stats(), exceptions: correlator.exceptions() }),
      close: () => correlator.close(),
    };
  }
  if (!/^\d+$/.test(shards)) throw new CommandError(`--shards: "${shards}" is not a number of threads`);
  const engine = await createEngine({ ...options, shards: Number(shards) });
  return {
    push: (events) => engine.push(events),
    flush: () => engine.flush(),
    tally: () => engine.stats(),
    close: () => engine.close(),
  };
}

function severityOption(name: string, value: string): Severity {
  const found = severities.find((severity) => severity === value);
  if (found === undefined)
    throw new CommandError(`${name}: "${value}" is not a severity; use ${severities.join(', ')}`);
  return found;
}

interface Output {
  add(alerts: readonly Alert[]): void;
  end(): void;
  /** Rank of the worst severity published, -1 for none. */
  readonly worst: number;
  /** Distinct alerts. */
  readonly count: number;
}

/** Each revision as it is published; a reader keeps the highest of an id. */
function jsonOutput(io: Io): Output {
  const ids = new Set<string>();
  const state = { worst: -1 };
  return {
    add(alerts) {
      for (const alert of alerts) {
        ids.add(alert.id);
        state.worst = Math.max(state.worst, severities.indexOf(alert.rule.severity));
        io.stdout(`${JSON.stringify(alert)}\n`);
      }
    },
    end() {},
    get worst() {
      return state.worst;
    },
    get count() {
      return ids.size;
    },
  };
}

/** The last revision of each alert, in time order, at the end. */
function timelineOutput(io: Io): Output {
  const latest = new Map<string, Alert>();
  return {
    add(alerts) {
      for (const alert of alerts) latest.set(alert.id, alert);
    },
    end() {
      const ordered = [...latest.values()].sort(
        (a, b) =>
          compareCodeUnits(a.time, b.time) || compareCodeUnits(a.rule.id, b.rule.id) || compareCodeUnits(a.id, b.id),
      );
      for (const alert of ordered) io.stdout(renderAlert(alert, io));
    },
    get worst() {
      return Math.max(-1, ...[...latest.values()].map(({ rule }) => severities.indexOf(rule.severity)));
    },
    get count() {
      return latest.size;
    },
  };
}

/** A share of late events that speaks for a file that is not in order, such as one written channel by channel. */
const muchLate = 0.01;

/** What was read, recognised, skipped and lost: silence is never presented as success. */
function closingLines(tally: ReaderTally, stats: Tally, output: Output): string {
  const kinds = [...tally.byKind].map(([kind, count]) => `${kind} ${count.toLocaleString('en')}`);
  const lines = [
    `${output.count} alerts from ${stats.events.toLocaleString('en')} events (${kinds.join(', ') || 'none recognised'})`,
  ];
  const hidden = stats.exceptions.filter(({ matched }) => matched > 0);
  if (hidden.length > 0)
    lines.push(
      `hidden by exceptions: ${hidden.map(({ exception, matched }) => `${printable(exception.id)} ${matched}`).join(', ')}`,
    );
  const others = [...tally.otherActions.values()].reduce((sum, count) => sum + count, 0);
  if (others > 0)
    lines.push(
      `${others.toLocaleString('en')} recognised events are of kinds that no analytic reads: ${top(tally.otherActions)}`,
    );
  lines.push(...unrecognisedLines(tally));
  const rows = Object.entries(stats.rows).filter(([, count]) => count > 0);
  if (rows.length > 0) {
    const reasons = [...new Set(stats.skippedExamples.map(({ reason }) => reason))].join(', ');
    const told = rows.map(([reason, count]) => `${reason} ${count.toLocaleString('en')}`).join(', ');
    lines.push(`rows: ${told}${reasons === '' ? '' : ` (skipped: ${reasons})`}`);
    if (stats.rows.late > stats.events * muchLate)
      lines.push('many came late: --lateness, such as 30m, puts events further out of order into order');
  }
  if (stats.losses.length > 0) {
    const worst = [...stats.losses].sort((a, b) => b.count - a.count).slice(0, 5);
    const named = worst.map(({ reason, rule, host, count }) =>
      [reason, count.toLocaleString('en'), ...[rule, host].filter((part) => part !== null)]
        .map(String)
        .map(printable)
        .join(' '),
    );
    lines.push(`losses: ${named.join(', ')}${stats.losses.length > 5 ? ', …' : ''}`);
  }
  return `${lines.join('\n')}\n`;
}

function top(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 5)
    .map(([name, count]) => `${printable(name)} ${count.toLocaleString('en')}`)
    .join(', ');
}
