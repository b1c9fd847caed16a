import { describe, expect, it } from 'vitest';
import { parseElasticJson, parseElasticToml } from '../../src/language/elastic/rule_file.js';
import type { Expr, Rule } from '../../src/rule/ir.js';
import { holds } from '../support/conditions.js';
import { ruleLine, ruleToml } from '../support/elastic_rules.js';

const minuteUs = 60_000_000;
const dayUs = 1440 * minuteUs;

function ruleOf(changes: Record<string, unknown>): Rule {
  const { rules, problems } = parseElasticJson(ruleLine(changes));
  expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
  return rules[0] as Rule;
}

function tomlRule(rule: string, extensions?: string): Rule {
  const { rules, problems } = parseElasticToml(ruleToml(rule, extensions));
  expect(problems.filter((problem) => problem.severity === 'error')).toEqual([]);
  return rules[0] as Rule;
}

const conditionOf = (rule: Rule): Expr => (rule as Rule & { kind: 'match' }).query.condition;

describe('Elastic rule types', () => {
  it('makes a query rule a match on single events', () => {
    expect(ruleOf({})).toMatchObject({ kind: 'match', id: 'r1', severity: 'low', riskScore: 21 });
  });

  it('makes an eql rule whatever its query is', () => {
    const query = 'sequence by host.id with maxspan=1m [process where true] [network where true]';
    expect(ruleOf({ type: 'eql', language: 'eql', query })).toMatchObject({ kind: 'sequence', maxspanUs: minuteUs });
    expect(ruleOf({ type: 'eql', language: 'eql', query: 'process where a == 1' })).toMatchObject({ kind: 'match' });
  });

  it('reads new_terms in both spellings, by event time', () => {
    const expected = {
      kind: 'newTerms',
      windowUs: 7 * dayUs,
      mode: 'eventTime',
      fields: [{ name: 'x' }, { name: 'y' }],
    };
    const flat = { new_terms_fields: ['x', 'y'], history_window_start: 'now-7d' };
    expect(ruleOf({ type: 'new_terms', ...flat })).toMatchObject(expected);
    const table = { field: 'new_terms_fields', value: ['x', 'y'] };
    const history_window_start = [{ field: 'history_window_start', value: 'now-7d' }];
    expect(ruleOf({ type: 'new_terms', new_terms: { ...table, history_window_start } })).toMatchObject(expected);
  });

  it('reads threshold with its window, the look-back of the rule', () => {
    const threshold = { field: ['host.id'], value: 3, cardinality: [{ field: 'user.name', value: 2 }] };
    expect(ruleOf({ type: 'threshold', from: 'now-9m', threshold })).toMatchObject({
      kind: 'aggregate',
      windowUs: 9 * minuteUs,
      window: 'sliding',
      emit: 'crossing',
      by: [{ name: 'host.id' }],
      conditions: [
        { function: { kind: 'count' }, op: '>=', value: 3 },
        { function: { kind: 'distinct', field: { name: 'user.name' } }, op: '>=', value: 2 },
      ],
    });
    const lone = { field: 'a', value: 1 };
    expect(ruleOf({ type: 'threshold', threshold: lone })).toMatchObject({
      windowUs: 6 * minuteUs,
      by: [{ name: 'a' }],
    });
    expect(ruleOf({ type: 'threshold', threshold: { field: [], value: 5 } })).toMatchObject({ by: [] });
  });

  it('remarks that timestamp_override has no effect on event time', () => {
    const { rules, problems } = parseElasticJson(
      ruleLine({ type: 'threshold', threshold: { field: 'a', value: 2 }, timestamp_override: 'event.ingested' }),
    );
    expect(rules).toHaveLength(1);
    expect(problems.map((problem) => [problem.code, problem.severity])).toEqual([['TIMESTAMP_OVERRIDE', 'info']]);
  });

  it.each([
    [{ type: 'esql', language: 'esql', query: 'FROM x' }, 'UNSUPPORTED_RULE_TYPE'],
    [{ type: 'machine_learning', anomaly_threshold: 50, query: undefined }, 'UNSUPPORTED_RULE_TYPE'],
    [{ type: 'threat_match', threat_index: ['x'] }, 'UNSUPPORTED_RULE_TYPE'],
    [{ type: 'saved_query', saved_id: 'x' }, 'UNSUPPORTED_RULE_TYPE'],
    [{ language: 'lucene' }, 'UNSUPPORTED_LANGUAGE'],
  ])('reports %j as %s, once, by rule', (changes, code) => {
    const { rules, problems } = parseElasticJson(ruleLine(changes));
    expect(rules).toEqual([]);
    expect(problems.map((problem) => [problem.code, problem.severity, problem.ruleId])).toEqual([
      [code, 'error', 'r1'],
    ]);
  });
});

