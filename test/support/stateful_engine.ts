/**
 * An engine of which only the stateful rules are the kernel's: conditions, keys and the order of events are the oracle's.
 * It judges the state machines alone, whatever the rest of the kernel does.
 */

import { encodeActions, encodeRules } from '../../src/compiler/actions.js';
import { looksBack } from '../../src/compiler/look_back.js';
import { compileStateful, type StatefulProgram } from '../../src/compiler/stateful.js';
import type { PredicateSource } from '../../src/compiler/stateful_source.js';
import { Section } from '../../src/core/abi/program.js';
import { Action } from '../../src/core/abi/state.js';
import { parseDurationUs } from '../../src/core/duration.js';
import type { EventQuery, KeyExpr, Rule } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from '../oracle/evaluate.js';
import { ecsFieldNames, type OracleEvent, readEvent } from '../oracle/event.js';
import { Subject } from '../oracle/judge.js';
import type { PlainAlert } from '../oracle/oracle.js';
import { oracleRefusal } from '../oracle/oracle.js';
import { Pipes } from '../oracle/pipes.js';
import { Stream } from '../oracle/stream.js';
import type { Engine, EngineOptions } from './engines.js';
import type { Source } from './generators.js';
import { type KernelAlert, type KernelOptions, StatefulKernel } from './stateful_kernel.js';

/** Collects queries, keys and columns instead of compiling them. */
class CollectedPredicates implements PredicateSource {
  readonly queries: { query: EventQuery; rule: number }[] = [];
  readonly keys: (readonly KeyExpr[])[] = [];
  readonly columns: string[] = [];

  add(query: EventQuery, rule: number): number {
    return indexIn(this.queries, { query, rule });
  }
  lookBack(): never {
    throw new Error('what an event has in common with earlier ones is not simulated');
  }
  key(components: readonly KeyExpr[]): number {
    return indexIn(this.keys, components);
  }
  column(field: string): number {
    return indexIn(this.columns, field);
  }
}

function indexIn<T>(items: T[], item: T): number {
  const found = items.findIndex((other) => JSON.stringify(other) === JSON.stringify(item));
  return found >= 0 ? found : items.push(item) - 1;
}

function hashOf(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash === 0n ? 1n : hash;
}

/** The stateful rules of a rule set, running in the kernel. */
export class StatefulRun {
  readonly kernel: StatefulKernel;
  readonly program: StatefulProgram;
  readonly #rules: readonly Rule[];
  readonly #predicates = new CollectedPredicates();
  readonly #categoryField: string;
  readonly #hosts: string[] = [];
  readonly #keyValues = new Map<bigint, readonly KeyValue[]>();

