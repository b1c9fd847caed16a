/** Behaviour rules as text: what an author may write, and what they are told. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { conditionNames } from '../../src/language/behavior/conditions.js';
import { isBehaviorText, parseBehaviorRule, unknownConfigKeys } from '../../src/language/behavior/parse.js';
import { ruleKeys } from '../../src/language/behavior/rule.js';
import { contentFolder, contentRule, parseContent } from '../support/content.js';

const small = `type: behavior
id: SMALL
name: small
platform: linux
scope: 'host.os.type : "linux"'
settings: { window: 5m, ports: [80, 443] }
lists:
  places: [/tmp/*, ~/x]
marks:
  tool: 'any where process.name : "tool"'
root: tool
items:
  - { id: write, class: FILE, when: 'file where event.type : "creation"', path: { in: places } }
  - { id: connect, class: NET, when: 'network where destination.port in ($ports)' }
classes:
  FILE: { role: core, paths: true, instance: [[file.path]] }
  NET: { role: core }
interpreter: { images: { names: [tool] } }
ladder:
  - { severity: high, when: { classes: { all: [FILE, NET] } } }
  - { severity: low, when: { classes: { any: [FILE, NET] } } }
`;

const codesOf = (text: string, config = {}): string[] =>
  parseBehaviorRule(text, { config }).problems.map((one) => `${one.code} ${one.line}:${one.column}`);

describe('a small rule', () => {
  test('loads without a word', () => {
    const { rule, problems } = parseBehaviorRule(small);
    expect(problems).toEqual([]);
    expect(rule?.judgement.windowUs).toBe(300_000_000);
    expect(rule?.items.map((item) => item.id)).toEqual(['write', 'connect']);
  });

  test('opens lists and settings inside EQL', () => {
    const { rule } = parseBehaviorRule(small);
    expect(JSON.stringify(rule?.items[1]?.query)).toContain('443');
    expect(JSON.stringify(rule?.items[0]?.query)).toContain('/home/*/x');
  });

  test('is known by its type', () => {
    expect(isBehaviorText(small)).toBe(true);
    expect(isBehaviorText('title: a sigma rule')).toBe(false);
  });
});

describe('mistakes', () => {
  test.each([
    ['a misspelt key', small.replace('ladder:', 'lader:'), ['BEHAVIOR_KEY 19:1']],
    [
      'a misspelt key inside',
      small.replace('role: core, paths', 'rol: core, paths'),
      ['BEHAVIOR_KEY 16:11', 'BEHAVIOR_MISSING 16:9'],
    ],
    ['an unknown class', small.replace('class: NET', 'class: NETT'), ['BEHAVIOR_NAME 13:3']],
    ['an unknown list', small.replace('in: places', 'in: place'), ['BEHAVIOR_NAME 13:87', 'BEHAVIOR_UNUSED 8:3']],
    [
      'an unknown setting in EQL',
      small.replace('$ports', '$port'),
      ['BEHAVIOR_NAME 14:38', 'EQL_SYNTAX 14:79', 'BEHAVIOR_UNUSED 6:25'],
    ],
    ['a mistake in EQL', small.replace('file where event', 'file when event'), ['EQL_SYNTAX 13:43']],
    [
      'a mistake in a line of a block of EQL',
      small.replace('\'any where process.name : "tool"\'', '|\n    any where\n      process.name : or true'),
      ['EQL_SYNTAX 12:22'],
    ],
    [
      'a mistake in folded EQL, at its start',
      small.replace('\'any where process.name : "tool"\'', '>-\n    any where\n      process.name : or true'),
      ['EQL_SYNTAX 10:9'],
    ],
    ['two documents in a file', `${small}---\nid: other\n`, ['BEHAVIOR_YAML 23:1']],
    ['an alias', small.replace('/tmp/*, ~/x', '&one /tmp/*, *one'), ['BEHAVIOR_ALIAS 8:25']],
    [
      'a sequence where an event is due',
      small.replace('\'file where event.type : "creation"\'', "'sequence [file where true] [file where true]'"),
      ['BEHAVIOR_EQL 13:37'],
    ],
    ['an unknown severity', small.replace('severity: high', 'severity: severe'), ['BEHAVIOR_VALUE 20:17']],
    ['a bad duration', small.replace('window: 5m', 'window: 5 minutes'), ['BEHAVIOR_DURATION 6:21']],
    ['a repeated list entry', small.replace('[/tmp/*, ~/x]', '[/tmp/*, /tmp/*]'), ['BEHAVIOR_DUPLICATE 8:20']],
    ['an item id used twice', small.replace('id: connect', 'id: write'), ['BEHAVIOR_DUPLICATE 13:3']],
    ['an unknown root mark', small.replace('root: tool', 'root: tol'), ['BEHAVIOR_NAME 11:7']],
    ['YAML that is none', 'type: behavior\n  id: [', ['BEHAVIOR_YAML 1:7', 'BEHAVIOR_YAML 1:7', 'BEHAVIOR_YAML 2:8']],
    ['an empty file', '', ['BEHAVIOR_YAML 1:1']],
  ])('%s is told with its place', (_, text, expected) => {
    expect(codesOf(text).sort()).toEqual([...expected].sort());
  });

  test('a list that nothing uses is a warning and does not refuse the rule', () => {
    const { rule, problems } = parseBehaviorRule(small.replace('lists:', 'lists:\n  more: [a]'));
    expect(problems.map((one) => [one.code, one.severity])).toEqual([['BEHAVIOR_UNUSED', 'warning']]);
    expect(rule).toBeDefined();
  });

  test('whatever the text, parsing never throws', () => {
    for (let cut = 0; cut < small.length; cut += 7) {
      expect(() => parseBehaviorRule(small.slice(0, cut))).not.toThrow();
      expect(() => parseBehaviorRule(small.slice(0, cut) + small.slice(cut + 5))).not.toThrow();
    }
  });
});