describe('what an Elastic rule carries into its alerts', () => {
  it('keeps threats with their subtechniques, overrides, suppression and caps', () => {
    const rule = ruleOf({
      threat: [
        {
          framework: 'MITRE ATT&CK',
          tactic: { id: 'TA0001', name: 'Initial Access', reference: 'x' },
          technique: [{ id: 'T1', name: 'One', subtechnique: [{ id: 'T1.1', name: 'Sub' }] }],
        },
      ],
      severity_mapping: [{ field: 'event.severity', operator: 'equals', value: '9', severity: 'high' }],
      risk_score_mapping: [{ field: 'event.risk', operator: 'equals', value: '' }],
      rule_name_override: 'event.reason',
      alert_suppression: { group_by: ['host.id'], duration: { value: 2, unit: 'h' } },
      max_signals: 33,
      building_block_type: 'default',
      event_category_override: 'kind',
      timestamp_field: 'when',
      tiebreaker_field: 'seq',
    });
    expect(rule).toMatchObject({
      threat: [{ tactic: { id: 'TA0001', name: 'Initial Access' }, techniques: [{ id: 'T1' }, { id: 'T1.1' }] }],
      overrides: [
        { target: 'severity', field: 'event.severity', equals: '9', severity: 'high' },
        { target: 'riskScore', field: 'event.risk' },
        { target: 'name', field: 'event.reason' },
      ],
      suppression: { by: ['host.id'], windowUs: 120 * minuteUs, missingFields: 'suppress' },
      maxSignals: 33,
      buildingBlock: true,
      eventCategoryField: 'kind',
      timestampField: 'when',
      tiebreakerField: 'seq',
    });
  });

  it('suppresses over the interval where no duration is given', () => {
    const rule = ruleOf({
      interval: '1h',
      alert_suppression: { group_by: ['a'], missing_fields_strategy: 'doNotSuppress' },
    });
    expect(rule.suppression).toEqual({ by: ['a'], windowUs: 60 * minuteUs, missingFields: 'doNotSuppress' });
  });
});

describe('[metadata.vedette]', () => {
  it('folds case, falls back to other fields and types fields only where asked', () => {
    const query = 'query = "file.path: /A* and addr: 10.0.0.0/8"';
    const extensions =
      'case_insensitive = true\nfallback = { "file.path" = ["Persistence.path"] }\nfield_types = { addr = "ip" }';
    const document = { Persistence: { path: '/abc' }, addr: '10.1.1.1' };
    expect(holds(conditionOf(tomlRule(query, extensions)), document)).toBe(true);
    expect(holds(conditionOf(tomlRule(query)), document)).toBe(false);
  });

  it('keeps time as Kibana does where asked', () => {
    const terms = 'type = "new_terms"\nnew_terms_fields = ["a"]\nhistory_window_start = "now-7d"\nfrom = "now-9m"';
    expect(tomlRule(`${terms}\ntimestamp_override = "event.ingested"`, 'mode = "elastic_compat"')).toMatchObject({
      mode: 'elasticCompat',
      intervalUs: 5 * minuteUs,
      lookbackUs: 9 * minuteUs,
      timestampField: 'event.ingested',
    });
  });

  it('opens the endpoint dialect', () => {
    const query = 'type = "eql"\nlanguage = "eql"\nquery = "process where descendant of [process where a == 1]"';
    expect(tomlRule(query, 'dialect = "endpoint"').kind).toBe('match');
    expect(parseElasticToml(ruleToml(query)).rules).toEqual([]);
  });

  it.each([
    ['dialect = "endpont"', 'RULE_VALUE'],
    ['case_insensitiv = true', 'RULE_KEY_UNKNOWN'],
    ['fallback = 3', 'RULE_TYPE'],
    ['field_types = { a = "ipp" }', 'RULE_VALUE'],
    ['window = "5 minutes"', 'RULE_VALUE'],
  ])('refuses %s', (extensions, code) => {
    const { rules, problems } = parseElasticToml(ruleToml('', extensions));
    expect(rules).toEqual([]);
    expect(problems.map((problem) => [problem.code, problem.line])).toEqual([[code, 5]]);
  });
});

