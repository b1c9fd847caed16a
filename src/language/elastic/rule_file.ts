import type { Diagnostic, Span } from '../../core/diagnostic.js';
import { diagnosticAt, type Problem, SourceText } from '../../core/source_text.js';
import type { Rule } from '../../rule/ir.js';
import { readJsonValues } from '../document/json.js';
import { ObjectReader, type Report } from '../document/reader.js';
import { readToml } from '../document/toml.js';
import { type DocumentFault, type DocumentNode, kindName, type ObjectNode } from '../document/tree.js';
import { ExceptionLists, stringOf } from './exception_lists.js';
import { inertMetadataKeys, inertTables } from './keys.js';
import type { ElasticOptions } from './options.js';
import { type RuleInput, readRule } from './rule.js';

export type { ElasticDialect, ElasticOptions } from './options.js';

/** Rules of a file and what is wrong with it. A rule with an error is only among the problems. */
export interface ElasticRules {
  readonly rules: Rule[];
  readonly problems: Diagnostic[];
}

/** Reads a rule file as the Elastic rule repository writes it: one rule in TOML. */
export function parseElasticToml(text: string, options: ElasticOptions = {}): ElasticRules {
  const file = new RuleFile(text, options);
  const root = readToml(text);
  if ('message' in root) file.fault('TOML_SYNTAX', root, 'Correct the TOML.');
  else file.rule(root, true);
  return file.result();
}

/** Reads rules as Kibana exports them (NDJSON, with exception lists), or one rule or a list of rules in JSON. */
export function parseElasticJson(text: string, options: ElasticOptions = {}): ElasticRules {
  const file = new RuleFile(text, options);
  const { values, faults } = readJsonValues(text);
  for (const fault of faults)
    file.fault('JSON_SYNTAX', fault, 'Correct the JSON; in an NDJSON file every line is one value.');
  const objects = values.flatMap((value) => file.objects(value));
  for (const node of objects) file.exceptions(node);
  for (const node of objects) if (kindOf(node) === 'rule') file.rule(node, false);
  return file.result();
}

class RuleFile {
  private readonly source: SourceText;
  private readonly options: ElasticOptions;
  private readonly lists = new ExceptionLists();
  private readonly rules: Rule[] = [];
  private readonly problems: Diagnostic[] = [];

  constructor(text: string, options: ElasticOptions) {
    this.source = new SourceText(text, options.file);
    this.options = options;
    this.lists.addPlain(options.exceptionItems ?? [], this.problems);
  }

  private readonly report: Report = (span: Span, problem: Problem) => {
    this.problems.push(diagnosticAt(this.source, span, problem));
  };

  fault(code: string, fault: DocumentFault, remedy: string): void {
    this.report(fault.span, { code, message: fault.message, remedy });
  }

  /** The tables of a JSON value: itself, or the items of a list. */
  objects(value: DocumentNode): ObjectNode[] {
    if (value.kind === 'array') return value.items.flatMap((item) => this.objects(item));
    if (value.kind === 'object') return [value];
    this.report(value.span, {
      code: 'RULE_TYPE',
      message: `a rule must be a table, not ${kindName(value)}`,
      expected: ['a rule'],
      remedy: 'Write a rule, or a list of rules.',
    });
    return [];
  }

  /** Takes the exception lists and items of an export. */
  exceptions(node: ObjectNode): void {
    const kind = kindOf(node);
    if (kind === 'exception list') this.lists.declare(stringOf(node, 'list_id') ?? '');
    if (kind === 'exception item') this.lists.add({ node, source: this.source });
  }

  /** Reads a rule: a table of its own, or one under `rule` beside `metadata`. */
  rule(root: ObjectNode, isWrapped: boolean): void {
    const entry = root.entries.get('rule');
    const packaged = stringOf(root, 'type') === 'security-rule' ? root.entries.get('attributes') : undefined;
    if (packaged?.node.kind === 'object') this.read(packaged.node, packaged.node.span, undefined);
    else if (isWrapped || entry?.node.kind === 'object') this.wrapped(root);
    else this.read(root, root.span, undefined);
  }

  private wrapped(root: ObjectNode): void {
    const file = new ObjectReader(root, 'the rule file', this.report, { start: 0, end: 1 });
    const rule = file.object('rule');
    if (rule === undefined && !file.has('rule')) file.missing('rule', 'the table of the rule');
    const extensions = this.metadata(file);
    file.acceptAll(inertTables);
    file.finish('warning');
    if (rule !== undefined) this.read(rule.node, file.keySpan('rule'), extensions);
  }

  private metadata(file: ObjectReader): ObjectNode | undefined {
    const metadata = file.object('metadata');
    if (metadata === undefined) return undefined;
    for (const [key, kind] of Object.entries(inertMetadataKeys)) metadata.accept(key, kind);
    const extensions = metadata.object('vedette');
    metadata.finish('warning');
    return extensions?.node;
  }

  private read(node: ObjectNode, place: Span, extensions: ObjectNode | undefined): void {
    const { source, options } = this;
    const input: RuleInput = { node, place, extensions, source, options, exceptions: this.lists };
    const { rule, problems } = readRule(input);
    this.problems.push(...problems);
    if (rule !== undefined) this.rules.push(rule);
  }

  /** The rules that stand, and each problem of a rule once. */
  result(): ElasticRules {
    const told = new Set<string>();
    const problems = this.problems.filter(({ code, file, line, column, message, ruleId }) => {
      const place = JSON.stringify([code, file, line, column, message, ruleId]);
      return !told.has(place) && told.add(place);
    });
    return { rules: this.rules, problems };
  }
}

type ObjectKind = 'rule' | 'exception list' | 'exception item' | 'summary' | 'connector';

/** What a line of an export is. Whatever is nothing else is read as a rule, so that its mistakes are told. */
function kindOf(node: ObjectNode): ObjectKind {
  const has = (key: string): boolean => node.entries.has(key);
  if (has('rule_id')) return 'rule';
  if (has('item_id') || (has('list_id') && has('entries'))) return 'exception item';
  if (has('list_id')) return 'exception list';
  if (has('exported_count') || has('exported_rules_count')) return 'summary';
  if (has('attributes') && stringOf(node, 'type') === 'action') return 'connector';
  return 'rule';
}
