/** Rule files never make the loader or the compiler throw, and what compiles can be run. */
import { compile } from '../../src/compiler/compile.js';
import { ProgramError } from '../../src/core/errors.js';
import { parseRules } from '../../src/language/load.js';
import { mutateText } from './mutate.js';
import { eqlTexts, kueryTexts } from './rule_texts.js';
import { decode, encode, type FuzzTarget, promise } from './target.js';

const toml = (type: string, language: string, query: string, rest = ''): string =>
  `[metadata]\ncreation_date = "2026/01/01"\n\n[rule]\nname = "A rule"\nrule_id = "00000000-0000-4000-8000-000000000000"\n` +
  `risk_score = 47\nseverity = "medium"\ntype = "${type}"\nlanguage = "${language}"\nquery = '''\n${query}\n'''\n${rest}`;

const files = [
  ...eqlTexts.slice(0, 4).map((query) => toml('eql', 'eql', query)),
  ...kueryTexts.slice(0, 2).map((query) => toml('query', 'kuery', query)),
  toml('threshold', 'kuery', kueryTexts[0] as string, '\n[rule.threshold]\nfield = ["host.id"]\nvalue = 5\n'),
  toml(
    'new_terms',
    'kuery',
    kueryTexts[0] as string,
    '\n[rule.new_terms]\nfield = "new_terms_fields"\nvalue = ["host.id", "file.path"]\n[[rule.new_terms.history_window_start]]\nfield = "history_window_start"\nvalue = "now-7d"\n',
  ),
  JSON.stringify({
    name: 'A',
    rule_id: 'a',
    type: 'eql',
    language: 'eql',
    query: eqlTexts[0],
    risk_score: 1,
    severity: 'low',
  }),
];

export const ruleFileTarget: FuzzTarget = {
  name: 'rules',
  generate: (random) => encode(mutateText(random, random.pick(files), [...files, ...eqlTexts])),
  check: (input) => {
    const text = decode(input);
    for (const options of [{}, { language: 'elastic' as const }]) {
      const { rules, problems } = parseRules(text, options);
      promise(rules.length > 0 || problems.length > 0, 'neither a rule nor a problem');
      try {
        const { rules: compiled, diagnostics } = compile(rules);
        promise(compiled.length + diagnostics.length >= rules.length, 'a rule is neither compiled nor refused');
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
      }
    }
  },
};