  constructor(rules: readonly Rule[], categoryField: string, limits: Partial<KernelOptions> = {}) {
    this.#rules = rules;
    this.#categoryField = categoryField;
    this.program = compileStateful(rules, this.#predicates);
    const entries = rules.map((_, index) => this.program.entries.get(index) ?? { kind: 1, flags: 0 as const, data: 0 });
    const sections = new Map(this.program.sections);
    sections.set(Section.Rules, encodeRules(entries));
    sections.set(Section.Actions, encodeActions(this.program.actions, this.#predicates.queries.length));
    this.kernel = new StatefulKernel({ ...limits, sections });
  }

  /** Judges an event; true predicates are dispatched in an order that differs from event to event. */
  judge(event: OracleEvent): void {
    const host = this.hostOf(event.host);
    this.kernel.advance(host, event.timeUs);
    this.kernel.advance(0, event.timeUs);
    this.kernel.load({ timeUs: event.timeUs, ordinal: event.ordinal, tiebreak: event.tiebreak, host });
    const subjectOf = (rule: number): Subject =>
      new Subject(event, {
        categoryField: this.#rules[rule]?.eventCategoryField ?? this.#categoryField,
        lineage: () => null,
      });
    this.kernel.answers = {
      keys: (key) => this.#keysOf(subjectOf(-1), this.#predicates.keys[key] ?? []),
      number: (column) => this.#numberOf(subjectOf(-1), this.#predicates.columns[column] ?? ''),
    };
    const isTrue = this.#predicates.queries.map(({ query, rule }) => subjectOf(rule).matches(query));
    const actions = this.program.actions.filter(({ predicate }) => isTrue[predicate]);
    for (const action of event.ordinal % 2 === 0 ? actions : [...actions].reverse()) this.#dispatch(action);
    this.kernel.exports.stateRowEnd(0);
  }

  hostOf(name: string): number {
    const known = this.#hosts.indexOf(name);
    return (known >= 0 ? known : this.#hosts.push(name) - 1) + 2;
  }

  takeAlerts(): { readonly rule: Rule; readonly alert: KernelAlert; readonly key: readonly KeyValue[] | null }[] {
    return this.kernel.alerts.splice(0).map((alert) => ({
      rule: this.#rules[alert.rule] as Rule,
      alert,
      key: alert.key === 0n ? null : (this.#keyValues.get(alert.key) ?? null),
    }));
  }

  #keysOf(subject: Subject, components: readonly KeyExpr[]): bigint[] {
    return subject.keys(components).map((key) => {
      const hash = hashOf(keyText(key));
      this.#keyValues.set(hash, key);
      return hash;
    });
  }

  #numberOf(subject: Subject, name: string): number {
    const [value] = subject.values({ kind: 'field', name });
    return typeof value === 'number' ? value : Number.NaN;
  }

  #dispatch({ action, rule, argument }: StatefulProgram['actions'][number]): void {
    const { exports } = this.kernel;
    if (action === Action.SequenceStep) exports.sequenceStep(rule, argument, 0, 0);
    else if (action === Action.SequenceUntil) exports.sequenceUntil(rule, 0);
    else if (action === Action.Terms) exports.termsObserve(rule, 0);
    else if (action === Action.Aggregate) exports.aggregateObserve(rule, 0);
    else if (action === Action.Sample) exports.sampleObserve(rule, argument, 0);
    else exports.temporalObserve(rule, argument, 0);
  }
}

async function run(options: EngineOptions, batches: readonly (readonly Source[])[]): Promise<PlainAlert[]> {
  const { rules, lateness = '0s', ...given } = options;
  const names = { ...ecsFieldNames, ...given };
  const stream = new Stream({ latenessUs: parseDurationUs(lateness), maxSkipUs: parseDurationUs('1d') });
  const state = new StatefulRun(rules, names.eventCategoryField);
  const events = new Map<number, OracleEvent>();
  let ordinal = 0;
  for (const source of batches.flat()) {
    const event = readEvent(source, ordinal++, names);
    if (event === undefined) continue;
    events.set(event.ordinal, event);
    for (const ready of stream.push(event).ready) state.judge(ready);
  }
  for (const ready of stream.flush()) state.judge(ready);
  state.kernel.exports.stateFlush();
  return piped(rules, state, events, names.eventCategoryField);
}

/** Passes each rule's alerts through its pipes, and leaves aggregates their last event as evidence. */
function piped(
  rules: readonly Rule[],
  state: StatefulRun,
  events: ReadonlyMap<number, OracleEvent>,
  categoryField: string,
): PlainAlert[] {
  const found = state.takeAlerts();
  return rules.flatMap((rule) => {
    const findings = found
      .filter((one) => one.rule === rule)
      .map(({ alert, key }) => ({
        timeUs: alert.timeUs,
        key,
        evidence: (rule.kind === 'aggregate' ? alert.evidence.slice(-1) : alert.evidence).map((position) =>
          position === null
            ? null
            : new Subject(events.get(position) as OracleEvent, { categoryField, lineage: () => null }),
        ),
      }));
    return new Pipes(rule.pipes ?? []).pass(findings, true).map((finding) => ({
      rule: rule.id,
      timeUs: finding.timeUs,
      key: finding.key,
      evidence: finding.evidence.map((subject) => subject?.event.ordinal ?? null),
    }));
  });
}

function refusal(rule: Rule): string | undefined {
  if (rule.kind === 'match') return 'rules on single events are not stateful';
  if (/"kind":"lineage"/.test(JSON.stringify(rule))) return 'lineage is not simulated';
  const queries = rule.kind === 'sequence' ? [...rule.steps, ...(rule.until === undefined ? [] : [rule.until])] : [];
  if (queries.some(({ query }) => looksBack(query.condition))) return 'conditions on earlier events are not simulated';
  return oracleRefusal(rule);
}

export const statefulKernel: Engine = { name: 'stateful kernel', refusal, run };
