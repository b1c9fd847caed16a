import { describe, expect, it } from 'vitest';
import { ruleFingerprint, ruleSetFingerprint } from '../../src/rule/fingerprint.js';
import type { AggregateRule, Expr, NewTermsRule, Rule, TemporalRule } from '../../src/rule/ir.js';
import { printRule } from '../../src/rule/print.js';
import { scopesOf } from '../../src/rule/scope.js';
import { always, equals, field, matchRule, ruleBase, sequenceRule, step } from '../support/rules.js';

const sequenceBy = (first: readonly Expr[], second = first): Rule =>
  sequenceRule('q', [
    { ...step(always), by: first },
    { ...step(always), by: second },
  ]);
const scopeOf = (rule: Rule): string | undefined => scopesOf([rule]).get(rule.id);

const terms = (...names: string[]): NewTermsRule => ({
  ...ruleBase('t'),
  kind: 'newTerms',
  query: { category: null, condition: always },
  fields: names.map((name) => field(name)),
  windowUs: 1,
  mode: 'eventTime',
});
const countBy = (id: string, name: string): AggregateRule => ({
  ...ruleBase(id),
  kind: 'aggregate',
  query: { category: null, condition: always },
  by: [field(name)],
  windowUs: 1,
  window: 'sliding',
  conditions: [{ function: { kind: 'count' }, op: '>', value: 1 }],
  emit: 'perEvent',
});
const temporal = (ids: readonly string[], name: string): TemporalRule => ({
  ...ruleBase('x'),
  kind: 'temporal',
  rules: ids.map((id) => ({ id, by: [field(name)] })),
  windowUs: 1,
  ordered: false,
});

describe('the scope of a rule', () => {
  it.each<readonly [string, Rule, 'host' | 'global']>([
    ['by host.id', sequenceBy([field('user.name'), field('host.id')]), 'host'],
    ['by process identities', sequenceBy([field('process.entity_id')], [field('process.parent.entity_id')]), 'host'],
    ['by identities of two kinds', sequenceBy([field('process.entity_id')], [field('host.id')]), 'global'],
    ['by an optional host.id', sequenceBy([field('host.id', { optional: true })]), 'global'],
    ['by a host.id with a fallback', sequenceBy([field('host.id', { fallback: ['host.name'] })]), 'global'],
    ['by user', sequenceBy([field('user.name')]), 'global'],
    ['without a key', sequenceBy([]), 'global'],
    ['of single events', matchRule('m', always), 'host'],
    ['on terms of a host', terms('host.id', 'file.path'), 'host'],
    ['on terms of all hosts', terms('user.name'), 'global'],
  ])('%s is decided by its key', (_, rule, wanted) => {
    expect(scopeOf(rule)).toBe(wanted);
  });

  it('names the host by the field that the options name', () => {
    const rule = sequenceBy([field('agent_id')]);
    expect(scopesOf([rule], 'agent_id').get('q')).toBe('host');
  });

  it('is shared by rules that hear of each other', () => {
    const counting = countBy('c', 'host.id');
    const across = scopesOf([counting, temporal(['c'], 'user.name')]);
    expect([...across.values()]).toEqual(['global', 'global']);
    const within = scopesOf([counting, temporal(['c'], 'host.id')]);
    expect([...within.values()]).toEqual(['host', 'host']);
    const single = scopesOf([matchRule('m', always), temporal(['m'], 'user.name')]);
    expect([...single.values()]).toEqual(['host', 'global']);
  });
});

describe('the text of a rule', () => {
  const rule = sequenceRule('q', [step(equals('a', 'x'), ['k']), step(equals('b', 2), ['k'])], { maxspanUs: 5 });

  it('gives the rule back', () => {
    expect(JSON.parse(printRule(rule))).toEqual(rule);
  });

  it('does not depend on the order of members, spans or the source', () => {
    const { steps, ...rest } = rule;
    const shuffled = { steps, ...rest, source: { language: 'eql', text: '…' } };
    expect(printRule(shuffled)).toBe(printRule(rule));
  });
});

describe('the fingerprint of a rule', () => {
  const rule = sequenceRule('q', [step(equals('a', 'x')), step(equals('b', 2))]);

  it('does not depend on names, severities and texts', () => {
    const renamed = { ...rule, name: 'other', severity: 'high', riskScore: 99, tags: ['x'] } as const;
    expect(ruleFingerprint(renamed)).toBe(ruleFingerprint(rule));
  });

  it('changes with what the rule keeps', () => {
    const others: Rule[] = [
      { ...rule, id: 'r' },
      { ...rule, maxspanUs: 1 },
      { ...rule, steps: [...rule.steps].reverse() },
      { ...rule, timestampField: 'event.ingested' },
    ];
    expect(new Set([rule, ...others].map(ruleFingerprint)).size).toBe(5);
  });

  it('of a rule set does not depend on its order', () => {
    const other = matchRule('m', always);
    expect(ruleSetFingerprint([rule, other])).toBe(ruleSetFingerprint([other, rule]));
    expect(ruleSetFingerprint([rule])).not.toBe(ruleSetFingerprint([rule, other]));
  });
});
