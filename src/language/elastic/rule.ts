import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { nearestName } from '../../core/nearest_name.js';
import { diagnosticAt, EmbeddedText, type Problem, type SourceText } from '../../core/source_text.js';
import type { EventQuery, Expr, FieldExpr, Rule, RuleBase, TermJoin } from '../../rule/ir.js';
import { rewriteRule, withoutSpans } from '../../rule/rewrite.js';
import { ObjectReader, type Report } from '../document/reader.js';
import type { ObjectNode, StringNode } from '../document/tree.js';
import { type EqlEventQuery, type EqlQuery, eqlRule, parseEql } from '../eql/index.js';
import { allOf, FieldQueries, noneOf } from '../field_query.js';
import { parseKuery } from '../kuery/kuery.js';
import { readBase, readSuppression } from './base.js';
import { type ExceptionLists, stringOf } from './exception_lists.js';
import { lowerExceptionItem } from './exceptions.js';
import { type Extensions, readExtensions } from './extensions.js';
import { lowerFilter } from './filters.js';
import { inertRuleKeys, type RuleType, ruleTypes, unsupportedLanguages, unsupportedTypes } from './keys.js';
import { newTermsRule } from './new_terms.js';
import type { ElasticOptions } from './options.js';
import { defaultIntervalUs, defaultLookbackUs, readDuration, readTimeBeforeRun } from './schedule.js';
import { readThreshold, thresholdRule } from './threshold.js';

/** One rule of a file: its table, the table of extensions beside it, and what is shared over the file. */
export interface RuleInput {
  readonly node: ObjectNode;
  readonly place: Span;
  readonly extensions: ObjectNode | undefined;
  readonly source: SourceText;
  readonly exceptions: ExceptionLists;
  readonly options: ElasticOptions;
}

/** What Kibana's schedule of a rule says. Event time uses it for windows only. */
export interface Schedule {
  readonly intervalUs: number;
  /** From the start of what a run looks at to its end. */
  readonly lookbackUs: number;
}

/**
 * Reads one Elastic detection rule. The rule is present when none of its problems is an error; a type or language that
 * this engine does not run is one `UNSUPPORTED_…` problem at its place.
 *
 * In event time every event is judged once, so for `query` and `eql` rules the schedule (`from`, `to`, `interval`) and
 * `timestamp_override` decide nothing; they are checked and left.
 */
export function readRule(input: RuleInput): { rule?: Rule; problems: Diagnostic[] } {
  const problems: Diagnostic[] = [];
  const ruleId = stringOf(input.node, 'rule_id');
  const report = (span: Span, problem: Problem): void => {
    const told = ruleId === undefined ? problem : { ...problem, ruleId };
    problems.push(diagnosticAt(input.source, span, told));
  };
  const reader = new RuleReader(input, report, (found) => {
    problems.push(...found.map((problem) => (ruleId === undefined ? problem : { ...problem, ruleId })));
  });
  const rule = reader.read();
  const isRefused = rule === undefined || problems.some((problem) => problem.severity === 'error');
  return isRefused ? { problems } : { rule, problems };
}

class RuleReader {
  private readonly input: RuleInput;
  private readonly rule: ObjectReader;
  private readonly report: Report;
  private readonly tell: (problems: readonly Diagnostic[]) => void;
  private readonly extensions: Extensions;
  private readonly fields: FieldQueries;

  constructor(input: RuleInput, report: Report, tell: (problems: readonly Diagnostic[]) => void) {
    this.input = input;
    this.report = report;
    this.tell = tell;
    this.rule = new ObjectReader(input.node, 'the rule', report, input.place);
    const table =
      input.extensions === undefined ? undefined : new ObjectReader(input.extensions, '[metadata.vedette]', report);
    this.extensions = readExtensions(table, input.options, report);
    this.fields = new FieldQueries(this.queryOptions(), report);
  }

