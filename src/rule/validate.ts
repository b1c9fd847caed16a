/**
 * Structure of the IR: whether an object is a rule that the compiler can take. Front ends build valid rules; a product
 * that builds them in code learns here what is wrong, as from a text: a code, a place, a remedy, and no exception.
 *
 * What is checked is structure. Whether a field exists, or a pattern can ever match, is not.
 */
import type { Diagnostic } from '../core/diagnostic.js';
import { aggregateFunctionsMax, marksMax, sampleStepsMax, sequenceStepsMax, termsFieldsMax } from '../core/limits.js';
import { type Entry, isEntry, join, RuleCheck } from './check.js';
import { type Rule, severities } from './ir.js';
import { visitExpr, visitQuery } from './validate_expr.js';
import { checkTemporalRules } from './validate_temporal.js';

/** Checks rules one by one and against each other. Empty: all of them can be compiled together. */
export function validateRules(rules: readonly unknown[]): Diagnostic[] {
  const own = rules.flatMap((rule) => validateRule(rule));
  if (own.some(({ severity }) => severity === 'error')) return own;
  const valid = rules as readonly Rule[];
  return [...own, ...checkIds(valid), ...checkTemporalRules(valid), ...checkMarks(valid)];
}

/** Checks one rule by itself. */
export function validateRule(rule: unknown): Diagnostic[] {
  const check = new RuleCheck(rule);
  if (!isEntry(rule)) check.shape('', 'a rule object', rule);
  else checkRule(check, rule);
  return check.diagnostics;
}

const kinds: Readonly<Record<string, (check: RuleCheck, rule: Entry) => void>> = {
  match: (check, rule) => visitQuery(check, rule.query, 'query'),
  sequence: checkSequence,
  sample: checkSample,
  newTerms: checkTerms,
  aggregate: checkAggregate,
  temporal: checkTemporal,
  behavior: checkBehavior,
};

function checkRule(check: RuleCheck, rule: Entry): void {
  check.text(rule, 'id', '');
  check.text(rule, 'name', '');
  check.oneOf(rule, 'severity', '', severities);
  check.number(rule, 'riskScore', '', 0, 100);
  check.list(rule, 'threat', '');
  if (rule.maxSignals !== undefined) check.whole(rule, 'maxSignals', '', 1);
  const inner = kinds[String(rule.kind)];
  if (inner === undefined) check.oneOf(rule, 'kind', '', Object.keys(kinds));
  else inner(check, rule);
}

// -------------------------------------------------------------------------------------------------- sequences

interface StepShape {
  readonly missing: boolean;
  readonly runs: number;
  readonly keys: number;
}

/** Checks the steps and returns their shapes; a step that is no object has none. */
function checkSteps(check: RuleCheck, rule: Entry): StepShape[] {
  const steps = check.list(rule, 'steps', '');
  return steps.flatMap((step, i) => checkStep(check, step, `steps[${i}]`) ?? []);
}

function checkStep(check: RuleCheck, value: unknown, path: string): StepShape | undefined {
  const step = check.entry(value, path);
  if (step === undefined) return undefined;
  visitQuery(check, step.query, join(path, 'query'));
  const by = check.list(step, 'by', path);
  for (const [i, key] of by.entries()) visitExpr(check, key, `${path}.by[${i}]`);
  if (typeof step.missing !== 'boolean') check.shape(join(path, 'missing'), 'true or false', step.missing);
  check.whole(step, 'runs', path, 1, sequenceStepsMax);
  check.flag(step, 'fork', path);
  if (step.missing === true && (step.runs !== 1 || step.fork === true)) {
    const message = 'a step satisfied by absence has no runs and no fork';
    check.report(path, {
      code: 'RULE_ABSENCE',
      message,
      remedy: 'Write the step once, without `with runs` or `fork`.',
    });
  }
  return { missing: step.missing === true, runs: Number(step.runs), keys: by.length };
}

function checkSequence(check: RuleCheck, rule: Entry): void {
  const steps = checkSteps(check, rule);
  const until = rule.until === undefined ? undefined : checkStep(check, rule.until, 'until');
  if (rule.maxspanUs !== undefined) check.whole(rule, 'maxspanUs', '', 0);
  check.flag(rule, 'unordered', '');
  if (check.diagnostics.length > 0) return;
  const count = steps.reduce((sum, { runs }) => sum + runs, 0);
  if (count < 2) reportSteps(check, `a sequence has at least 2 steps, runs counted; this has ${count}`);
  if (count > sequenceStepsMax) reportSteps(check, `a sequence has at most ${sequenceStepsMax} steps, runs counted`);
  if (steps.every(({ missing }) => missing)) reportSteps(check, 'some step must take an event');
  checkKeys(check, until === undefined ? steps : [...steps, until]);
  checkAbsence(check, rule, steps, until);
}

