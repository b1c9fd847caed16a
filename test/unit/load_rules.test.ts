import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runRulesCheck } from '../../src/cli/rules_check.js';
import { loadRules } from '../../src/engine/load_rules.js';
import { parseRules } from '../../src/language/load.js';
import { ruleLine, ruleToml } from '../support/elastic_rules.js';

const eql = 'process where process.name == "a"';

describe('the language of a text', () => {
  it.each([
    ['rules/x.toml', ruleToml(''), 'r1'],
    ['rules/x.ndjson', ruleLine(), 'r1'],
    ['x.json', `[\n  ${ruleLine()}\n]`, 'r1'],
    ['C:\\rules\\lateral.eql', eql, 'lateral'],
    ['free.kql', 'process.name: a', 'free'],
  ])('is told by the file name %s', (file, text, id) => {
    const { rules, problems } = parseRules(text, { file });
    expect(problems).toEqual([]);
    expect(rules.map((rule) => [rule.id, rule.source?.file])).toEqual([[id, file]]);
  });

  it.each([[ruleToml('')], [ruleLine()], [`{"rule": ${ruleLine()}, "metadata": {"maturity": "production"}}`], [eql]])(
    'is told by the text %j',
    (text) => {
      expect(parseRules(text)).toMatchObject({ rules: [{}], problems: [] });
    },
  );

  it('is what the caller says', () => {
    expect(parseRules('a: 1', { language: 'kuery' }).rules[0]).toMatchObject({ kind: 'match', id: 'rule' });
    expect(parseRules('any where true', { language: 'eql' }).rules).toHaveLength(1);
  });

  it('is a problem where nothing tells it', () => {
    expect(parseRules('hello').problems.map((problem) => problem.code)).toEqual(['RULE_LANGUAGE_UNKNOWN']);
  });

  it('takes the endpoint dialect as an option, and a file its own', () => {
    const query = 'process where descendant of [process where true]';
    expect(parseRules(query, { file: 'x.eql' }).rules).toEqual([]);
    expect(parseRules(query, { file: 'x.eql', dialect: 'endpoint' }).rules).toHaveLength(1);
    const line = ruleLine({ type: 'eql', language: 'eql', query });
    expect(parseRules(line, { dialect: 'endpoint' }).rules).toHaveLength(1);
  });
});

describe('loading files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vedette-rules-'));
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep', 'one.eql'), eql);
    writeFileSync(join(folder, 'rule.toml'), ruleToml('interval = "5x"'));
    writeFileSync(
      join(folder, 'export.ndjson'),
      `${ruleLine({ rule_id: 'e1' })}\n${ruleLine({ rule_id: 'e2', type: 'esql' })}\n`,
    );
    writeFileSync(join(folder, 'twice.ndjson'), ruleLine({ rule_id: 'e1', name: 'Again' }));
    writeFileSync(join(folder, 'readme.md'), 'not a rule');
    writeFileSync(join(folder, '.hidden.toml'), 'not a rule');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const check = async (...args: string[]): Promise<{ code: number; text: string }> => {
    let text = '';
    const io = {
      stdout: (part: string) => {
        text += part;
      },
      stderr: () => {},
      isInteractive: false,
      hasColour: false,
    };
    return { code: await runRulesCheck(args, io), text };
  };

  it('reads folders to the bottom, and refuses the second rule of an id', async () => {
    const { rules, problems } = await loadRules(folder);
    expect(rules.map((rule) => rule.id)).toEqual(['one', 'e1']);
    expect(problems.map((problem) => problem.code)).toEqual(['UNSUPPORTED_RULE_TYPE', 'RULE_VALUE', 'RULE_DUPLICATE']);
  });

  it('throws for a path that is not there and a folder without rules', async () => {
    await expect(loadRules([join(folder, 'nowhere')])).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
    const empty = mkdtempSync(join(tmpdir(), 'vedette-rules-'));
    await expect(loadRules([empty])).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
    rmSync(empty, { recursive: true });
  });

  it('checks: prints each problem with its place, and exits 1', async () => {
    const { code, text } = await check(folder);
    expect(code).toBe(1);
    expect(text).toContain('rule.toml:');
    expect(text).toContain('    ^^^^');
    expect(text).toContain('2 of 5 rules compile, 3 refused (1 unsupported)');
  });

  it('checks: prints one line of JSON where asked, and exits 0 when all rules compile', async () => {
    const { code, text } = await check('--json', folder);
    expect(code).toBe(1);
    const last = JSON.parse(text.trim().split('\n').at(-1) as string);
    expect(last).toMatchObject({ total: 5, compiled: 2 });
    expect(last.unsupported).toEqual([
      { file: join(folder, 'export.ndjson'), rule: 'e2', code: 'UNSUPPORTED_RULE_TYPE', reason: expect.any(String) },
    ]);
    expect(last.problems.map((problem: { code: string }) => problem.code)).toEqual(['RULE_VALUE', 'RULE_DUPLICATE']);
    const clean = await check('--json', join(folder, 'deep'));
    expect([clean.code, JSON.parse(clean.text)]).toEqual([
      0,
      { total: 1, compiled: 1, unsupported: [], problems: [], notes: [] },
    ]);
  });

  it('checks: wrong usage is one clear error', async () => {
    await expect(check()).rejects.toThrow('name a rule file or folder');
    await expect(check('--jsn', folder)).rejects.toThrow('--jsn');
    await expect(check('--dialect', 'x', folder)).rejects.toThrow('elasticsearch or endpoint');
    await expect(check(join(folder, 'nowhere'))).rejects.toThrow('no such file or folder');
  });
});