  read(): Rule | undefined {
    const { rule } = this;
    const type = this.type();
    const language = type === undefined ? undefined : this.language(type);
    if (type === undefined || language === undefined) return undefined;
    const base = readBase(rule, this.place());
    const schedule = this.schedule(type);
    const threshold = type === 'threshold' ? readThreshold(rule, this.report) : undefined;
    const suppression = readSuppression(rule, schedule.intervalUs, threshold?.fields, this.report);
    const carried: RuleBase = suppression === undefined ? base : { ...base, suppression };
    const restriction = this.restriction();
    const lowered = this.query(type, language, carried, schedule, threshold);
    rule.acceptAll(inertRuleKeys);
    rule.acceptAll({ timestamp_override: 'string', timestamp_override_fallback_disabled: 'boolean' });
    rule.finish();
    return lowered === undefined ? undefined : this.finished(lowered, restriction);
  }

  /** Where the query stands. Its text is given where its lines are lines of the file, so that places in it are too. */
  private place(): NonNullable<RuleBase['source']> {
    const { source } = this.input;
    const node = this.rule.stringNode('query');
    const named = { language: 'elastic', ...(source.file === undefined ? {} : { file: source.file }) };
    if (node === undefined) return named;
    const start = source.position(node.offsetInFile(0));
    const end = source.position(node.offsetInFile(node.value.length));
    const keepsLines = start.column === 1 && node.value.split('\n').length === end.line - start.line + 1;
    return { ...named, line: start.line, ...(keepsLines ? { text: node.value } : {}) };
  }

  private type(): RuleType | undefined {
    const node = this.rule.stringNode('type');
    if (node === undefined) {
      if (!this.rule.has('type')) this.rule.missing('type', ruleTypes.join(', '));
      return undefined;
    }
    const type = ruleTypes.find((known) => known === node.value);
    if (type === undefined) this.refuseWord(node, 'rule type', unsupportedTypes, ruleTypes, 'UNSUPPORTED_RULE_TYPE');
    return type;
  }

  private language(type: RuleType): 'kuery' | 'eql' | undefined {
    const node = this.rule.stringNode('language');
    if (node === undefined) return this.rule.has('language') ? undefined : type === 'eql' ? 'eql' : 'kuery';
    if (node.value === 'kuery' || node.value === 'eql') return node.value;
    this.refuseWord(node, 'query language', unsupportedLanguages, ['kuery', 'eql'], 'UNSUPPORTED_LANGUAGE');
    return undefined;
  }

  private refuseWord(
    node: StringNode,
    what: string,
    unsupported: Readonly<Record<string, string>>,
    supported: readonly string[],
    code: string,
  ): void {
    const reason = Object.hasOwn(unsupported, node.value) ? unsupported[node.value] : undefined;
    if (reason !== undefined) {
      this.report(node.span, {
        code,
        message: `the ${what} "${node.value}" is not supported: ${reason}`,
        expected: supported,
        remedy: `Rewrite the rule with one of: ${supported.join(', ')}.`,
      });
      return;
    }
    const nearest = nearestName(node.value, [...supported, ...Object.keys(unsupported)]);
    this.report(node.span, {
      code: 'RULE_VALUE',
      message: `"${node.value}" is not a ${what}`,
      expected: supported,
      remedy: nearest === undefined ? `Write one of: ${supported.join(', ')}.` : `Did you mean "${nearest}"?`,
    });
  }

  private schedule(type: RuleType): Schedule {
    const { rule, report } = this;
    const isRoundable = type === 'query' || type === 'eql';
    const interval = rule.stringNode('interval');
    const intervalUs = interval === undefined ? undefined : readDuration(interval, report);
    const from = rule.stringNode('from');
    const to = rule.stringNode('to');
    const fromUs = from === undefined ? undefined : readTimeBeforeRun(from, report, isRoundable);
    const toUs = to === undefined ? undefined : readTimeBeforeRun(to, report, isRoundable);
    const lookbackUs = (fromUs ?? defaultLookbackUs) - (toUs ?? 0);
    if (lookbackUs <= 0 && from !== undefined) {
      this.report(from.span, {
        code: 'RULE_VALUE',
        message: 'the rule looks at no time: "from" is not before "to"',
        expected: ['now-9m'],
        remedy: 'Let "from" lie before "to".',
      });
    }
    return { intervalUs: intervalUs ?? defaultIntervalUs, lookbackUs };
  }