describe('index patterns', () => {
  it('restrict a rule only on request', () => {
    const line = ruleLine({ index: ['logs-*', '-logs-x*'] });
    const judge = (indexPatterns: boolean, index: string): boolean => {
      const { rules } = parseElasticJson(line, { indexPatterns });
      return holds(conditionOf(rules[0] as Rule), { a: 1, _index: index });
    };
    expect([judge(false, 'other'), judge(true, 'other'), judge(true, 'logs-a'), judge(true, 'logs-xy')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe('mistakes in a rule file', () => {
  it('are told several at once, each at its line with the nearest name', () => {
    const text = ruleToml(
      'severty = "low"\nrisk_score = "high"\nmax_signal = 3\nquery = """\na: 1 and\n  b: (2 or )\n"""',
    );
    const { rules, problems } = parseElasticToml(text, { file: 'rules/x.toml' });
    const lines = text.split('\n');
    const lineOf = (start: string): number => lines.findIndex((line) => line.trim().startsWith(start)) + 1;
    expect(rules).toEqual([]);
    expect(problems.map(({ code, line, remedy }) => [code, line, remedy]).sort()).toEqual(
      [
        ['KQL_SYNTAX', lineOf('b: (2'), problems.find((problem) => problem.code === 'KQL_SYNTAX')?.remedy],
        ['RULE_KEY_UNKNOWN', lineOf('max_signal'), 'Did you mean "max_signals"?'],
        ['RULE_KEY_UNKNOWN', lineOf('severty'), 'Did you mean "severity"?'],
        ['RULE_TYPE', lineOf('risk_score'), 'Write a number.'],
      ].sort(),
    );
    expect(problems.every((problem) => problem.file === 'rules/x.toml')).toBe(true);
    const syntax = problems.find((problem) => problem.code === 'KQL_SYNTAX');
    expect(syntax?.column).toBe('  b: (2 or )'.indexOf(')') + 1);
  });

  it('are placed inside an escaped JSON string', () => {
    const { problems } = parseElasticJson(ruleLine({ query: 'a: "x" and\n\tb: )' }));
    const column = ruleLine({ query: 'a: "x" and\n\tb: )' }).indexOf('b: )') + 4;
    expect(problems.map((problem) => [problem.code, problem.line, problem.column])).toEqual([
      ['KQL_SYNTAX', 1, column],
    ]);
  });

  it('cost a bad line of an export that line only', () => {
    const { rules, problems } = parseElasticJson(
      `${ruleLine({ rule_id: 'a' })}\n{"rule_id": \n${ruleLine({ rule_id: 'b' })}\n`,
    );
    expect(rules.map((rule) => rule.id)).toEqual(['a', 'b']);
    expect(problems.map((problem) => [problem.code, problem.line])).toEqual([['JSON_SYNTAX', 2]]);
  });

  it('in TOML itself have a place', () => {
    const { problems } = parseElasticToml('[rule]\nname = "x\n');
    expect(problems.map((problem) => [problem.code, problem.line])).toEqual([['TOML_SYNTAX', 2]]);
  });

  it('are told at any depth of tables', () => {
    const deep = Array.from({ length: 20_000 }, () => 'bool.must').join('.');
    const codesOf = (rule: string) => parseElasticToml(ruleToml(rule)).problems.map((problem) => problem.code);
    expect(codesOf(`filters = [{ query.${deep}.match_all = {} }]`)).toEqual(['RULE_TOO_DEEP']);
    expect(codesOf(`tags.${deep} = 1`)).toContain('RULE_TYPE');
  });

  it('include required keys that are missing', () => {
    const { problems } = parseElasticJson('{"rule_id":"x","type":"query"}');
    expect(problems.map((problem) => problem.message)).toEqual([
      'the rule has no "name"',
      'the rule has no "severity"',
      'the rule has no "risk_score"',
      'the rule has no "query"',
    ]);
  });
});
