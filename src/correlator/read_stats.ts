/** Reads what `stats` answers from the kernel and those around it. */

import type { CompiledProgram } from '../compiler/compile.js';
import { LossRule } from '../core/abi/state.js';
import { StateTable } from '../core/abi/stateful.js';
import type { BudgetPart } from '../kernel/budget.js';
import type { Kernel } from '../kernel/kernel.js';
import type { BaselineStats } from './behavior/baseline.js';
import type { Behaviors } from './behaviors.js';
import type { StreamCounts } from './coverage/report.js';
import type { Publisher } from './publisher.js';
import { type CorrelatorStats, type LossCount, lossName, skipName, type TableUse } from './stats.js';

/** What counts beside the kernel. */
export interface StatsSources {
  readonly program: CompiledProgram;
  readonly publisher: Publisher;
  readonly behaviors: Behaviors;
  readonly losses: readonly LossCount[];
  readonly memoryBytes: number;
  readonly memoryParts: readonly BudgetPart[];
  readonly refusedBatches: number;
  readonly baseline?: BaselineStats;
}

export function readStats(kernel: Kernel, sources: StatsSources): CorrelatorStats {
  const { program, publisher, behaviors, baseline } = sources;
  const counts = kernel.counts();
  return {
    events: counts.rows,
    rows: {
      late: counts.late,
      skipped: kernel.skippedRows(),
      truncated: counts.truncated,
      future: counts.future,
      held: counts.held,
      noHost: counts.noHost,
    },
    skippedExamples: kernel.skippedExamples().map(({ reason, ...row }) => ({ ...row, reason: skipName(reason) })),
    batches: { refused: sources.refusedBatches },
    ...(baseline === undefined ? {} : { baseline }),
    hosts: Math.max(0, kernel.hostCount - 2),
    newestUs: finiteOrNull(kernel.newestUs()),
    watermarkUs: finiteOrNull(kernel.globalWatermarkUs()),
    losses: sources.losses,
    memory: {
      budgetBytes: sources.memoryBytes,
      usedBytes: kernel.reservedBytes,
      tables: sources.memoryParts.flatMap((part) =>
        part.name === 'state' ? stateTables(kernel, part) : [{ ...part, ...tableUse(part.name, counts) }],
      ),
    },
    rules: program.rules.map((rule, index) => {
      const { alerts, belowMinimum: below } = publisher.counts(rule.id);
      const belowMinimum = below + behaviors.belowMinimum(index);
      const entries = kernel.ruleEntries(index);
      const timeUs = behaviors.timeUs(index);
      return { id: rule.id, matched: kernel.matched(index), alerts, belowMinimum, entries, timeUs };
    }),
  };
}

/** The kernel's losses, by name. */
export function kernelLosses(kernel: Kernel, { rules }: CompiledProgram): LossCount[] {
  return kernel.losses().map(({ reason, rule, host, serial, count }) => ({
    reason: lossName(reason),
    rule: rule === LossRule.None ? null : (rules[rule]?.id ?? null),
    // A record that another host has taken over since is that host's no longer.
    host: host !== 0 && kernel.hostSerial(host) === serial ? kernel.hostName(host) : null,
    count,
  }));
}

/** What the pipes of rules let go. */
export function pipeLosses(publisher: Publisher, { rules }: CompiledProgram): LossCount[] {
  return rules.flatMap((rule) => {
    const count = publisher.counts(rule.id).pipeLosses;
    return count > 0 ? [{ reason: 'pipe_full', rule: rule.id, host: null, count }] : [];
  });
}

/** What a coverage report tells of the stream. */
export const streamCounts = ({ events, rows }: Pick<CorrelatorStats, 'events' | 'rows'>): StreamCounts => ({
  events,
  skippedRows: rows.skipped,
  truncatedRows: rows.truncated,
  futureRows: rows.future,
  noHostRows: rows.noHost,
});

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

const stateTableNames = {
  [StateTable.Sequence]: 'sequences',
  [StateTable.Terms]: 'terms',
  [StateTable.Aggregate]: 'windows',
  [StateTable.Sample]: 'samples',
  [StateTable.Temporal]: 'temporal',
} as const;

/** The tables that the part was divided into, then what is left of it: hosts and rules with entries. */
function stateTables(kernel: Kernel, { name, bytes }: BudgetPart): TableUse[] {
  const tables = Object.entries(stateTableNames)
    .map(([id, table]) => ({ name: table, ...kernel.stateTable(Number(id) as StateTable) }))
    .filter(({ capacity }) => capacity > 0);
  const rest = bytes - tables.reduce((sum, table) => sum + table.bytes, 0);
  return [...tables, { name, bytes: Math.max(0, rest) }];
}

/** Entries held and entries that fit, of the tables that count them. */
function tableUse(name: string, counts: ReturnType<Kernel['counts']>): { used?: number; capacity?: number } {
  if (name === 'processes') return { used: counts.processes, capacity: counts.processCapacity };
  if (name === 'evidence') return { used: counts.evidenceBlocks, capacity: counts.evidenceBlockCapacity };
  if (name === 'rows') return { used: counts.held };
  return {};
}