  private query(
    type: RuleType,
    language: 'kuery' | 'eql',
    base: RuleBase,
    schedule: Schedule,
    threshold: ReturnType<typeof readThreshold>,
  ): Rule | undefined {
    if (type === 'eql' || (type === 'query' && language === 'eql')) {
      const query = this.eql();
      return query === undefined ? undefined : eqlRule(base.id, query, base);
    }
    const query = language === 'eql' ? this.eqlEvents() : this.kuery(type);
    const joins = this.joins(type);
    if (type === 'query') return query === undefined ? undefined : { ...base, kind: 'match', query };
    this.remarkTimestampOverride();
    const timed = { base, query, schedule, extensions: this.extensions, rule: this.rule, report: this.report };
    if (type === 'threshold') return thresholdRule(threshold, timed);
    return newTermsRule(joins === undefined ? timed : { ...timed, joins });
  }

  private joins(type: RuleType): TermJoin | undefined {
    const { join, mode, fieldTypes } = this.extensions;
    if (join === undefined) return undefined;
    if (type !== 'new_terms' || mode !== 'event_time') {
      this.report(this.input.extensions?.entries.get('join')?.keySpan ?? join.items.span, {
        code: 'RULE_VALUE',
        message: 'only a new_terms rule in event time joins events',
        remedy: 'Remove [metadata.vedette.join].',
      });
      return undefined;
    }
    const [items, writers] = [join.items, join.writers].map((node) => {
      const source = new EmbeddedText(this.input.source, (offset) => node.offsetInFile(offset));
      const { query, problems } = parseEql(node.value, { dialect: 'endpoint', fieldTypes, source });
      this.tell(problems);
      if (query === undefined || (query.kind === 'event' && query.query.category === null)) return query;
      this.report(node.span, {
        code: 'RULE_VALUE',
        message: 'events are joined by a condition on single events of any category',
        expected: ['any where …'],
        remedy: 'Write the condition as `any where …`, with event.category in it where it matters.',
      });
      return undefined;
    });
    if (items?.kind !== 'event' || writers?.kind !== 'event') return undefined;
    const plain = ({ query }: EqlEventQuery): EventQuery => ({
      category: null,
      condition: withoutSpans(query.condition),
    });
    return { items: plain(items), writers: plain(writers), withinUs: join.withinUs };
  }

  private eql(): EqlQuery | undefined {
    const node = this.queryText();
    if (node === undefined) return undefined;
    if (this.extensions.caseInsensitive) {
      this.report(this.input.extensions?.entries.get('case_insensitive')?.keySpan ?? node.span, {
        code: 'RULE_VALUE',
        message: '"case_insensitive" is for KQL; EQL says so itself, operator by operator',
        remedy: 'Use the EQL operators `:`, `like~`, `in~` and `regex~`, and remove the key.',
      });
    }
    const source = new EmbeddedText(this.input.source, (offset) => node.offsetInFile(offset));
    const { dialect, fieldTypes } = this.extensions;
    const { query, problems } = parseEql(node.value, { dialect, fieldTypes, source });
    this.tell(problems);
    return query;
  }

  private eqlEvents(): EventQuery | undefined {
    const query = this.eql();
    if (query === undefined || query.kind === 'event') return query?.query;
    this.report(this.rule.span('query'), {
      code: 'RULE_VALUE',
      message: `a rule of this type counts single events, and its query is a ${query.kind}`,
      remedy: 'Write a query for single events, or make the rule one of type "eql".',
    });
    return undefined;
  }

