/** Rule texts never make a front end throw, and every problem has a place inside the text. */
import type { Diagnostic } from '../../src/core/diagnostic.js';
import { type EqlDialect, parseEql, parseEqlExpression } from '../../src/language/eql/index.js';
import { parseKuery } from '../../src/language/kuery/kuery.js';
import { mutateText } from './mutate.js';
import { decode, encode, type FuzzTarget, promise } from './target.js';

export const eqlTexts = [
  'process where process.name : ("cmd.exe", "power*.exe") and not user.id in ("S-1-5-18", "S-1-5-19")',
  'any where event.action == "x" and (process.args_count >= 2 or process.pid * 2 - 1 == 41 / 2.0 % 7)',
  'sequence by host.id, user.name with maxspan=5m\n  [process where true] by process.entity_id\n  ![file where file.path like~ "/tmp/*"] by process.entity_id\n  [network where cidrmatch(destination.ip, "10.0.0.0/8")] by process.entity_id with runs=3\nuntil [process where event.type == "end"] by process.entity_id',
  'sample by host.name [process where process.name regex~ """[a-z]{3}\\.exe"""] [file where ?file.size > 1e3]',
  'file where descendant of [process where process.name : "python*"] and not startswith~(file.name, "a")',
  'process where length(process.command_line) > 100 and substring(process.name, -4) == ".exe" /* note */ | head 5',
  'process where process_name = \'a\' and arraySearch(x, v, v.y == "z*") | unique pid | sort md5 | filter true',
  'sequence with maxspan=1s [process where true] as e0 [file where file.path == e0.process.executable]',
  'process where concat(a, "||", b[0].c) != null and `odd-field` in~ ("1", "2") // end',
];

export const kueryTexts = [
  'event.category:process and process.name:("cmd.exe" or power*.exe) and not user.id:S-1-5-18',
  'process.pid >= 10 and (host.os.type:windows or host.os.type:"mac os") and not (a:b and c:*)',
  'nested:{ a:1 and b:{ c:"x y" } } or "free text" or field: *foo\\(bar baz*',
  '@timestamp >= now-5d and source.ip:"10.0.0.0/8"',
];

const dialects: readonly EqlDialect[] = ['elasticsearch', 'endpoint', 'python-eql'];

function checkProblems(text: string, hasResult: boolean, problems: readonly Diagnostic[]): void {
  const lines = text.split(/\r\n|\r|\n/).length;
  const errors = problems.filter(({ severity }) => severity === 'error');
  promise(hasResult === (errors.length === 0), `${errors.length} errors, and ${hasResult ? 'a' : 'no'} result`);
  for (const { code, message, line, column } of problems) {
    promise(code !== '' && message !== '', 'a problem without a code or message');
    promise(line >= 1 && line <= lines + 1 && column >= 1, `${code} is at ${line}:${column}, outside the text`);
  }
}

export const eqlTarget: FuzzTarget = {
  name: 'eql',
  generate: (random) => encode(mutateText(random, random.pick(eqlTexts), eqlTexts)),
  check: (input) => {
    const text = decode(input);
    for (const dialect of dialects) {
      const { query, problems } = parseEql(text, { dialect });
      checkProblems(text, query !== undefined, problems);
      const { expr, problems: more } = parseEqlExpression(text, { dialect });
      checkProblems(text, expr !== undefined, more);
    }
  },
};

export const kueryTarget: FuzzTarget = {
  name: 'kuery',
  generate: (random) => encode(mutateText(random, random.pick(kueryTexts), [...kueryTexts, ...eqlTexts])),
  check: (input) => {
    const text = decode(input);
    const { condition, problems } = parseKuery(text);
    checkProblems(text, condition !== undefined, problems);
  },
};
