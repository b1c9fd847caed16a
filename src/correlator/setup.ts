/** From settings to a running kernel: compiles the rules, divides the memory, loads the program. */
import { type CompiledProgram, compile } from '../compiler/compile.js';
import { ColumnKind } from '../core/abi/events.js';
import { Section } from '../core/abi/program.js';
import { Config } from '../core/abi/state.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { UsageError } from '../core/errors.js';
import type { FieldSpec } from '../event/fields.js';
import { numberImports } from '../event/number_imports.js';
import { type Budget, type BudgetNeeds, divideBudget, leastBudget } from '../kernel/budget.js';
import { predicateImports } from '../kernel/host_functions.js';
import { Kernel } from '../kernel/kernel.js';
import { loadKernelModule } from '../kernel/load.js';
import type { WasmModule } from '../kernel/web_assembly.js';
import type { CoverageModel } from '../rule/coverage.js';
import type { Rule } from '../rule/ir.js';
import { asksLineage } from '../rule/lineage.js';
import { CoverageTracker } from './coverage/tracker.js';
import { type ExceptionSet, exceptionSet } from './exceptions.js';
import type { Settings } from './options.js';
import { pipeRefusal, type RuleView, viewRule } from './rule_view.js';

export interface Prepared {
  /** Where there are exceptions. */
  readonly exceptions: ExceptionSet | undefined;
  /** Where a coverage model was given. */
  readonly coverage: CoverageTracker | undefined;
  readonly program: CompiledProgram;
  /** By kernel rule index. */
  readonly views: readonly RuleView[];
  /** Ids of match rules that judge events as they arrive. */
  readonly earlyRules: ReadonlySet<string>;
}

/** What a program and its kernel are asked for beyond the settings, as a part of an engine. */
export interface ProgramParts {
  /** Ids of match rules that judge events as they arrive. */
  readonly earlyRules?: ReadonlySet<string>;
  /** Fields kept of events beside the evidence that alerts show. */
  readonly keptFields?: readonly string[];
  /** Rows of one call whose ordinals are given. */
  readonly ordinalRows?: number;
  /** Rows of one call that are noted for routing; the kernel then judges none. */
  readonly routeRows?: number;
}

/** Compiles the rules. What cannot be compiled is left out and told in the program's diagnostics. */
export function prepare(settings: Settings, part: ProgramParts = {}): Prepared {
  const wanted = settings.rules.map((rule) => viewRule(rule, settings.caps));
  const own = [settings.processFields.eventId, 'host.name'].filter((name) => name !== null);
  const read = wanted.flatMap((view) => [...view.keyFields, ...view.readFields]);
  const coverage = settings.coverage === undefined ? undefined : new CoverageTracker(settings.coverage, settings.rules);
  const exceptions = exceptionSet(settings.exceptions);
  const earlyRules = earlyRulesOf(settings, part);
  const refusals = settings.rules.flatMap(pipeDiagnostics);
  const refused = new Set(refusals.map(({ ruleId }) => ruleId));
  const compiled = compile(
    settings.rules.filter(({ id }) => !refused.has(id)),
    {
      eventCategoryField: settings.eventCategoryField,
      timestampField: settings.timestampField,
      tiebreakerField: settings.tiebreakerField,
      ...(settings.hostField === undefined ? {} : { hostField: settings.hostField }),
      processFields: settings.processFields,
      evidenceFields: [
        ...new Set([
          ...own,
          ...settings.evidenceFields,
          ...read,
          ...(exceptions?.fields ?? []),
          ...(part.keptFields ?? []),
        ]),
      ],
      ...(coverage === undefined
        ? {}
        : {
            counters: coverage.model.counters,
            arrival: { eventId: settings.processFields.eventId, ingested: 'event.ingested' },
          }),
      earlyRules,
    },
  );
  const program = { ...compiled, diagnostics: [...refusals, ...compiled.diagnostics] };
  const views = program.rules.map((rule) => viewRule(rule, settings.caps));
  return { program, views, coverage, exceptions, earlyRules };
}

/** What keeps a rule's pipes from being applied to its alerts. */
function pipeDiagnostics(rule: Rule): Diagnostic[] {
  const reason = pipeRefusal(rule);
  if (reason === undefined) return [];
  const remedy = 'Let pipes compare fields of the events themselves.';
  const file = rule.source?.file;
  const place = { line: 1, column: 1, ...(file === undefined ? {} : { file }) };
  return [{ code: 'COMPILE_PIPE', severity: 'error', message: reason, remedy, ruleId: rule.id, ...place }];
}

/**
 * Match rules whose alerts are put in one order over all hosts. They judge events as they arrive: a host that lags the
 * others holds its events back, and would bring its alerts out of that order. What asks about lineage cannot be judged
 * before its time.
 */
function earlyRulesOf(settings: Settings, part: ProgramParts): ReadonlySet<string> {
  if (part.earlyRules !== undefined || settings.latenessUs === 0) return part.earlyRules ?? new Set();
  const early = settings.rules.filter(
    (rule) => rule.kind === 'match' && viewRule(rule, settings.caps).isOrdered && !asksLineage(rule.query.condition),
  );
  return new Set(early.map(({ id }) => id));
}

/** A kernel and how its memory was divided. */
export interface Started {
  readonly kernel: Kernel;
  readonly budget: Budget;
}

/**
 * Starts a kernel for the program within the memory budget. `drain` takes its output records.
 * @throws UsageError `USAGE_MEMORY`, naming the bytes needed.
 */
