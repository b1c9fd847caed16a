import type { Diagnostic } from '../core/diagnostic.js';
import { diagnosticAt, SourceText } from '../core/source_text.js';
import type { Rule } from '../rule/ir.js';
import {
  type BehaviorConfig,
  type Include,
  isBehaviorText,
  parseBehaviorRule,
  unknownConfigKeys,
} from './behavior/parse.js';
import { type ElasticOptions, parseElasticJson, parseElasticToml } from './elastic/rule_file.js';
import { type EqlDialect, eqlRule, parseEql } from './eql/index.js';
import { checkFieldTypes, type FieldTypes } from './field_types.js';
import { parseKuery } from './kuery/kuery.js';

/** Languages that rule texts come in. `elastic` is the detection rule form, whatever its query language. */
export type RuleLanguage = 'elastic' | 'eql' | 'kuery' | 'behavior';

export interface ParseRulesOptions {
  /** Taken from the file name, else from the text, unless given. */
  readonly language?: RuleLanguage;
  /** EQL dialect where the rule does not choose one: `elasticsearch` unless given. */
  readonly dialect?: EqlDialect;
  /** File name, for places in problems and for the id of a rule that has no other. */
  readonly file?: string;
  /** How Elastic's `new_terms` and `threshold` rules keep time where they do not say: `event_time` unless given. */
  readonly mode?: 'event_time' | 'elastic_compat';
  /** Restricts Elastic rules to their index patterns, matched against each event's `_index`. */
  readonly indexPatterns?: boolean;
  /** Exception items that Elastic rules refer to by list, as Kibana exports them. */
  readonly exceptionItems?: readonly unknown[];
  /**
   * Types of fields, by dotted name, where they are not those of ECS: `{ version: 'semver' }`. The names of Elasticsearch's
   * mapping types are known. Behaviour rules take the types of ECS.
   */
  readonly fieldTypes?: FieldTypes;
  /** What `now` means in dates inside queries, in milliseconds since the epoch. Without it such dates are refused. */
  readonly nowMs?: number;
  /** Values for the settings and lists of behaviour rules. */
  readonly config?: BehaviorConfig;
  /** Gives the files that a behaviour rule includes; without it a rule that includes any is refused. */
  readonly include?: Include;
}

/** A rule text with the name of its file, and the files it may include by paths relative to it. */
export interface RuleText {
  readonly text: string;
  readonly file?: string;
  readonly include?: Include;
}

export interface ParsedRules {
  readonly rules: readonly Rule[];
  readonly problems: readonly Diagnostic[];
}

/**
 * Reads the rules of one text. Mistakes are never thrown: each is a problem with its place, and a rule with an error is
 * only among the problems. Nothing that a rule says is left out silently.
 */
export function parseRules(text: string, options: ParseRulesOptions = {}): ParsedRules {
  return parseRuleTexts([options.file === undefined ? { text } : { text, file: options.file }], options);
}

/** Reads the rules of several texts as one set: ids are unique over all of them. */
export function parseRuleTexts(texts: readonly RuleText[], options: Omit<ParseRulesOptions, 'file'> = {}): ParsedRules {
  if (options.fieldTypes !== undefined) checkFieldTypes(options.fieldTypes);
  const parsed = texts.map((text) => parseOne(text, options));
  const problems = parsed.flatMap((one) => one.problems);
  const byId = new Map<string, Rule>();
  for (const rule of parsed.flatMap((one) => one.rules)) {
    const first = byId.get(rule.id);
    if (first === undefined) byId.set(rule.id, rule);
    else problems.push(duplicate(rule, first));
  }
  const rules = [...byId.values()];
  const configured = rules.filter(({ kind }) => kind === 'behavior').map(({ id }) => id);
  if (options.config !== undefined && problems.every(({ severity }) => severity !== 'error'))
    problems.push(...unknownConfigKeys(options.config, configured));
  return { rules, problems };
}

function duplicate(rule: Rule, first: Rule): Diagnostic {
  const file = rule.source?.file;
  const other = first.source?.file === undefined ? '' : `, in ${first.source.file}`;
  return {
    code: 'RULE_DUPLICATE',
    severity: 'error',
    message: `"${rule.name}" has the id of "${first.name}"${other}`,
    ruleId: rule.id,
    line: 1,
    column: 1,
    remedy: 'Give one of the rules another id, or load it once.',
    ...(file === undefined ? {} : { file }),
  };
}

type Format = 'toml' | 'json' | 'eql' | 'kuery' | 'behavior';

const formats: readonly { readonly ending: RegExp; readonly format: Format }[] = [
  { ending: /\.toml$/i, format: 'toml' },
  { ending: /\.(?:ndjson|jsonl|json)$/i, format: 'json' },
  { ending: /\.eql$/i, format: 'eql' },
  { ending: /\.(?:kql|kuery)$/i, format: 'kuery' },
];

