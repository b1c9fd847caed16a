/** A judgement with everything in it prepared for being asked of one witness after another. Made once. */
import type { ClassSpec, Judgement, LevelRaise, ModifierSpec, WorkflowSpec } from '../../../rule/behavior.js';
import { type CommandTable, compileCommands } from './commands.js';
import { compileCondition } from './condition.js';
import { type Parts, partsOf } from './parts.js';
import type { CompiledProcess, ProcessTests } from './process.js';
import { compileRemovals, type Removal } from './removals.js';
import type { Question } from './scope.js';

/** Index into the bands of `verdict.ts`. */
const bandOf = { observation: 0, low: 1, medium: 2, high: 3, critical: 4 } as const;

/** Many distinct values among instances of some levels lift the class. */
export interface FanOut {
  readonly from: readonly number[];
  readonly field: string;
  readonly values: number;
  readonly instances: number;
  readonly to: number;
}

export interface CompiledClass {
  readonly spec: ClassSpec;
  /** Level from which it is satisfied. */
  readonly least: number;
  readonly fanOuts: readonly FanOut[];
}

export interface CompiledJudgement {
  readonly judgement: Judgement;
  readonly processes: ProcessTests;
  readonly wrappers: CompiledProcess;
  readonly serviceHosts: CompiledProcess;
  readonly interpreter: CompiledProcess;
  readonly renamed: CompiledProcess | undefined;
  readonly tiers: readonly { readonly name: string; readonly process: CompiledProcess }[];
  readonly contexts: readonly { readonly name: string; readonly group: string; readonly when: Question }[];
  readonly classes: readonly CompiledClass[];
  readonly classIndex: ReadonlyMap<string, number>;
  readonly ladder: readonly { readonly band: number; readonly when: Question }[];
  readonly modifiers: readonly { readonly spec: ModifierSpec; readonly when: Question }[];
  readonly removals: readonly Removal[];
  readonly commands: CommandTable;
  /** What a baseline must not learn nor remove. */
  readonly never: Question;
  readonly workflows: readonly { readonly spec: WorkflowSpec; readonly when: Question }[];
}

const compiled = new WeakMap<Judgement, CompiledJudgement>();

/** The compiled form of a judgement: one, whoever asks. */
export function compileJudgement(judgement: Judgement): CompiledJudgement {
  let form = compiled.get(judgement);
  if (form === undefined) {
    form = compile(judgement, partsOf(judgement));
    compiled.set(judgement, form);
  }
  return form;
}

function compile(judgement: Judgement, parts: Parts): CompiledJudgement {
  const { interpreter, baseline } = judgement;
  const { processes, wrappers, classIndex } = parts;
  const when = <T extends { readonly when: Parameters<typeof compileCondition>[0] }>(spec: T) => ({
    spec,
    when: compileCondition(spec.when, parts),
  });
  parts.facts.push(...judgement.facts.map((fact) => compileCondition(fact.when, parts)));
  const removals = compileRemovals(judgement.removals, parts);
  return {
    judgement,
    processes,
    wrappers,
    classIndex,
    serviceHosts: processes.compile(judgement.serviceHosts),
    interpreter: processes.compile(interpreter.images),
    renamed: interpreter.renamed === undefined ? undefined : processes.compile(interpreter.renamed),
    tiers: judgement.tiers.map(({ name, process }) => ({ name, process: processes.compile(process) })),
    contexts: judgement.contexts.map(({ name, group, when: alternatives }) => ({
      name,
      group,
      when: compileCondition({ any: alternatives.map((all) => ({ all })) }, parts),
    })),
    classes: judgement.classes.map(compileClass),
    ladder: judgement.ladder.map((row) => ({ band: bandOf[row.severity], when: when(row).when })),
    modifiers: judgement.modifiers.map(when),
    removals,
    commands: compileCommands(judgement, removals),
    never: compileCondition(baseline?.never ?? {}, parts),
    workflows: (baseline?.workflows ?? []).map(when),
  };
}

function compileClass(spec: ClassSpec): CompiledClass {
  const fanOuts = spec.raises.filter((raise) => raise.kind === 'fanOut');
  return { spec, least: spec.levels.indexOf(spec.countsFrom), fanOuts: fanOuts.map((raise) => fanOut(spec, raise)) };
}

function fanOut({ levels }: ClassSpec, raise: LevelRaise & { readonly kind: 'fanOut' }): FanOut {
  const { field, values, instances = Number.POSITIVE_INFINITY } = raise;
  const from = levels.flatMap((level, index) => (raise.from.includes(level) ? [index] : []));
  return { from, field, values, instances, to: levels.indexOf(raise.to) };
}
