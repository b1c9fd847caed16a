import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { withoutFieldPatterns } from '../../src/compiler/field_patterns.js';
import { parseRules } from '../../src/language/load.js';
import type { Rule } from '../../src/rule/ir.js';
import { holds } from '../support/conditions.js';

const ruleOf = (query: string): Rule => parseRules(query, { file: `${query.length}.kql` }).rules[0] as Rule;

function judge(query: string, document: Record<string, unknown>, ...others: Rule[]): boolean {
  const [rule] = withoutFieldPatterns([ruleOf(query), ...others]);
  return holds((rule as Rule & { kind: 'match' }).query.condition, document);
}

describe('free text in a compiled rule', () => {
  it.each([
    ['evil.exe', { process: { name: 'evil.exe' } }, true],
    ['evil.exe', { process: { name: 'other' } }, false],
    ['refused', { message: 'Connection refused' }, true],
    ['not evil.exe', {}, true],
    ['not evil.exe', { process: { args: ['x', 'evil.exe'] } }, false],
    ['process.*: evil', { process: { parent: { name: 'evil' } } }, true],
    ['process.*: evil', { file: { name: 'evil' } }, false],
    ['process.parent.*: *', { process: { parent: { pid: 1 } } }, true],
    ['not process.parent.*: *', { process: { pid: 1 } }, true],
  ])('%s on %j is %s', (query, document, expected) => {
    expect(judge(query, document)).toBe(expected);
  });

  it('is searched in the fields that other rules name', () => {
    expect(judge('evil', { own: { field: 'evil' } })).toBe(false);
    expect(judge('evil', { own: { field: 'evil' } }, ruleOf('own.field: x'))).toBe(true);
  });

  it('compiles, and leaves other rules as they are', () => {
    const plain = ruleOf('process.name: a');
    expect(withoutFieldPatterns([plain, ruleOf('evil*')])[0]).toBe(plain);
    const { rules, diagnostics } = compile([plain, ruleOf('evil*')]);
    expect([rules.length, diagnostics]).toEqual([2, []]);
  });

  it('below a path that no field is known of is refused by name', () => {
    expect(compile([ruleOf('nowhere.*: x')]).diagnostics.map((problem) => problem.code)).toEqual([
      'COMPILE_FIELD_PATTERN',
    ]);
  });
});