function parseOne({ text, file, include }: RuleText, options: ParseRulesOptions): ParsedRules {
  const named = file === undefined ? {} : { file };
  const format = formatOf(text, file, options.language);
  switch (format) {
    case 'toml':
    case 'json': {
      const elastic: ElasticOptions = { ...elasticOptions(options), ...named };
      return format === 'toml' ? parseElasticToml(text, elastic) : parseElasticJson(text, elastic);
    }
    case 'eql':
      return parseEqlFile(text, file, options);
    case 'kuery':
      return parseKueryFile(text, file, options);
    case 'behavior': {
      const { config } = options;
      const files = include ?? options.include;
      const given = {
        ...named,
        ...(config === undefined ? {} : { config }),
        ...(files === undefined ? {} : { include: files }),
      };
      const { rule, problems } = parseBehaviorRule(text, given);
      return { rules: rule === undefined ? [] : [rule], problems };
    }
    default:
      return { rules: [], problems: [unknownLanguage(text, file)] };
  }
}

function elasticOptions(options: ParseRulesOptions): ElasticOptions {
  const { mode, indexPatterns, exceptionItems, fieldTypes, nowMs, dialect } = options;
  return {
    ...(dialect === 'endpoint' || dialect === 'elasticsearch' ? { dialect } : {}),
    ...(mode === undefined ? {} : { mode }),
    ...(indexPatterns === undefined ? {} : { indexPatterns }),
    ...(exceptionItems === undefined ? {} : { exceptionItems }),
    ...(fieldTypes === undefined ? {} : { fieldTypes }),
    ...(nowMs === undefined ? {} : { nowMs }),
  };
}

/** The format that the language, the file name, or the text tells, in this order. */
function formatOf(text: string, file: string | undefined, language: RuleLanguage | undefined): Format | undefined {
  if (language !== undefined && language !== 'elastic') return language;
  const named = formats.find(({ ending }) => file !== undefined && ending.test(file))?.format;
  if (named !== undefined && (language === undefined || named === 'toml' || named === 'json')) return named;
  if (language === undefined && isBehaviorText(text)) return 'behavior';
  if (/^\s*\[+\s*(?:rule|metadata|transform)\b/m.test(text)) return 'toml';
  if (/^[\s\ufeff]*[{[]/.test(text)) return 'json';
  if (language === 'elastic') return 'toml';
  return /^\s*(?:sequence|sample|join|\w+\s+where)\b/.test(text) ? 'eql' : undefined;
}

/** The file's name without folders and extension. */
function idOf(file: string | undefined): string {
  const base = file?.split(/[\\/]/).at(-1) ?? '';
  return base.replace(/\.[^.]+$/, '') || 'rule';
}

function parseEqlFile(text: string, file: string | undefined, options: ParseRulesOptions): ParsedRules {
  const id = idOf(file);
  const named = file === undefined ? {} : { file };
  const dialect = options.dialect === undefined ? {} : { dialect: options.dialect };
  const types = options.fieldTypes === undefined ? {} : { fieldTypes: options.fieldTypes };
  const { query, problems } = parseEql(text, { ...dialect, ...types, ...named, ruleId: id });
  return {
    rules: query === undefined ? [] : [eqlRule(id, query, { source: { language: 'eql', text, ...named } })],
    problems,
  };
}

function parseKueryFile(text: string, file: string | undefined, options: ParseRulesOptions): ParsedRules {
  const id = idOf(file);
  const named = file === undefined ? {} : { file };
  const { fieldTypes, nowMs } = options;
  const types = fieldTypes === undefined ? {} : { fieldTypes };
  const { condition, problems } = parseKuery(text, { ...named, ...types, ...(nowMs === undefined ? {} : { nowMs }) });
  if (condition === undefined) return { rules: [], problems };
  const rule: Rule = {
    id,
    name: id,
    severity: 'low',
    riskScore: 21,
    threat: [],
    source: { language: 'kuery', text, ...named },
    kind: 'match',
    query: { category: null, condition },
  };
  return { rules: [rule], problems };
}

function unknownLanguage(text: string, file: string | undefined): Diagnostic {
  return diagnosticAt(
    new SourceText(text, file),
    { start: 0, end: 1 },
    {
      code: 'RULE_LANGUAGE_UNKNOWN',
      message: 'this text is in no rule language that is known here',
      expected: ['Elastic rules (.toml, .ndjson, .json)', 'EQL (.eql)', 'KQL (.kql)', 'behaviour rules (.yml)'],
      remedy: 'Name the language with the option "language", or use the extension of its files.',
    },
  );
}
