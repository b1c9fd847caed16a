/** Rule files never make the loader throw; a rule with an error is refused, and every problem has a place in the text. */
import { diagnosticRecord, renderDiagnostic } from '../../src/core/diagnostics.js';
import { parseRules } from '../../src/language/load.js';
import { leastRule, ruleLine, ruleToml } from '../support/elastic_rules.js';
import { mutateText } from './mutate.js';
import { decode, encode, type FuzzTarget, promise } from './target.js';

const filters = [
  { meta: { negate: true, type: 'phrase', key: 'f' }, query: { match_phrase: { f: 'x' } } },
  {
    query: {
      bool: { should: [{ term: { f: { value: 1 } } }, { wildcard: { g: 'a?\\*' } }], minimum_should_match: '50%' },
    },
  },
  { query: { nested: { path: 'd', query: { range: { 'd.when': { gte: '2024-01-01||+1d/d', lt: 5 } } } } } },
];
const exceptions_list = [{ id: '1', list_id: 'l', type: 'detection', namespace_type: 'single' }];
const item = {
  item_id: 'i',
  list_id: 'l',
  expire_time: '2026-01-01T00:00:00Z',
  entries: [
    { field: 'f', operator: 'excluded', type: 'match_any', value: ['x', 'y'] },
    { field: 'd', type: 'nested', entries: [{ field: 'x', operator: 'included', type: 'wildcard', value: 'a*' }] },
  ],
};

const files: readonly { readonly file: string; readonly text: string }[] = [
  { file: 'a.ndjson', text: `${ruleLine({ filters, exceptions_list })}\n${JSON.stringify(item)}\n` },
  {
    file: 'b.json',
    text: JSON.stringify(
      [{ ...leastRule, threshold: { field: ['a'], value: 3 }, type: 'threshold', from: 'now-9m' }],
      null,
      2,
    ),
  },
  {
    file: 'c.toml',
    text: ruleToml(
      'type = "new_terms"\nnew_terms_fields = ["a", \'b\']\nhistory_window_start = "now-7d"\nquery = """\na: (1 or\\\n  "é") and @timestamp > 5\n"""',
      'mode = "elastic_compat"\nfallback = { "a" = ["b.c"] }\ncase_insensitive = true',
    ),
  },
  {
    file: 'd.toml',
    text: ruleToml(
      "type = 'eql'\nlanguage = 'eql'\nquery = '''\nsequence by host.id with maxspan=1m\n  [process where a : \"x*\"]\n  ![file where b == 1]\n'''\n[[rule.threat]]\nframework = 'ATT&CK'",
      'dialect = "endpoint"',
    ),
  },
  { file: 'e.yml', text: 'type: behavior\nid: X\nname: "x"\n' },
  { file: 'f', text: 'process where true' },
];

export const ruleFileTarget: FuzzTarget = {
  name: 'rule files',
  generate: (random) => {
    const { file, text } = random.pick(files);
    const others = files.map((other) => other.text);
    return encode(`${file}\n${mutateText(random, text, others)}`);
  },
  check: (input) => {
    const whole = decode(input);
    const end = whole.indexOf('\n');
    const text = whole.slice(end + 1);
    const { rules, problems } = parseRules(text, { file: whole.slice(0, end) });
    const lines = text.split(/\r\n|\r|\n/).length;
    for (const problem of problems) {
      promise(diagnosticRecord(problem.code) !== undefined, `${problem.code} has no record`);
      promise(problem.line >= 1 && problem.line <= lines + 1, `${problem.code} is at line ${problem.line} of ${lines}`);
      promise(renderDiagnostic(problem).includes(problem.message), 'the message is not printed');
    }
    const refused = new Set(problems.filter(({ severity }) => severity === 'error').map(({ ruleId }) => ruleId));
    for (const rule of rules)
      promise(!refused.has(rule.id) || rules.length > 1, `${rule.id} loaded in spite of an error`);
  },
};
