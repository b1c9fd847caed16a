/** Runs KQL rows: documents that match or do not, spellings of one meaning, and texts that must parse or be refused. */
import type { FieldTypes } from '../../../src/language/field_types.js';
import { parseKuery } from '../../../src/language/kuery/kuery.js';
import type { Expr, Rule } from '../../../src/rule/ir.js';
import type { Engine } from '../engines.js';
import { matchRule } from '../rules.js';
import { runRule } from './eql.js';
import { failed, type Outcome, passed } from './report.js';
import type { CaseRow, EquivalentRow, EvalRow, ParseRow, Source } from './rows.js';

const time = { '@timestamp': '2026-01-01T00:00:00Z' };

function ruleOf(query: string, fieldTypes: FieldTypes = {}): Rule | string {
  const { condition, problems } = parseKuery(query, { fieldTypes });
  return condition === undefined ? `refused: ${problems.map(({ message }) => message).join('; ')}` : asRule(condition);
}

const asRule = (condition: Expr): Rule => matchRule('case', condition);

/** The mapping that Elasticsearch makes of a document: free text is searched in the fields of the index. */
function mappingOf(document: Source, prefix = ''): Record<string, 'keyword'> {
  return Object.assign(
    {},
    ...Object.entries(document).map(([name, value]): Record<string, 'keyword'> => {
      const items = Array.isArray(value) ? value : [value];
      const objects = items.filter((item): item is Source => typeof item === 'object' && item !== null);
      if (objects.length === 0) return { [prefix + name]: 'keyword' };
      return Object.assign({}, ...objects.map((item) => mappingOf(item, `${prefix}${name}.`)));
    }),
  );
}

export async function runEval(row: EvalRow, engine: Engine): Promise<Outcome> {
  const isFreeText = row.requires?.includes('free-text') === true;
  const rule = ruleOf(row.query, isFreeText ? mappingOf(row.document) : {});
  if (typeof rule === 'string') return failed(rule);
  const alerts = await engine.run({ rules: [rule] }, [[{ ...time, ...row.document }]]);
  return alerts.length > 0 === row.expected ? passed : failed(`expected ${row.expected}`);
}

export async function runKueryCase(row: CaseRow, events: readonly Source[], engine: Engine): Promise<Outcome> {
  const rule = ruleOf(row.query);
  return typeof rule === 'string' ? failed(rule) : runRule(rule, row, events, engine);
}

/** Both spellings become one condition, or find the same among documents over their fields and values. */
export async function runEquivalent(row: EquivalentRow, engine: Engine): Promise<Outcome> {
  const found: string[] = [];
  const [a, b] = [ruleOf(row.a), ruleOf(row.b)];
  if (typeof a === 'string' || typeof b === 'string') return failed(`${a}; ${b}`);
  if (withoutPlaces(a) === withoutPlaces(b)) return passed;
  for (const rule of [a, b]) {
    const alerts = await engine.run({ rules: [rule] }, [documentsFor(`${row.a} ${row.b}`)]);
    const ordinals = alerts.flatMap(({ evidence }) => evidence);
    found.push(ordinals.sort((left, right) => Number(left) - Number(right)).join());
  }
  return found[0] === found[1] ? passed : failed(`${row.a} finds ${found[0]}; ${row.b} finds ${found[1]}`);
}

const withoutPlaces = (rule: Rule): string =>
  JSON.stringify(rule, (key, value: unknown) => (key === 'span' ? undefined : value));

function documentsFor(text: string): Source[] {
  const words = [...new Set(text.match(/"[^"]*"|[\w.]+/g) ?? [])].map((word) => word.replaceAll('"', ''));
  const values: unknown[] = words.filter((word) => !/^(?:and|or|not)$/.test(word));
  const pairs = values.slice(0, -1).map((value, index) => [value, values[index + 1]]);
  const sets = [undefined, ...values, 1, 'ff02::fb', ...pairs];
  const fields = [...new Set([...text.matchAll(/"?([\w.]+)"?\s*:/g)].map((match) => match[1] as string))].slice(0, 3);
  return fields.reduce<Source[]>(
    (documents, field) =>
      documents.flatMap((document) =>
        sets.map((set) => (set === undefined ? document : { ...document, [field]: set })),
      ),
    [time],
  );
}

export function runKueryParse(row: ParseRow): Outcome {
  const text = row.query ?? row.text ?? '';
  const isRefused = parseKuery(text).condition === undefined;
  if (isRefused === (row.expect === 'error')) return passed;
  return failed(isRefused ? `refused: ${text}` : `accepted: ${text}`);
}
