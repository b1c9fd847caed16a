/** Runs the predicates of rules on single events in a real kernel, and by the reference semantics. */
import { type CompiledProgram, type CompileOptions, compile } from '../../src/compiler/compile.js';
import { IngestConfig } from '../../src/core/abi/events.js';
import { Section } from '../../src/core/abi/program.js';
import { Config } from '../../src/core/abi/state.js';
import { numberImports } from '../../src/event/number_imports.js';
import { predicateImports } from '../../src/kernel/host_functions.js';
import { Kernel } from '../../src/kernel/kernel.js';
import { loadKernelModule } from '../../src/kernel/load.js';
import type { Expr, MatchRule, Rule } from '../../src/rule/ir.js';

export interface PredicateKernelOptions extends CompileOptions {
  readonly prefilter?: 'on' | 'off';
  readonly truthBytes?: number;
}

/** A rule that matches on a condition; its id is its place. */
export function matchRule(condition: Expr, index = 0, category: string | null = null): MatchRule {
  return {
    kind: 'match',
    id: `r${index}`,
    name: `rule ${index}`,
    severity: 'low',
    riskScore: 1,
    threat: [],
    query: { category, condition },
  };
}

const mebibyte = 1024 * 1024;

const words = (options: PredicateKernelOptions, program: CompiledProgram): ReadonlyMap<number, number> =>
  new Map<number, number>([
    [Config.MaxSkipUs, 1e18],
    [Config.RowCapacity, 2048],
    [Config.HostCapacity, 64],
    [Config.ProcessCapacity, program.usesLineage ? 1024 : 0],
    [Config.EvidenceBytes, mebibyte],
    [Config.OutputBytes, mebibyte],
    [Config.LossCapacity, 256],
    [Config.ValueBytes, 8 * mebibyte],
    [Config.MaxValueBytes, 32 * 1024],
    [Config.InputBytes, 4 * mebibyte],
    [Config.TruthBytes, options.truthBytes ?? 2 * mebibyte],
    [Config.StateBytes, mebibyte],
    [Config.RuleCount, program.rules.length],
    [Config.Prefilter, options.prefilter === 'off' ? 0 : 1],
    [Config.EvidenceValueBytes, 1024],
    [Config.ExitedRetentionSeconds, 600],
    [Config.LiveRetentionSeconds, 3600],
    [Config.ProcessesPerHost, 512],
    [IngestConfig.SeedLow, 1],
    [IngestConfig.SeedHigh, 2],
    [IngestConfig.SessionCodes, 1024],
    [IngestConfig.SessionIds, 1024],
    [IngestConfig.SessionIdBytes, 65536],
    [IngestConfig.HeldIdBytes, 65536],
  ]);

/** A kernel that tells, event by event, which rules' predicates were true. */
export class PredicateKernel {
  readonly program: CompiledProgram;
  readonly kernel: Kernel;
  #before: number[];
  #time = 1_700_000_000_000;

  private constructor(program: CompiledProgram, kernel: Kernel) {
    this.program = program;
    this.kernel = kernel;
    this.#before = program.rules.map(() => 0);
  }

  static async create(rules: readonly Rule[], options: PredicateKernelOptions = {}): Promise<PredicateKernel> {
    const program = compile(rules, options);
    if (program.diagnostics.length > 0) throw new Error(JSON.stringify(program.diagnostics, null, 1));
    return PredicateKernel.load(program, options);
  }

  /** Runs a program as it is. */
  static async load(program: CompiledProgram, options: PredicateKernelOptions = {}): Promise<PredicateKernel> {
    const kernel = await Kernel.create({
      module: await loadKernelModule(),
      imports: (memory) => ({ ...numberImports(memory), ...predicateImports(program.sections, memory) }),
      sections: program.sections,
      config: words(options, program),
      columns: Section.Columns,
      defaultHost: 'h',
      drain: () => undefined,
    });
    return new PredicateKernel(program, kernel);
  }

  /** Indexes of the rules that match the event. */
  match(event: Readonly<Record<string, unknown>>): number[] {
    const line = new TextEncoder().encode(`${JSON.stringify({ '@timestamp': this.#time++, ...event })}\n`);
    this.kernel.input().set(line);
    this.kernel.ingestNdjson(line.length);
    this.kernel.drainOutput();
    const after = this.program.rules.map((_, index) => this.kernel.matched(index));
    const matched = after.flatMap((count, index) => (count > (this.#before[index] as number) ? [index] : []));
    this.#before = after;
    return matched;
  }
}
