/**
 * Stateful rules to sections of the program: steps, terms and aggregates, and what each of their predicates does.
 * Layouts: `src/core/abi/stateful.ts`. Rules are taken as valid; `src/rule/validate.ts` refuses the others.
 */
import { Section } from '../core/abi/program.js';
import { Action, RuleFlag, RuleKind } from '../core/abi/state.js';
import { Absent, SequenceFlag, StepFlag, StepRecord } from '../core/abi/stateful.js';
import { hash128 } from '../core/hash.js';
import { termsLateHorizonUs } from '../core/limits.js';
import type { KeyExpr, NewTermsRule, Rule, SampleRule, SequenceRule, Step, TemporalRule } from '../rule/ir.js';
import { type Scope, scopesOf } from '../rule/scope.js';
import { heardQuery, termKey } from '../rule/terms.js';
import type { PredicateAction, RuleEntry } from './actions.js';
import { type SplitQuery, splitSequence } from './look_back.js';
import { SectionWriter } from './section_writer.js';
import { writeAggregate } from './stateful_aggregate.js';
import { type PredicateSource, writeI64 } from './stateful_source.js';

/** The stateful part of a program. */
export interface StatefulProgram {
  /** By rule index. */
  readonly entries: ReadonlyMap<number, RuleEntry>;
  readonly actions: readonly PredicateAction[];
  readonly sections: ReadonlyMap<Section, Uint8Array>;
  readonly hasGlobalRules: boolean;
}

/** Compiles the stateful rules of a rule set; the others are left alone. Rule indexes are positions in `rules`. */
export function compileStateful(
  rules: readonly Rule[],
  predicates: PredicateSource,
  options: { readonly hostField?: string } = {},
): StatefulProgram {
  const compiler = new StatefulCompiler(rules, predicates, options.hostField);
  rules.forEach((rule, index) => {
    compiler.add(rule, index);
  });
  return compiler.finish();
}

/** Steps of a sequence with runs written out: the index of a step is its number in the kernel and in alerts. */
export function expandSteps(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => new Array<Step>(step.missing ? 1 : step.runs).fill(step));
}

class StatefulCompiler {
  readonly #rules: readonly Rule[];
  readonly #predicates: PredicateSource;
  readonly #scopes: ReadonlyMap<string, Scope>;
  readonly #entries = new Map<number, RuleEntry>();
  readonly #actions: PredicateAction[] = [];
  readonly #steps = new SectionWriter();
  readonly #terms = new SectionWriter();
  readonly #aggregates = new SectionWriter();

  constructor(rules: readonly Rule[], predicates: PredicateSource, hostField: string | undefined) {
    this.#rules = rules;
    this.#predicates = predicates;
    this.#scopes = scopesOf(rules, hostField);
  }

  add(rule: Rule, index: number): void {
    const written = this.#write(rule, index);
    if (written === undefined) return;
    const [kind, data] = written;
    const flags = this.#scopes.get(rule.id) === 'global' ? RuleFlag.Global : 0;
    this.#entries.set(index, { kind, flags, data });
  }