function reportSteps(check: RuleCheck, message: string): void {
  check.report('steps', { code: 'RULE_STEPS', message });
}

function checkKeys(check: RuleCheck, steps: readonly StepShape[]): void {
  if (new Set(steps.map(({ keys }) => keys)).size <= 1) return;
  const message = `all steps have as many join keys; these have ${steps.map(({ keys }) => keys).join(', ')}`;
  check.report('steps', { code: 'RULE_KEYS', message, remedy: 'Give every step, and until, the same number of keys.' });
}

function checkAbsence(check: RuleCheck, rule: Entry, steps: readonly StepShape[], until?: StepShape): void {
  const hasMissing = steps.some(({ missing }) => missing);
  if (until?.missing === true) {
    check.report('until', { code: 'RULE_ABSENCE', message: 'until is an event, it cannot be satisfied by absence' });
  }
  if (hasMissing && rule.maxspanUs === undefined) {
    const message = 'a sequence with a step satisfied by absence needs a maxspan';
    check.report('maxspanUs', { code: 'RULE_ABSENCE', message, remedy: 'Add `with maxspan=…`.' });
  }
  if (rule.unordered === true && (hasMissing || rule.maxspanUs !== undefined)) {
    const message = 'steps that may come in any order have no maxspan and are not satisfied by absence';
    check.report('unordered', { code: 'RULE_UNORDERED', message, remedy: 'Use a temporal rule for a time limit.' });
  }
}

function checkSample(check: RuleCheck, rule: Entry): void {
  const steps = checkSteps(check, rule);
  check.whole(rule, 'maxSamplesPerKey', '', 1, 1000);
  if (check.diagnostics.length > 0) return;
  if (steps.length < 2 || steps.length > sampleStepsMax) {
    reportSteps(check, `a sample has 2 to ${sampleStepsMax} steps; this has ${steps.length}`);
  }
  if (steps.some(({ missing, runs }) => missing || runs !== 1)) {
    reportSteps(check, 'the steps of a sample take one event each: no absence, no runs');
  }
  checkKeys(check, steps);
}

// --------------------------------------------------------------------------------------------- terms, aggregates

function checkTerms(check: RuleCheck, rule: Entry): void {
  visitQuery(check, rule.query, 'query');
  const fields = check.list(rule, 'fields', '');
  for (const [i, field] of fields.entries()) visitExpr(check, field, `fields[${i}]`);
  check.whole(rule, 'windowUs', '', 1);
  check.oneOf(rule, 'mode', '', ['eventTime', 'elasticCompat']);
  if (fields.length < 1 || fields.length > termsFieldsMax) {
    const message = `a new-terms rule has 1 to ${termsFieldsMax} fields; this has ${fields.length}`;
    check.report('fields', { code: 'RULE_FIELDS', message });
  }
  if (rule.joins !== undefined) checkTermJoin(check, rule, fields);
  if (rule.mode !== 'elasticCompat') return;
  check.whole(rule, 'intervalUs', '', 1);
  check.whole(rule, 'lookbackUs', '', 1);
}

function checkTermJoin(check: RuleCheck, rule: Entry, fields: readonly unknown[]): void {
  const joins = isEntry(rule.joins) ? rule.joins : {};
  visitQuery(check, joins.items, 'joins.items');
  visitQuery(check, joins.writers, 'joins.writers');
  check.whole(joins, 'withinUs', 'joins', 1);
  const isOfHost = fields.some((field) => isEntry(field) && field.name === 'host.id' && field.fallback === undefined);
  if (rule.mode !== 'eventTime' || !isOfHost) {
    const message = 'events are joined in event time and on one host: the fields must name host.id';
    check.report('joins', { code: 'RULE_FIELDS', message });
  }
  const told = [rule.query, joins.items].some((query) => isEntry(query) && asksBeyondEvent(query.condition));
  if (told)
    check.report('joins', { code: 'RULE_FIELDS', message: 'only writers may ask about lineage or array elements' });
  const queries = [rule.query, joins.items, joins.writers];
  if (queries.some((query) => isEntry(query) && query.category !== null)) {
    check.report('joins', { code: 'RULE_FIELDS', message: 'queries that are joined ask for no category of their own' });
  }
}

/** Whether values of the event alone cannot tell: what was kept of it is judged again beside the kernel. */
const asksBeyondEvent = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (['lineage', 'nested'].includes(String((value as Entry).kind)) || Object.values(value).some(asksBeyondEvent));

