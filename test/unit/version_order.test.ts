import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { createCorrelator } from '../../src/index.js';
import { parseRules, parseRuleTexts } from '../../src/language/load.js';
import { versionPattern, versionsBeyond } from '../../src/language/version_order.js';
import { createWorkspace, runCli } from '../support/cli.js';

/** Order of Semantic Versioning, by its text: §11. */
function order(a: string, b: string): number {
  const parts = (text: string): { numbers: string[]; pre: string[] } => {
    const [version = ''] = text.split('+');
    const at = version.indexOf('-');
    const main = at < 0 ? version : version.slice(0, at);
    return { numbers: main.split('.'), pre: at < 0 ? [] : version.slice(at + 1).split('.') };
  };
  const [left, right] = [parts(a), parts(b)];
  const main = listOrder(left.numbers, right.numbers);
  if (main !== 0) return main;
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  return listOrder(left.pre, right.pre);
}

function listOrder(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const one = itemOrder(a[i] as string, b[i] as string);
    if (one !== 0) return one;
  }
  return a.length - b.length;
}

function itemOrder(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

const number = fc.oneof(fc.nat(12), fc.nat(120), fc.nat(2_000)).map(String);
const name = fc.stringMatching(/^[0-9]{0,2}[A-Za-z-][0-9A-Za-z-]{0,2}$/);
const version = fc
  .tuple(
    fc.array(number, { minLength: 1, maxLength: 4 }),
    fc.array(fc.oneof(number, name, fc.constantFrom('alpha', 'beta', 'rc', '-', 'A', 'a')), { maxLength: 3 }),
    fc.option(fc.constantFrom('build', '001.a')),
  )
  .map(([numbers, pre, build]) => {
    return `${numbers.join('.')}${pre.length === 0 ? '' : `-${pre.join('.')}`}${build === null ? '' : `+${build}`}`;
  });

const isMatch = (pattern: string | undefined, text: string): boolean => new RegExp(`^(?:${pattern})$`).test(text);

describe('the pattern of the versions beyond one', () => {
  it('holds exactly those that Semantic Versioning puts there', () => {
    fc.assert(
      fc.property(version, version, (value, bound) => {
        const by = order(value, bound);
        expect(isMatch(versionPattern, value)).toBe(true);
        expect(isMatch(versionsBeyond('<', bound), value)).toBe(by < 0);
        expect(isMatch(versionsBeyond('<=', bound), value)).toBe(by <= 0);
        expect(isMatch(versionsBeyond('>', bound), value)).toBe(by > 0);
        expect(isMatch(versionsBeyond('>=', bound), value)).toBe(by >= 0);
      }),
      { numRuns: 400 },
    );
  });

  it('follows the example of the specification', () => {
    const ordered = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11'];
    ordered.push('1.0.0-rc.1', '1.0.0');
    for (const bound of ordered) {
      const lower = ordered.filter((value) => isMatch(versionsBeyond('<', bound), value));
      expect(lower).toEqual(ordered.slice(0, ordered.indexOf(bound)));
    }
  });

  it.each(['', 'bad', '1.', '01.2', '1.2-', '1.2.3-a..b', 'v1.2'])(
    'does not exist for %j, which is no version',
    (text) => {
      expect(versionsBeyond('<', text)).toBeUndefined();
    },
  );
});

const values = ['1.2.4', '1.11.3', '1.5.0', '1.5.0-SNAPSHOT', 'bad', 'worse', ['1.0.0', '9.0.0']];

/** Indexes of the values that the query finds. */
async function found(query: string, language: 'eql' | 'kuery'): Promise<number[]> {
  const { rules, problems } = parseRules(query, { language, fieldTypes: { version: 'semver' } });
  expect(problems).toEqual([]);
  const correlator = await createCorrelator({ rules });
  const events = values.map((value, index) => ({ '@timestamp': 1_700_000_000 + index, version: value }));
  const alerts = [...correlator.push([...events, { '@timestamp': 1_700_000_100 }]), ...correlator.flush()];
  correlator.close();
  return alerts.flatMap(({ evidence }) => evidence.map((item) => ('ordinal' in item ? item.ordinal : -1)));
}

describe('a field of type semver', () => {
  it.each([
    ['any where version < "1.5.0"', [0, 3, 6]],
    ['any where version <= "1.5.0"', [0, 2, 3, 6]],
    ['any where version > "1.5.0"', [1, 4, 5, 6]],
    ['any where version >= "1.5.0"', [1, 2, 4, 5, 6]],
    ['any where "1.5.0" > version', [0, 3, 6]],
    ['any where version == "1.2.4"', [0]],
    ['any where version : "1.1*"', [1]],
    ['any where version > "bad"', [5]],
    ['any where version <= "bad"', [0, 1, 2, 3, 4, 6]],
  ])('in EQL: %s', async (query, expected) => {
    expect(await found(query, 'eql')).toEqual(expected);
  });

  it.each([
    ['version < 1.5.0', [0, 3, 6]],
    ['version >= "1.5.0"', [1, 2, 4, 5, 6]],
    ['version: 1.5.0', [2]],
    ['version: 1.5*', [2, 3]],
  ])('in KQL: %s', async (query, expected) => {
    expect(await found(query, 'kuery')).toEqual(expected);
  });

  it('is refused under a name that is no type, with the nearest', () => {
    const types = { version: 'semvar' } as never;
    expect(() => parseRuleTexts([], { fieldTypes: types })).toThrow('did you mean "semver"?');
  });
});

describe('--field-types', () => {
  const workspace = createWorkspace();
  afterAll(() => workspace.remove());
  const rule = workspace.file('old.eql', 'any where version < "1.5.0"');
  const events = workspace.file('events.ndjson', [{ '@timestamp': '2026-01-01T00:00:00Z', version: '1.11.3' }]);

  it('orders versions as versions', async () => {
    const types = workspace.file('types.json', '{ "version": "version" }');
    const plain = await runCli('scan', '--json', '--rules', rule, events);
    const typed = await runCli('scan', '--json', '--rules', rule, '--field-types', types, events);
    expect([plain.code, plain.stdout.trim().split('\n').length, typed.code, typed.stdout]).toEqual([0, 1, 0, '']);
    expect((await runCli('rules', 'check', '--field-types', types, rule)).code).toBe(0);
  });

  it.each([
    ['[]', 'write a JSON object'],
    ['{', 'JSON'],
    ['{"version": "keywrd"}', 'did you mean "keyword"?'],
  ])('%s is refused', async (content, message) => {
    const { code, stderr } = await runCli('rules', 'check', '--field-types', workspace.file('bad.json', content), rule);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