describe('configuration', () => {
  test('replaces settings and lists by name', () => {
    const { rule, problems } = parseBehaviorRule(small, {
      config: { 'correlation.window': '2m', 'small.places': ['/opt/*'], 'small.ports': [22] },
    });
    expect(problems).toEqual([]);
    expect(rule?.judgement.windowUs).toBe(120_000_000);
    expect(rule?.judgement.items[0]?.path?.in.patterns).toEqual(['/opt/*']);
    expect(JSON.stringify(rule?.items[1]?.query)).toContain('22');
  });

  test('a misspelt key is refused with the nearest one', () => {
    const { rule, problems } = parseBehaviorRule(small, { config: { 'small.plases': [] } });
    expect(rule).toBeUndefined();
    expect(problems[0]?.remedy).toContain('places');
  });

  test.each([
    ['AN0172', ['anomalous_parents', 'suspicious_dirs', 'business_hours', 'user_context', 'chain_children', 'chains']],
    [
      'AN0173',
      ['suspicious_dirs', 'business_hours', 'user_context', 'chain_children', 'chains', 'script_name_entropy'],
    ],
    [
      'AN0174',
      [
        'suspicious_dirs',
        'business_hours',
        'user_context',
        'chain_children',
        'chains',
        'approved_scheduled',
        'package_update_destinations',
      ],
    ],
    ['AN0175', ['suspicious_dirs', 'business_hours', 'user_context', 'execution_sources']],
  ])('%s has a key for each of its tunables, and takes none that is misspelt', (id, keys) => {
    const text = readFileSync(join(contentFolder, 'rules', `${id}.yml`), 'utf8');
    for (const key of keys) {
      expect(text).toMatch(new RegExp(`^  ${key}: `, 'm'));
      const { problems } = parseContent(id, { [`${id.toLowerCase()}.${key}x`]: null });
      expect(problems.find(({ code }) => code === 'BEHAVIOR_CONFIG')?.remedy).toBe(`did you mean "${key}"?`);
    }
    expect(parseContent(id, { 'correlation.window': '5m' }).rule?.judgement.windowUs).toBe(300_000_000);
  });

  test('a key of no rule is told', () => {
    expect(unknownConfigKeys({ 'smal.window': '1m', 'correlation.window': '1m' }, ['SMALL'])).toMatchObject([
      { code: 'BEHAVIOR_CONFIG', remedy: 'did you mean "small.window"?' },
    ]);
  });
});

describe('the shipped content', () => {
  const ids = readdirSync(join(contentFolder, 'rules'))
    .filter((file) => file.endsWith('.yml'))
    .map((file) => file.replace('.yml', ''));

  test.each(ids)('%s loads without a word', (id) => {
    expect(parseContent(id).problems).toEqual([]);
  });

  test.each(ids)('%s survives JSON', (id) => {
    const rule = contentRule(id);
    expect(JSON.parse(JSON.stringify(rule))).toEqual(rule);
  });

  test('every list file is used by a rule', () => {
    const rules = ids.map((id) => readFileSync(join(contentFolder, 'rules', `${id}.yml`), 'utf8')).join('\n');
    const lists = readdirSync(join(contentFolder, 'lists'), { recursive: true, encoding: 'utf8' });
    const unused = lists.filter((file) => file.endsWith('.yml') && !rules.includes(`lists/${file}`));
    expect(unused).toEqual([]);
  });
});

describe('the JSON schema', () => {
  const schema = JSON.parse(readFileSync(new URL('../../schemas/behavior_rule.schema.json', import.meta.url), 'utf8'));

  test('names the keys of a rule and of a condition that the parser knows', () => {
    expect(Object.keys(schema.properties).sort()).toEqual([...ruleKeys].sort());
    expect(Object.keys(schema.$defs.condition.properties).sort()).toEqual([...conditionNames].sort());
  });
});

describe('profiles that anyone could imitate', () => {
  const removal = (when: string): string =>
    small.replace(
      'interpreter:',
      `facts: { lines: { chain: { at: root, process: { command_lines: ['*ansible*'] } } } }\nremovals:\n  - { id: p, reason: profile, class: NET, when: ${when} }\ninterpreter:`,
    );
  const guarded = (when: string): boolean => !codesOf(removal(when)).some((code) => code.startsWith('BEHAVIOR_GUARD'));

  test.each([
    ["{ chain: { at: root, process: { command_lines: ['*ansible*'] } } }"],
    ['{ chain: { at: ancestor, process: { names: [jamf] } } }'],
    ['{ modules: [pip] }'],
    ['{ script_names: [AnsiballZ_*] }'],
    ['{ fact: lines }'],
    ['{ any: [{ modules: [pip] }, { path: { of: [script], in: places } }] }'],
  ])('are refused: %s', (when) => {
    expect(guarded(when)).toBe(false);
  });

  test.each([
    ['{ chain: { at: ancestor, process: { paths: [/opt/agent/*] } } }'],
    ['{ modules: [pip], path: { of: [interpreter], in: places } }'],
    ['{ users: [ansible], fact: lines }'],
    ["{ launch: { field: process.code_signature.subject_name, values: ['Vendor'] } }"],
    ['{ any: [{ path: { of: [script], in: places } }, { all: [{ fact: lines }, { users: [ansible] }] }] }'],
  ])('are not those with a guard: %s', (when) => {
    expect(codesOf(removal(when))).toEqual([]);
  });
});
