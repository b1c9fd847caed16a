/** What the correlator must know of a rule after compilation: names of its steps, its key, the fields its alerts need. */
import type { EventQuery, Expr, FieldExpr, Rule, Step } from '../rule/ir.js';
import { fieldsOf, unsupportedIn } from './evaluate.js';

/** One rule as the alert maker sees it. */
export interface RuleView {
  readonly rule: Rule;
  /** Name of each step by the kernel's step index, runs written out. Empty: steps have their index as name. */
  readonly stepNames: readonly string[];
  /** Key components by step index; one entry for rules whose key is the same for every event. */
  readonly keys: readonly (readonly Expr[])[];
  /** Fields that alerts of the rule carry because the key names them. */
  readonly keyFields: ReadonlySet<string>;
  /** Fields read by pipes, overrides and suppression. */
  readonly readFields: readonly string[];
  /** Results must be put in order over all hosts before they are passed on. */
  readonly isOrdered: boolean;
}

export function viewRule(rule: Rule, caps: 'rule' | 'none'): RuleView {
  const keys = keysOf(rule);
  const pipes = rule.pipes ?? [];
  return {
    rule,
    stepNames: stepNamesOf(rule),
    keys,
    keyFields: new Set(keys.flat().flatMap(fieldsOf)),
    readFields: [
      ...pipes
        .flatMap((pipe) => ('by' in pipe ? pipe.by : pipe.kind === 'filter' ? [pipe.condition] : []))
        .flatMap(fieldsOf),
      ...(rule.overrides ?? []).map((override) => override.field),
      ...(rule.suppression?.by ?? []),
      ...(rule.kind === 'behavior' ? rule.judgement.fields : []),
      ...(rule.kind === 'newTerms' && rule.joins !== undefined ? joinFieldsOf(rule.query, rule.joins.items) : []),
    ],
    isOrdered: pipes.length > 0 || rule.suppression !== undefined || (caps === 'rule' && rule.maxSignals !== undefined),
  };
}

/** What tells on which side of a join an event is. */
const joinFieldsOf = (...queries: readonly EventQuery[]): string[] =>
  queries.flatMap(({ condition }) => fieldsOf(condition)).filter((name) => !name.includes('*'));

/** Why the rule's pipes cannot be applied to its alerts; undefined where they can. */
export function pipeRefusal(rule: Rule): string | undefined {
  for (const pipe of rule.pipes ?? []) {
    const parts = 'by' in pipe ? pipe.by : pipe.kind === 'filter' ? [pipe.condition] : [];
    const reason = parts.map(unsupportedIn).find((one) => one !== undefined);
    if (reason !== undefined) return `pipe ${pipe.kind} reads ${reason}`;
  }
  return undefined;
}

function stepsOf(rule: Rule): readonly Step[] {
  return rule.kind === 'sequence' || rule.kind === 'sample' ? rule.steps : [];
}

const expanded = <T>(steps: readonly Step[], of: (step: Step, index: number) => T): T[] =>
  steps.flatMap((step, index) => Array.from({ length: Math.max(1, step.runs) }, () => of(step, index)));

function stepNamesOf(rule: Rule): readonly string[] {
  if (rule.kind === 'temporal') return rule.rules.map((part) => part.id);
  return expanded(stepsOf(rule), (step, index) => step.alias ?? String(index));
}

function keysOf(rule: Rule): readonly (readonly Expr[])[] {
  switch (rule.kind) {
    case 'sequence':
    case 'sample':
      return expanded(rule.steps, (step) => step.by);
    case 'aggregate':
      return [rule.by];
    case 'newTerms':
      return [rule.fields as readonly FieldExpr[]];
    case 'temporal':
      return rule.rules.map((part) => part.by);
    default:
      return [];
  }
}
