import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import { encodeProgram } from '../../src/compiler/program.js';
import { loadProgram } from '../../src/compiler/verify.js';
import { Section } from '../../src/core/abi/program.js';
import { ProgramError } from '../../src/core/errors.js';
import type { Expr, Rule } from '../../src/rule/ir.js';
import { matchRule, PredicateKernel } from '../support/predicate_kernel.js';

const field = (name: string): Expr => ({ kind: 'field', name });
const literal = (value: string | number): Expr => ({ kind: 'literal', value });
const match = (name: string, text: string, mode: 'exact' | 'ascii' | 'unicode' = 'ascii'): Expr => ({
  kind: 'match',
  value: field(name),
  patterns: [{ type: 'wildcard', text }],
  case: mode,
});

/** One condition for each part of the program's format. */
const conditions: readonly Expr[] = [
  match('a', 'cmd.exe'),
  match('a', '*power*shell?exe'),
  match('a', '*-e', 'exact'),
  match('a', 'ÜBER*', 'unicode'),
  { kind: 'compare', op: '>', left: field('a'), right: literal(5), case: 'exact' },
  { kind: 'compare', op: '<', left: field('a'), right: literal('m'), case: 'ascii' },
  { kind: 'cidr', value: field('a'), blocks: ['10.0.0.0/8', 'fe80::/10'] },
  { kind: 'regex', value: field('a'), patterns: ['[a-z]+'], case: 'exact', anchor: 'full' },
  { kind: 'compare', op: '==', left: field('a'), right: field('b'), case: 'ascii' },
  {
    kind: 'compare',
    op: '==',
    left: { kind: 'call', name: 'substring', args: [field('a'), literal(-4)], case: 'exact' },
    right: literal('.exe'),
    case: 'exact',
  },
  { kind: 'compare', op: '==', left: field('process.pid'), right: literal(4), case: 'exact' },
  {
    kind: 'match',
    value: field('destination.port'),
    patterns: [
      { type: 'equals', text: '80' },
      { type: 'equals', text: '443' },
    ],
    case: 'exact',
  },
  { kind: 'compare', op: '==', left: field('host.id'), right: literal('h1'), case: 'exact' },
  {
    kind: 'nested',
    path: 'l',
    condition: { kind: 'and', operands: [match('l.x', 'x*'), { kind: 'isNull', value: field('l.y') }] },
  },
];

const earlier: Expr = { kind: 'call', name: 'stepField', args: [literal(0), field('a')], case: 'exact' };
const looking: Expr = { kind: 'compare', op: '==', left: field('a'), right: earlier, case: 'ascii' };
const step = (condition: Expr) => ({ query: { category: null, condition }, by: [], missing: false, runs: 1 });
const rules: readonly Rule[] = [
  ...conditions.map((expr, index) => matchRule(expr, index, index % 2 === 0 ? null : 'process')),
  {
    ...matchRule(literal('x'), conditions.length),
    kind: 'sequence',
    steps: [step({ kind: 'not', operand: { kind: 'isNull', value: field('a') }, missing: 'null' }), step(looking)],
  },
];
const predicateSections = [
  Section.Atoms,
  Section.Predicates,
  Section.Code,
  Section.Constants,
  Section.Candidates,
  Section.Columns,
  Section.HostFunctions,
  Section.Evidence,
];

const events = [
  {
    event: { category: 'process' },
    a: 'C:\\x\\PowerShell.exe',
    b: 'x',
    process: { pid: 4 },
    destination: { port: 443 },
  },
  {
    a: ['cmd.exe', 'überall', '10.1.1.1', 7],
    b: ['CMD.EXE', 'q'],
    host: { id: 'h1' },
    l: [{ x: 'xa' }, { x: 'xb', y: 1 }],
  },
  { event: { category: ['process', 'file'] }, a: 'run -e', l: { x: 'x' } },
];

function damaged(sections: ReadonlyMap<Section, Uint8Array>, id: Section, step: number): Map<Section, Uint8Array> {
  const copy = new Map(sections);
  const bytes = (sections.get(id) as Uint8Array).slice();
  const at = (Math.imul(step, 0x9e3779b1) >>> 0) % bytes.length;
  const values = [0xff, 0x7f, 0x01, 0x80, (bytes[at] as number) ^ (1 << (step & 7))];
  bytes[at] = values[step % values.length] as number;
  return copy.set(id, bytes);
}

describe('the program verifier', () => {
  it('accepts what the compiler makes', () => {
    const program = compile(rules);
    expect(loadProgram(program.bytes).fingerprint).toBe(program.fingerprint);
  });

  it.each(predicateSections)('refuses a damaged section %i, or the kernel runs it without a trap', async (id) => {
    const { sections } = compile(rules);
    let refused = 0;
    for (let step = 0; step < 60; step++) {
      const copy = damaged(sections, id, step);
      try {
        loadProgram(encodeProgram(copy));
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
        expect(error.code).toBe('PROGRAM_FORMAT');
        refused++;
        continue;
      }
      const kernel = await PredicateKernel.load({ ...compile(rules), sections: copy });
      for (const event of events) kernel.match(event);
    }
    expect(refused).toBeGreaterThan(0);
  });
});