  finish(): StatefulProgram {
    const sections = new Map<Section, Uint8Array>();
    if (this.#steps.length > 0) sections.set(Section.Steps, this.#steps.finish());
    if (this.#terms.length > 0) sections.set(Section.Terms, this.#terms.finish());
    if (this.#aggregates.length > 0) sections.set(Section.Aggregates, this.#aggregates.finish());
    const hasGlobalRules = [...this.#entries.values()].some(({ flags }) => (flags & RuleFlag.Global) !== 0);
    return { entries: this.#entries, actions: this.#actions, sections, hasGlobalRules };
  }

  /** Writes a stateful rule; returns its kind and where its record lies. */
  #write(rule: Rule, index: number): readonly [RuleKind, number] | undefined {
    switch (rule.kind) {
      case 'sequence':
        return [RuleKind.Sequence, this.#addSequence(rule, index)];
      case 'sample':
        return [RuleKind.Sample, this.#addSample(rule, index)];
      case 'temporal':
        return [RuleKind.Temporal, this.#addTemporal(rule, index)];
      case 'newTerms':
        // By schedule, or joined by path: the kernel hands on every match; runs and joins are made in `src/correlator/`.
        if (rule.mode === 'elasticCompat' || rule.joins !== undefined) return this.#addMatch(rule, index);
        return [RuleKind.NewTerms, this.#addTerms(rule, index)];
      case 'aggregate':
        this.#act(this.#predicates.add(rule.query, index), Action.Aggregate, index, 0);
        return [RuleKind.Aggregate, writeAggregate(this.#aggregates, rule, this.#predicates)];
      default:
        return undefined;
    }
  }

  #act(predicate: number, action: Action, rule: number, argument: number): void {
    this.#actions.push({ predicate, action, rule, argument });
  }

  #key(components: readonly KeyExpr[]): number {
    return components.length === 0 ? Absent.Id : this.#predicates.key(components);
  }

  // --------------------------------------------------------------------------------------------------- sequences

  #addSequence(rule: SequenceRule, index: number): number {
    const split = splitSequence(rule);
    const steps = expandSteps(rule.steps);
    const parts = rule.steps.flatMap((step, at) => expandSteps([step]).map(() => split.steps[at] as SplitQuery));
    const offset = this.#steps.length;
    let flags: number = rule.unordered === true ? SequenceFlag.Unordered : 0;
    if (rule.until !== undefined) flags |= SequenceFlag.HasUntil;
    if (steps[0]?.missing === true) flags |= SequenceFlag.HasLeading;
    if (steps.at(-1)?.missing === true) flags |= SequenceFlag.HasTrailing;
    const untilKey = this.#key(rule.until?.by ?? []);
    this.#writeHeader(flags, steps.length, rule.maxspanUs ?? -1, untilKey, this.#lookBack(split.until, index));
    const positive = steps.flatMap((step, number) => (step.missing ? [] : [number]));
    steps.forEach((step, number) => {
      const part = parts[number] as SplitQuery;
      this.#writeStep(step, number, positive, this.#lookBack(part, index));
      this.#act(this.#predicates.add(part.query, index), Action.SequenceStep, index, number);
    });
    if (split.until !== undefined) {
      this.#act(this.#predicates.add(split.until.query, index), Action.SequenceUntil, index, 0);
    }
    return offset;
  }

  /** 1 + the predicate of what a query asks of earlier events, 0 where it asks nothing of them. */
  #lookBack(part: SplitQuery | undefined, rule: number): number {
    return part?.lookBack === undefined ? 0 : this.#predicates.lookBack(part.lookBack, rule) + 1;
  }

  #writeHeader(flags: number, steps: number, spanUs: number, untilKey: number, argument: number): void {
    this.#steps.u32(flags);
    this.#steps.u32(steps);
    writeI64(this.#steps, spanUs);
    this.#steps.u32(untilKey);
    this.#steps.u32(argument);
  }

  #writeStep(step: Step, number: number, positive: readonly number[], lookBack: number): void {
    const first = positive[0] ?? 0;
    const last = positive.at(-1) ?? 0;
    let flags = 0;
    if (step.fork === true) flags |= StepFlag.Fork;
    if (step.missing) flags |= StepFlag.Missing;
    if (step.missing && number < first) flags |= StepFlag.Leading;
    if (step.missing && number > last) flags |= StepFlag.Trailing;
    if (number === first) flags |= StepFlag.First;
    if (number === last) flags |= StepFlag.Final;
    const previous = positive.findLast((other) => other < number) ?? Absent.Id;
    this.#writeStepRecord(this.#key(step.by), flags, previous, lookBack);
  }

  #writeStepRecord(key: number, flags: number, previous: number, source: number): void {
    const start = this.#steps.length;
    this.#steps.zeros(StepRecord.Bytes);
    this.#steps.patch(start + StepRecord.Key, key);
    this.#steps.patch(start + StepRecord.Flags, flags);
    this.#steps.patch(start + StepRecord.Previous, previous);
    this.#steps.patch(start + StepRecord.Source, source);
  }

  #addSample(rule: SampleRule, index: number): number {
    const offset = this.#steps.length;
    this.#writeHeader(0, rule.steps.length, -1, Absent.Id, rule.maxSamplesPerKey);
    rule.steps.forEach((step, number) => {
      this.#writeStepRecord(this.#key(step.by), 0, Absent.Id, 0);
      this.#act(this.#predicates.add(step.query, index), Action.Sample, index, number);
    });
    return offset;
  }

  // ------------------------------------------------------------------------------------------- temporal and terms

  /** A rule on single events is heard through its predicate, any other through its alerts. */
  #addTemporal(rule: TemporalRule, index: number): number {
    const offset = this.#steps.length;
    this.#writeHeader(0, rule.rules.length, rule.windowUs, Absent.Id, rule.ordered ? 1 : 0);
    rule.rules.forEach(({ id, by }, part) => {
      const source = this.#rules.findIndex((other) => other.id === id);
      const heard = this.#rules[source];
      const isMatch = heard?.kind === 'match';
      this.#writeStepRecord(this.#key(by), 0, Absent.Id, isMatch ? 0 : source + 1);
      if (isMatch) this.#act(this.#predicates.add(heard.query, index), Action.Temporal, index, part);
    });
    return offset;
  }

  #addMatch(rule: NewTermsRule, index: number): readonly [RuleKind, number] {
    this.#act(this.#predicates.add(heardQuery(rule), index), Action.Match, index, 0);
    return [RuleKind.Match, 0];
  }

  #addTerms(rule: NewTermsRule, index: number): number {
    const offset = this.#terms.length;
    this.#terms.u32(this.#key(termKey(rule)));
    this.#terms.u32(0);
    writeI64(this.#terms, rule.windowUs);
    writeI64(this.#terms, termsLateHorizonUs);
    const [low, high] = hash128(new TextEncoder().encode(rule.id));
    this.#terms.u32(low);
    this.#terms.u32(high);
    this.#act(this.#predicates.add(rule.query, index), Action.Terms, index, 0);
    return offset;
  }
}
