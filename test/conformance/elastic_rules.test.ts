import { describe, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/core/diagnostic.js';
import { parseRules, parseRuleTexts } from '../../src/language/load.js';
import type { Rule } from '../../src/rule/ir.js';
import { mutateText } from '../fuzz/mutate.js';
import { Random } from '../fuzz/random.js';
import { hasShared, listShared, readShared } from '../support/shared.js';

const folder = 'conformance/elastic-rules';
const files = listShared(folder, '.toml').map((file) => ({ file, text: readShared(file) }));

/** What an author may do wrong to a valid rule file: the new text, and the line of the mistake; null where it does not fit. */
type Mistake = (text: string) => { readonly text: string; readonly line: number } | null;

function replaceAt(text: string, pattern: RegExp, change: (found: string) => string): ReturnType<Mistake> {
  const match = pattern.exec(text);
  if (match === null) return null;
  const at = match.index + match[0].length - (match[1] ?? match[0]).length;
  const found = match[1] ?? match[0];
  const changed = `${text.slice(0, at)}${change(found)}${text.slice(at + found.length)}`;
  return { text: changed, line: text.slice(0, at).split('\n').length };
}

/** Doubles the third letter: near enough to be recognised, and never another name. */
const misspell = (name: string): string => `${name.slice(0, 3)}${name[2]}${name.slice(3)}`;

const mistakes: Readonly<Record<string, Mistake>> = {
  'a misspelt function': (text) =>
    replaceAt(text, /query = '''[\s\S]*?\b(startsWith|endsWith|cidrmatch|stringContains|length)(?=~?\s*\()/, misspell),
  'a misspelt key': (text) =>
    replaceAt(
      text,
      /^(risk_score|severity|language|rule_id|references|timestamp_override|description)(?= = )/m,
      misspell,
    ),
  'a misspelt key of a threat': (text) => replaceAt(text, /^(framework|technique|reference)(?= = )/m, misspell),
  'a number for a text': (text) => replaceAt(text, /^severity = (".*")$/m, () => '7'),
  'a text for a number': (text) => replaceAt(text, /^risk_score = (\d+)$/m, () => '"high"'),
  'a text for a list': (text) => replaceAt(text, /^references = (\[)/m, () => '"x"\nunread = ['),
  'a word that is none of the allowed ones': (text) => replaceAt(text, /^severity = "(\w+)"$/m, misspell),
  'an unknown rule type': (text) => replaceAt(text, /^type = "(\w+)"$/m, misspell),
  'an operator without its left side': (text) =>
    replaceAt(text, /query = '''\s*[\s\S]*?( and )/, (found) => `${found}and `),
  'a query language that does not exist': (text) => replaceAt(text, /^language = "(\w+)"$/m, misspell),
};

function errorsOf(text: string, file: string): readonly Diagnostic[] {
  return parseRules(text, { file }).problems.filter((problem) => problem.severity === 'error');
}

describe.skipIf(!hasShared(folder))('Elastic rule files from outside', () => {
  it('all load, each as one rule, with nothing refused and nothing in doubt', () => {
    const { rules, problems } = parseRuleTexts(files);
    expect(problems.filter((problem) => problem.severity !== 'info')).toEqual([]);
    expect(rules).toHaveLength(files.length);
  });

  it('become the kinds of rule that their types say', () => {
    const kinds: Readonly<Record<string, readonly Rule['kind'][]>> = {
      query: ['match'],
      eql: ['match', 'sequence', 'sample'],
      new_terms: ['newTerms'],
      threshold: ['aggregate'],
    };
    const wrong = files.filter(({ file, text }) => {
      const type = /^type = "(\w+)"$/m.exec(text)?.[1] ?? '';
      return !kinds[type]?.includes(parseRules(text, { file }).rules[0]?.kind as Rule['kind']);
    });
    expect(wrong.map(({ file }) => file)).toEqual([]);
  });

  it('broken in one way each, tell the mistake at its line', () => {
    const random = new Random(659);
    const names = Object.keys(mistakes);
    const told: Record<string, number> = {};
    const missed: string[] = [];
    let broken = 0;
    for (let i = 0; broken < 200; i++) {
      const { file, text } = random.pick(files);
      const name = names[i % names.length] as string;
      const mistake = (mistakes[name] as Mistake)(text);
      if (mistake === null) continue;
      broken++;
      const errors = errorsOf(mistake.text, file);
      if (errors.some((error) => error.line === mistake.line && error.file === file))
        told[name] = (told[name] ?? 0) + 1;
      else
        missed.push(
          `${file}: ${name} at line ${mistake.line}, told: ${errors.map(({ code, line }) => `${code}@${line}`)}`,
        );
    }
    expect(missed).toEqual([]);
    expect(Object.keys(told).sort()).toEqual([...names].sort());
  });

  it('mutated at random, never throw', () => {
    const random = new Random(20260131);
    const texts = files.map(({ text }) => text);
    for (let i = 0; i < 600; i++) {
      const { file, text } = random.pick(files);
      const { problems } = parseRules(mutateText(random, text, texts), { file });
      for (const problem of problems) expect(problem.line).toBeGreaterThan(0);
    }
  });
});