  private kuery(type: RuleType): EventQuery | undefined {
    const hasFilters = this.rule.has('filters');
    const node = this.queryText(type === 'query' && hasFilters);
    if (node === undefined)
      return hasFilters && !this.rule.has('query') ? { category: null, condition: always } : undefined;
    const source = new EmbeddedText(this.input.source, (offset) => node.offsetInFile(offset));
    const { condition, problems } = parseKuery(node.value, { ...this.queryOptions(), source });
    this.tell(problems);
    return condition === undefined ? undefined : { category: null, condition };
  }

  private queryText(optional = false): StringNode | undefined {
    const node = this.rule.stringNode('query');
    if (node === undefined && !this.rule.has('query') && !optional) this.rule.missing('query', 'the text of a query');
    return node;
  }

  private queryOptions() {
    const { caseInsensitive, fieldTypes } = this.extensions;
    const { nowMs } = this.input.options;
    return { caseInsensitive, fieldTypes, ...(nowMs === undefined ? {} : { nowMs }) };
  }

  /** What filters, exceptions and index patterns add to every event query of the rule. */
  private restriction(): Expr | undefined {
    const { rule, fields, report } = this;
    const span = rule.span('query');
    const filters = rule.get('filters');
    const parts: Expr[] = [];
    if (filters !== undefined && filters.kind !== 'array') rule.objects('filters');
    for (const item of filters?.kind === 'array' ? filters.items : []) {
      const condition = lowerFilter(item, fields, report);
      if (condition !== undefined) parts.push(condition);
    }
    for (const { node, source } of this.input.exceptions.itemsFor(rule, this.input.source, report)) {
      // A rule is refused for what its exceptions get wrong: without them it would alert on what they hide.
      const tell: Report = (at, problem) => this.tell([diagnosticAt(source, at, problem)]);
      parts.push(noneOf(lowerExceptionItem(node, fields, tell), span));
    }
    const patterns = rule.strings('index', true);
    rule.accept('data_view_id', 'string');
    if (this.input.options.indexPatterns === true && patterns !== undefined) parts.push(indexCondition(patterns, span));
    return parts.length === 0 ? undefined : withoutSpans(allOf(parts, span));
  }

  private remarkTimestampOverride(): void {
    const field = this.rule.string('timestamp_override') ?? '';
    if (this.extensions.mode !== 'event_time' || field === '') return;
    this.report(this.rule.span('timestamp_override'), {
      code: 'TIMESTAMP_OVERRIDE',
      severity: 'info',
      message: `in event time the rule counts by the event's own time, not by "${field}"`,
      remedy: 'Nothing to do; `mode = "elastic_compat"` in [metadata.vedette] counts as Kibana does.',
    });
  }

  private finished(rule: Rule, restriction: Expr | undefined): Rule {
    const { fallback } = this.extensions;
    if (restriction === undefined && Object.keys(fallback).length === 0) return rule;
    const onQuery = (query: EventQuery): EventQuery =>
      restriction === undefined
        ? query
        : { ...query, condition: { kind: 'and', operands: [query.condition, restriction] } };
    const onField = (field: FieldExpr): FieldExpr => {
      const names = Object.hasOwn(fallback, field.name) ? fallback[field.name] : undefined;
      return names === undefined ? field : { ...field, fallback: [...(field.fallback ?? []), ...names] };
    };
    return rewriteRule(rule, { query: onQuery, field: onField });
  }
}

const always: Expr = { kind: 'literal', value: true };

/** The event's index matches a pattern, and none of those that a minus excludes. */
function indexCondition(patterns: readonly string[], span: Span): Expr {
  const match = (names: readonly string[]): Expr => ({
    kind: 'match',
    value: { kind: 'field', name: '_index' },
    patterns: names.map((text) => ({ type: 'wildcard', text })),
    case: 'exact',
    span,
  });
  const excluded = patterns.filter((name) => name.startsWith('-')).map((name) => name.slice(1));
  const included = match(patterns.filter((name) => !name.startsWith('-')));
  return excluded.length === 0 ? included : allOf([included, noneOf(match(excluded), span)], span);
}
