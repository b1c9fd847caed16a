import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { readToml } from '../../src/language/document/toml.js';
import type { DocumentNode } from '../../src/language/document/tree.js';
import { mutateText } from '../fuzz/mutate.js';
import { Random } from '../fuzz/random.js';

const rule = `# a rule
[metadata]
creation_date = "2024/01/31" # a comment
maturity = 'production'

[rule]
references = [
  "https://example.org", # first
  'literal \\ text',
]
risk_score = 47
ratio = -0.5
enabled = true
name = "say \\"x\\"\\tnow"
query = '''
process where process.name == "a" and
  process.args : "C:\\\\*"
'''
note = """one \\
   two"""

[[rule.threat]]
framework = "MITRE ATT&CK"
[[rule.threat.technique]]
id = "T1059"
name = "x"
[rule.threat.tactic]
id = "TA0002"
[[rule.threat]]
framework = "other"
[rule.threshold]
field = ["host.id"]
value = 3
`;

const valid = [
  rule,
  '',
  '\n\n# only a comment',
  'a = 1\r\nb = [1, 2.5, [true]]\r\n',
  '[a.b]\nx = 1\n[a]\ny = 2',
  'a.b = 1\n"q k" = 2\nc = { d = 1, e = [2] }',
  'd = 2024-01-31T10:00:00Z\nt = 10:00:00\nn = 1_000\nh = 0xff\nf = 1e3',
  'a = """x"""""\nb = \'\'\'y\'\'\'\'',
];

const broken = [
  'a',
  'a =',
  'a = 1 2',
  'a = 1\na = 2',
  '[a]\n[a]',
  '[[a]]\n[a]',
  '[a]\n[[a]]',
  'a = 1\n[a]',
  '[a]\nb = 1\n[a.b]',
  '[a.b]\n[a]\nb = 1',
  'a = [1]\n[[a]]',
  'a = {}\n[a.b]',
  'a = [1 2]',
  'a = [,]',
  'a = [1',
  'a = "x',
  'a = "x\ny"',
  "a = 'x\ny'",
  'a = "\\q"',
  'a = """x',
  '[a',
  '[a]]',
  '[[a]',
  '[]',
  '= 1',
  'a = 01',
  'a = tru',
  'a = \u0001',
  'a = 1 # \u0001',
  '[a] b = 1',
  '"""a""" = 1',
  'a = 1, ',
];

function plain(node: DocumentNode): unknown {
  if (node.kind === 'array') return node.items.map(plain);
  if (node.kind !== 'object') return node.value;
  return Object.fromEntries([...node.entries].map(([key, { node: value }]) => [key, plain(value)]));
}

/** What smol-toml makes of it; undefined where that is no TOML. */
function reference(text: string): unknown {
  try {
    const value = parse(text, { integersAsBigInt: 'asNeeded' });
    return JSON.parse(JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? Number(part) : part)));
  } catch {
    return undefined;
  }
}

function read(text: string): unknown {
  const document = readToml(text);
  return 'message' in document ? undefined : plain(document);
}

const hasDates = (text: string): boolean => /\d:\d\d|\d{4}-\d\d/.test(text.replace(/"[^"]*"|'[^']*'/g, ''));

describe('the TOML reader', () => {
  it.each(valid)('reads what smol-toml reads: %j', (text) => {
    expect(reference(text)).toBeDefined();
    if (!hasDates(text)) expect(read(text)).toEqual(reference(text));
  });

  it.each(broken)('refuses what smol-toml refuses: %j', (text) => {
    expect(reference(text)).toBeUndefined();
    expect(read(text)).toBeUndefined();
  });

  it('is of one mind with smol-toml on damaged texts', () => {
    const random = new Random(7);
    let sound = 0;
    for (let i = 0; i < 3_000; i++) {
      const text = mutateText(random, random.pick(valid), valid);
      if (hasDates(text)) continue;
      const expected = reference(text);
      if (expected !== undefined) sound++;
      expect([text, read(text)]).toEqual([text, expected]);
    }
    expect(sound).toBeGreaterThan(300);
  });
});
