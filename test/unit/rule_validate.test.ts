import { describe, expect, it } from 'vitest';
import type { AggregateRule, NewTermsRule, Rule, SampleRule, TemporalRule } from '../../src/rule/ir.js';
import { validateRule, validateRules } from '../../src/rule/validate.js';
import { always, equals, field, matchRule, ruleBase, sequenceRule, step } from '../support/rules.js';

const query = { category: null, condition: always };
const terms: NewTermsRule = {
  ...ruleBase('t'),
  kind: 'newTerms',
  query,
  fields: [field('a')],
  windowUs: 1,
  mode: 'eventTime',
};
const aggregate: AggregateRule = {
  ...ruleBase('a'),
  kind: 'aggregate',
  query,
  by: [field('host.id')],
  windowUs: 60_000_000,
  window: 'sliding',
  conditions: [{ function: { kind: 'count' }, op: '>=', value: 3 }],
  emit: 'perEvent',
};
const sample: SampleRule = {
  ...ruleBase('s'),
  kind: 'sample',
  steps: [step(always, ['a']), step(always, ['b'])],
  maxSamplesPerKey: 1,
};
const temporal = (id: string, ...ids: string[]): TemporalRule => ({
  ...ruleBase(id),
  kind: 'temporal',
  rules: ids.map((other) => ({ id: other, by: [field('user.name')] })),
  windowUs: 1,
  ordered: false,
});
const absent = step(always, [], { missing: true });
const pair = [step(always), step(always)];

/** Rules and the code and place they are refused with. */
const refused: readonly (readonly [string, unknown, string])[] = [
  ['no object', 5, 'RULE_SHAPE must be'],
  ['no id', { ...matchRule('', always) }, 'RULE_SHAPE id'],
  ['a kind that is none', { ...matchRule('m', always), kind: 'esql' }, 'RULE_SHAPE kind'],
  ['a severity that is none', { ...matchRule('m', always), severity: 'bad' }, 'RULE_SHAPE severity'],
  ['a risk score above 100', { ...matchRule('m', always), riskScore: 101 }, 'RULE_SHAPE riskScore'],
  ['an expression of no kind', matchRule('m', { kind: 'magic' } as never), 'RULE_SHAPE query.condition.kind'],
  [
    'an operator that is none',
    matchRule('m', { ...equals('a', 1), op: '=' } as never),
    'RULE_SHAPE query.condition.op',
  ],
  [
    'a function that is none',
    matchRule('m', { kind: 'call', name: 'lenght', args: [field('a')], case: 'exact' }),
    'RULE_FUNCTION query.condition.name',
  ],
  ['one step', sequenceRule('q', [step(always)]), 'RULE_STEPS steps'],
  ['nothing but absence', sequenceRule('q', [absent, absent], { maxspanUs: 1 }), 'RULE_STEPS steps'],
  [
    'more steps than there may be',
    sequenceRule('q', [step(always, [], { runs: 256 }), step(always)]),
    'RULE_STEPS steps',
  ],
  ['unlike numbers of keys', sequenceRule('q', [step(always, ['a']), step(always)]), 'RULE_KEYS steps'],
  ['an until with other keys', sequenceRule('q', pair, { until: step(always, ['a']) }), 'RULE_KEYS steps'],
  ['absence without a maxspan', sequenceRule('q', [...pair, absent]), 'RULE_ABSENCE maxspanUs'],
  [
    'absence with runs',
    sequenceRule('q', [...pair, { ...absent, runs: 2 }], { maxspanUs: 1 }),
    'RULE_ABSENCE steps[2]',
  ],
  ['a join with a maxspan', sequenceRule('q', pair, { unordered: true, maxspanUs: 1 }), 'RULE_UNORDERED unordered'],
  ['a sample with runs', { ...sample, steps: [...sample.steps, step(always, ['a'], { runs: 2 })] }, 'RULE_STEPS steps'],
  ['four term fields', { ...terms, fields: ['a', 'b', 'c', 'd'].map((name) => field(name)) }, 'RULE_FIELDS fields'],
  ['a schedule without interval', { ...terms, mode: 'elasticCompat', lookbackUs: 1 }, 'RULE_SHAPE intervalUs'],
  ['a window of no length', { ...aggregate, windowUs: 0 }, 'RULE_SHAPE windowUs'],
  ['no condition', { ...aggregate, conditions: [] }, 'RULE_SHAPE conditions'],
  [
    'a percentile above 100',
    {
      ...aggregate,
      conditions: [{ function: { kind: 'percentile', field: field('a'), percentile: 101 }, op: '>', value: 1 }],
    },
    'RULE_SHAPE conditions[0].function.percentile',
  ],
];

describe('a rule built in code', () => {
  it.each(refused)('is refused for %s', (_, rule, wanted) => {
    const [first] = validateRule(rule);
    expect(`${first?.code} ${first?.message}`).toContain(wanted.slice(0, wanted.indexOf(' ') + 1));
    expect(`${first?.code} ${first?.message}`.startsWith(wanted)).toBe(true);
  });

  it.each<Rule>([
    matchRule('m', equals('a', 1)),
    sequenceRule('q', [absent, ...pair, absent], { maxspanUs: 1, until: step(always) }),
    sequenceRule('q', [step(always, [], { runs: 2 })]),
    sequenceRule('q', pair, { unordered: true }),
    sample,
    terms,
    aggregate,
  ])('is accepted: $kind', (rule) => {
    expect(validateRule(rule)).toEqual([]);
  });

  it('is placed in its text where it has one', () => {
    const condition = { kind: 'call', name: 'nope', args: [], case: 'exact', span: { start: 10, end: 14 } } as const;
    const rule = {
      ...matchRule('m', condition),
      source: { file: 'a.eql', language: 'eql', text: 'any where\nnope()' },
    };
    expect(validateRule(rule)).toMatchObject([{ file: 'a.eql', line: 2, column: 1, excerpt: 'nope()\n^^^^' }]);
  });

  it('is refused beyond the depth of expressions, not with an exception', () => {
    let condition = always;
    for (let i = 0; i < 2000; i++) condition = { kind: 'not', operand: condition, missing: 'null' };
    expect(validateRule(matchRule('m', condition))).toMatchObject([{ code: 'RULE_DEPTH' }]);
  });
});

describe('a rule set', () => {
  const codes = (...rules: readonly Rule[]): string[] => validateRules(rules).map(({ code }) => code);

  it('has each id once', () => {
    expect(codes(matchRule('m', always), matchRule('m', always))).toEqual(['RULE_ID_TAKEN']);
  });

  it('has what its temporal rules refer to', () => {
    expect(codes(matchRule('m', always), temporal('x', 'm', 'n'))).toEqual(['RULE_REFERENCE']);
    expect(codes(matchRule('m', always), temporal('x', 'm'))).toEqual([]);
  });

  it('has no circle of temporal rules', () => {
    expect(codes(temporal('x', 'y'), temporal('y', 'x'))).toEqual(['RULE_CYCLE', 'RULE_CYCLE']);
    expect(codes(temporal('x', 'x'))).toEqual(['RULE_CYCLE']);
  });

  it('has no temporal rule over alerts that come without an event', () => {
    const ending = sequenceRule('q', [...pair, absent], { maxspanUs: 1 });
    expect(codes(ending, temporal('x', 'q'))).toEqual(['RULE_REFERENCE']);
    expect(codes(sample, temporal('x', 's'))).toEqual(['RULE_REFERENCE']);
  });
});
