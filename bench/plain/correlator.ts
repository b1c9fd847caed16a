/**
 * The baseline lane: a correlator in plain JavaScript over `JSON.parse`, with `Map` state. Match, sequence, new-terms
 * and behaviour rules do the same per-event work as the kernel: every condition, lineage with inherited marks, keyed
 * partial matches, term history. It keeps no evidence, no expiry order and no bounds, which only makes it faster.
 */
import type { BehaviorRule, EventQuery, NewTermsRule, Rule, SequenceRule } from '../../src/rule/ir.js';
import { type Condition, compileCondition, fieldGetter, type LineageView, type PlainEvent } from './condition.js';

interface PlainProcess extends LineageView {
  readonly parent: PlainProcess | undefined;
  readonly marks: Set<object>;
}

type Judge = (event: PlainEvent, host: string, timeMs: number, process: PlainProcess | null) => number;

/** A correlator that counts results. */
export interface PlainCorrelator {
  /** Judges one event; returns how many rule results it completed. */
  push(event: PlainEvent): number;
}

const category = pathOf('event.category');
const type = pathOf('event.type');
const entityId = pathOf('process.entity_id');
const parentEntityId = pathOf('process.parent.entity_id');
const hostId = pathOf('host.id');

/** Builds the baseline for a rule set. @throws Error naming a rule kind or construct that it does not cover. */
export function createPlainCorrelator(rules: readonly Rule[]): PlainCorrelator {
  const marks: { readonly key: object; readonly test: Condition }[] = [];
  const judges = rules.map((rule) => compileRule(rule, marks));
  const processes = new Map<string, PlainProcess>();
  return {
    push(event) {
      const host = String(hostId(event) ?? 'unknown');
      const process = observe(processes, event, host);
      if (process !== null)
        for (const mark of marks) if (mark.test(event, process) === true) process.marks.add(mark.key);
      const timeMs = Date.parse(event['@timestamp'] as string);
      let results = 0;
      for (const judge of judges) results += judge(event, host, timeMs, process);
      return results;
    },
  };
}

function pathOf(name: string): (event: PlainEvent) => unknown {
  return fieldGetter({ kind: 'field', name });
}

function observe(processes: Map<string, PlainProcess>, event: PlainEvent, host: string): PlainProcess | null {
  const id = entityId(event);
  if (id === undefined) return null;
  const key = `${host}|${id}`;
  let process = processes.get(key);
  if (process === undefined) {
    const parentId = parentEntityId(event);
    process = createProcess(parentId === undefined ? undefined : processes.get(`${host}|${parentId}`));
    processes.set(key, process);
  }
  const types = type(event);
  if (types === 'end' || (Array.isArray(types) && types.includes('end'))) processes.delete(key);
  return process;
}

function createProcess(parent: PlainProcess | undefined): PlainProcess {
  const marks = new Set<object>();
  return {
    parent,
    marks,
    holds(relation, mark) {
      if (relation === 'event') return marks.has(mark);
      if (relation === 'child') return parent?.marks.has(mark) ?? false;
      for (let ancestor = parent; ancestor !== undefined; ancestor = ancestor.parent)
        if (ancestor.marks.has(mark)) return true;
      return false;
    },
  };
}

function compileQuery(query: EventQuery): Condition {
  const condition = compileCondition(query.condition);
  if (query.category === null) return condition;
  const wanted = query.category;
  return (event, lineage) => {
    const value = category(event);
    const isCategory = Array.isArray(value) ? value.includes(wanted) : value === wanted;
    return isCategory ? condition(event, lineage) : false;
  };
}

function compileRule(rule: Rule, marks: { key: object; test: Condition }[]): Judge {
  switch (rule.kind) {
    case 'match': {
      const test = compileQuery(rule.query);
      return (event, _host, _timeMs, process) => (test(event, process) === true ? 1 : 0);
    }
    case 'sequence':
      return sequenceJudge(rule);
    case 'newTerms':
      return newTermsJudge(rule);
    case 'behavior':
      return behaviorJudge(rule, marks);
    default:
      throw new Error(`the plain JavaScript baseline does not cover ${rule.kind} rules`);
  }
}

function newTermsJudge(rule: NewTermsRule): Judge {
  const test = compileQuery(rule.query);
  const fields = rule.fields.map(fieldGetter);
  const windowMs = rule.windowUs / 1000;
  const lastSeen = new Map<string, number>();
  return (event, _host, timeMs, process) => {
    if (test(event, process) !== true) return 0;
    const values = fields.map((read) => read(event));
    if (values.includes(undefined)) return 0;
    const term = values.join('\u0000');
    const last = lastSeen.get(term);
    lastSeen.set(term, timeMs);
    return last === undefined || timeMs - last > windowMs ? 1 : 0;
  };
}

function sequenceJudge(rule: SequenceRule): Judge {
  if (rule.until !== undefined || rule.steps.some((step) => step.missing))
    throw new Error('the plain JavaScript baseline does not cover until and missing events');
  const steps = rule.steps.map((step) => ({
    test: compileQuery(step.query),
    by: step.by.map((key) => {
      if (key.kind !== 'field') throw new Error('the plain JavaScript baseline joins by fields only');
      return fieldGetter(key);
    }),
    starts: new Map<string, number>(),
  }));
  const spanMs = (rule.maxspanUs ?? Number.POSITIVE_INFINITY) / 1000;
  return (event, _host, timeMs, process) => {
    let results = 0;
    for (let index = steps.length - 1; index >= 0; index--) {
      const step = steps[index] as (typeof steps)[number];
      if (step.test(event, process) !== true) continue;
      const values = step.by.map((read) => read(event));
      if (values.includes(undefined)) continue;
      const key = values.join('\u0000');
      const previous = index === 0 ? undefined : steps[index - 1];
      const startMs = previous === undefined ? timeMs : previous.starts.get(key);
      if (startMs === undefined || timeMs - startMs > spanMs) continue;
      previous?.starts.delete(key);
      if (index === steps.length - 1) results++;
      else step.starts.set(key, startMs);
    }
    return results;
  };
}

function behaviorJudge(rule: BehaviorRule, marks: { key: object; test: Condition }[]): Judge {
  const scope = compileCondition(rule.scope);
  let root: object | undefined;
  for (const mark of rule.marks) {
    const test = compileQuery(mark.query);
    marks.push({ key: mark.query, test: (event, lineage) => scope(event, lineage) === true && test(event, lineage) });
    if (mark.name === rule.root) root = mark.query;
  }
  const items = rule.items.map((item) => compileQuery(item.query));
  return (event, _host, _timeMs, process) => {
    if (process === null || root === undefined) return 0;
    if (!process.holds('event', root) && !process.holds('descendant', root)) return 0;
    if (scope(event, process) !== true) return 0;
    let witnesses = 0;
    for (const test of items) if (test(event, process) === true) witnesses++;
    return witnesses;
  };
}