function checkAggregate(check: RuleCheck, rule: Entry): void {
  visitQuery(check, rule.query, 'query');
  for (const [i, key] of check.list(rule, 'by', '').entries()) visitExpr(check, key, `by[${i}]`);
  check.whole(rule, 'windowUs', '', 1);
  check.oneOf(rule, 'window', '', ['sliding', 'tumbling']);
  check.oneOf(rule, 'emit', '', ['perEvent', 'crossing']);
  const conditions = check.list(rule, 'conditions', '');
  for (const [i, condition] of conditions.entries()) checkCondition(check, condition, `conditions[${i}]`);
  if (conditions.length === 0) check.shape('conditions', 'a list that is not empty', conditions);
  const functions = new Set(conditions.map((one) => JSON.stringify(isEntry(one) ? withoutSpans(one.function) : one)));
  if (functions.size <= aggregateFunctionsMax) return;
  const message = `a rule has at most ${aggregateFunctionsMax} different functions; this has ${functions.size}`;
  check.report('conditions', { code: 'RULE_FUNCTIONS', message, remedy: 'Split the rule.' });
}

function checkCondition(check: RuleCheck, value: unknown, path: string): void {
  const condition = check.entry(value, path);
  if (condition === undefined) return;
  check.oneOf(condition, 'op', path, ['==', '!=', '<', '<=', '>', '>=']);
  check.number(condition, 'value', path);
  const at = join(path, 'function');
  const one = check.entry(condition.function, at);
  if (one === undefined) return;
  check.oneOf(one, 'kind', at, ['count', 'distinct', 'sum', 'avg', 'median', 'percentile']);
  if (one.kind === 'percentile') check.number(one, 'percentile', at, 0, 100);
  if (one.kind === 'count') return;
  visitExpr(check, one.field, join(at, 'field'));
  if (!isEntry(one.field) || one.kind === 'distinct') return;
  if (Array.isArray(one.field.fallback) && one.field.fallback.length > 1) {
    const message = 'a field that is computed with has at most one fallback';
    check.report(join(at, 'field.fallback'), { code: 'RULE_FALLBACK', message });
  }
}

function withoutSpans(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (name, inner: unknown) => (name === 'span' ? undefined : inner)) ?? 'null');
}

// --------------------------------------------------------------------------------------------- temporal, behaviour

function checkTemporal(check: RuleCheck, rule: Entry): void {
  const parts = check.list(rule, 'rules', '');
  if (parts.length === 0) check.shape('rules', 'a list that is not empty', parts);
  const keys = parts.map((value, i) => {
    const part = check.entry(value, `rules[${i}]`);
    if (part === undefined) return 0;
    check.text(part, 'id', `rules[${i}]`);
    const by = check.list(part, 'by', `rules[${i}]`);
    for (const [k, key] of by.entries()) visitExpr(check, key, `rules[${i}].by[${k}]`);
    return by.length;
  });
  check.whole(rule, 'windowUs', '', 1);
  if (typeof rule.ordered !== 'boolean') check.shape('ordered', 'true or false', rule.ordered);
  checkKeys(
    check,
    keys.map((count) => ({ keys: count, missing: false, runs: 1 })),
  );
}

function checkBehavior(check: RuleCheck, rule: Entry): void {
  visitExpr(check, rule.scope, 'scope');
  const names = check.list(rule, 'marks', '').map((value, i) => {
    const mark = check.entry(value, `marks[${i}]`);
    if (mark === undefined) return undefined;
    check.text(mark, 'name', `marks[${i}]`);
    visitQuery(check, mark.query, `marks[${i}].query`);
    return mark.name;
  });
  if (!names.includes(rule.root)) check.oneOf(rule, 'root', '', names);
  for (const [i, value] of check.list(rule, 'items', '').entries()) {
    const item = check.entry(value, `items[${i}]`);
    if (item === undefined) continue;
    check.text(item, 'id', `items[${i}]`);
    check.text(item, 'class', `items[${i}]`);
    visitQuery(check, item.query, `items[${i}].query`);
  }
  check.entry(rule.judgement, 'judgement');
}

// --------------------------------------------------------------------------------------------------- the rule set

function checkIds(rules: readonly Rule[]): Diagnostic[] {
  const seen = new Set<string>();
  return rules.flatMap((rule) => {
    if (!seen.has(rule.id)) {
      seen.add(rule.id);
      return [];
    }
    const check = new RuleCheck(rule);
    const message = `another rule has the id ${JSON.stringify(rule.id)}`;
    check.report('id', { code: 'RULE_ID_TAKEN', message, remedy: 'Load one of them, or give it an id of its own.' });
    return check.diagnostics;
  });
}

function checkMarks(rules: readonly Rule[]): Diagnostic[] {
  const marks = rules.flatMap((rule) => (rule.kind === 'behavior' ? rule.marks.map(({ query }) => query) : []));
  const different = new Set(marks.map((query) => JSON.stringify(withoutSpans(query))));
  const last = rules.findLast((rule) => rule.kind === 'behavior');
  if (last === undefined || different.size <= marksMax) return [];
  const check = new RuleCheck(last);
  const message = `the rules have ${different.size} different marks together, more than ${marksMax}`;
  check.report('marks', { code: 'RULE_MARKS', message, remedy: 'Load fewer behaviour rules.' });
  return check.diagnostics;
}