export async function startKernel(
  { program, coverage, earlyRules }: Prepared,
  settings: Settings,
  drain: (records: DataView) => void,
  part: ProgramParts = {},
): Promise<Started> {
  const module = await loadKernelModule(settings.wasm);
  const counters = coverage?.model.counters.length ?? 0;
  const words = coverage === undefined ? [] : coverageConfig(coverage.model, program);
  const needs = needsOf(program, settings, counters);
  const least = leastBudget(needs);
  let target = Math.max(least, settings.memoryBytes);
  for (;;) {
    const budget = divideBudget({ ...needs, budgetBytes: target });
    const kernel = await createKernel(module, program, settings, budget, drain, { ...part, earlyRules }, words);
    const over = kernel.reservedBytes - settings.memoryBytes;
    if (over <= 0) {
      if (settings.pretouch) kernel.touchMemory();
      return { kernel, budget };
    }
    if (target === least) {
      throw new UsageError(
        'USAGE_MEMORY',
        `memory: ${settings.memoryBytes} bytes are too few for these rules; give at least ${kernel.reservedBytes}`,
      );
    }
    // Tables round up: what came out above the budget is taken off the target, and a little more.
    target = Math.max(least, target - Math.ceil(over * 1.05));
  }
}

function needsOf(program: CompiledProgram, settings: Settings, counters: number): BudgetNeeds {
  const isStateful = program.rules.some((rule) => rule.kind !== 'match' && rule.kind !== 'behavior');
  return {
    budgetBytes: settings.memoryBytes,
    programBytes: [...program.sections.values()].reduce((sum, section) => sum + section.length + 80, 0),
    rowBytes: rowBytesOf(program),
    holdsRows: settings.latenessUs > 0,
    usesLineage: program.usesLineage,
    coverageCounters: counters,
    usesImages: program.usesImages,
    usesState: isStateful,
    maxValueBytes: settings.maxValueBytes,
  };
}

/** Words of the configuration that tell the kernel what it counts of hosts and how events arrive. */
function coverageConfig(
  { counters, sources }: CoverageModel,
  { arrivalColumns }: CompiledProgram,
): readonly (readonly [Config, number])[] {
  const { eventId, ingested } = arrivalColumns ?? {};
  const place = (column: number | undefined): number => (column === undefined ? 0 : column + 1);
  const sequenced = sources.reduce(
    (bits, { sequence }, index) => (sequence && index < 32 ? bits | (1 << index) : bits),
    0,
  );
  return [
    [Config.CoverageCounters, counters.length],
    [
      Config.CoverageSourceFirst,
      Math.max(
        0,
        counters.findIndex(({ id }) => id.startsWith('source:')),
      ),
    ],
    [Config.CoverageSources, sources.length],
    [Config.CoverageSequenced, sequenced >>> 0],
    [Config.CoverageColumns, place(eventId) + place(ingested) * 0x10000],
  ];
}

/** Bytes of one row of the row store, as the kernel lays it out. */
function rowBytesOf(program: CompiledProgram): number {
  const cells: Partial<Record<ColumnKind, number>> = {
    [ColumnKind.Number]: 8,
    [ColumnKind.Id]: 16,
    [ColumnKind.Text]: 4,
  };
  const bytes = program.columns.reduce((sum, column) => sum + (cells[column.kind] ?? 0), 32);
  return (bytes + 15) & ~15;
}

function createKernel(
  module: WasmModule,
  program: CompiledProgram,
  settings: Settings,
  budget: Budget,
  drain: (records: DataView) => void,
  part: ProgramParts,
  coverage: readonly (readonly [Config, number])[],
): Promise<Kernel> {
  const config = new Map([...budget.config, ...coverage]);
  config.set(Config.LatenessUs, settings.latenessUs);
  config.set(Config.MaxSkipUs, settings.maxSkipUs);
  config.set(Config.RuleCount, program.rules.length);
  config.set(Config.HasGlobalRules, program.hasGlobalRules ? 1 : 0);
  config.set(Config.Prefilter, settings.prefilter === 'on' ? 1 : 0);
  config.set(Config.EvidenceValueBytes, settings.evidenceValueBytes);
  config.set(Config.ExitedRetentionSeconds, 15 * 60);
  config.set(Config.LiveRetentionSeconds, 24 * 3600);
  config.set(Config.ProcessesPerHost, 50_000);
  config.set(Config.OrdinalCapacity, part.ordinalRows ?? 0);
  config.set(Config.RouteCapacity, part.routeRows ?? 0);
  config.set(Config.HasEarlyRules, (part.earlyRules?.size ?? 0) > 0 ? 1 : 0);
  return Kernel.create({
    module,
    imports: (memory) => ({ ...numberImports(memory), ...predicateImports(program.sections, memory) }),
    sections: program.sections,
    config,
    columns: Section.Columns,
    defaultHost: settings.defaultHost,
    drain,
  });
}

/**
 * The fields that events need to carry besides their time, as the encoders take them. A field that is read both as a
 * whole and element by element is encoded by element.
 */
export function fieldSpecs(program: CompiledProgram): FieldSpec[] {
  const specs = new Map<string, FieldSpec>();
  for (const { name, kind, nested } of program.columns) {
    if (kind === ColumnKind.Time) continue;
    const known = specs.get(name);
    const own = kind === ColumnKind.Number ? 'number' : kind === ColumnKind.Id ? 'id' : 'text';
    // Text carries every value, so it serves the other kinds too.
    const spec = { name, kind: known === undefined || known.kind === own ? own : 'text' } as const;
    const path = nested ?? known?.nested;
    specs.set(name, path === undefined ? spec : { ...spec, nested: path });
  }
  return [...specs.values()];
}
