/** The coverage model's file: YAML whose conditions are EQL, to the model. */
import type { Diagnostic } from '../core/diagnostic.js';
import { diagnosticAt, EmbeddedText, SourceText } from '../core/source_text.js';
import type {
  CoverageCounter,
  CoverageField,
  CoverageModel,
  CoverageRequirement,
  CoverageRule,
  CoverageSource,
} from '../rule/coverage.js';
import type { EventQuery } from '../rule/ir.js';
import { ObjectReader } from './document/reader.js';
import type { StringNode } from './document/tree.js';
import { readYamlValues } from './document/yaml.js';
import { parseEql } from './eql/index.js';

/** Reads a coverage model. With any problem of severity `error` there is no model. Never throws for the text. */
export function parseCoverageModel(
  text: string,
  file?: string,
): { readonly model: CoverageModel | undefined; readonly problems: readonly Diagnostic[] } {
  const parser = new ModelParser(new SourceText(text, file));
  const model = parser.parse();
  const hasErrors = parser.problems.some(({ severity }) => severity === 'error');
  return { model: hasErrors ? undefined : model, problems: parser.problems };
}

class ModelParser {
  readonly problems: Diagnostic[] = [];
  readonly #source: SourceText;
  readonly #counters: CoverageCounter[] = [];

  constructor(source: SourceText) {
    this.#source = source;
  }

  parse(): CoverageModel | undefined {
    const { values, faults } = readYamlValues(this.#source.text);
    for (const { message, span } of faults)
      this.problems.push(diagnosticAt(this.#source, span, { code: 'COVERAGE_YAML', message }));
    const [node] = values;
    if (node?.kind !== 'object') return undefined;
    const reader = new ObjectReader(node, 'the coverage model', (span, problem) => {
      this.problems.push(diagnosticAt(this.#source, span, problem));
    });
    reader.number('version', 1, 1);
    const model = this.#model(reader);
    reader.finish();
    return model;
  }

  #model(reader: ObjectReader): CoverageModel {
    const classPlatforms: Record<string, readonly string[]> = {};
    const classes = reader.objects('classes').map((entry) => {
      const platforms = entry.strings('platforms');
      const id = this.#counted(entry, 'class');
      if (platforms !== undefined) classPlatforms[id] = platforms;
      return id;
    });
    this.#collected(reader, classes);
    const filtered = this.#filtered(reader);
    const fields = reader.objects('fields').map((entry) => this.#field(entry));
    const activity = this.#query(reader.stringNode('activity'));
    if (activity !== undefined) this.#counters.push({ id: 'activity', query: activity });
    const platforms = reader.objects('platforms').map((entry) => this.#counted(entry, 'platform'));
    return {
      classes,
      classPlatforms,
      filtered,
      fields,
      platforms,
      sources: reader.objects('sources').map((entry) => this.#sourceOf(entry)),
      rules: reader.objects('rules').map(ruleOf),
      absent: stringMap(reader.object('absent')),
      gaps: gapsOf(reader.object('gaps')),
      counters: this.#counters,
    };
  }

  #counted(entry: ObjectReader, kind: string): string {
    const id = entry.requiredString('id') ?? '';
    const query = this.#query(entry.stringNode('when'));
    if (query !== undefined) this.#counters.push({ id: `${kind}:${id}`, query });
    entry.finish();
    return id;
  }

  /** Counts, for each class, the events by which a sensor says that it collects the class. */
  #collected(reader: ObjectReader, classes: readonly string[]): void {
    const signal = this.#query(reader.stringNode('collected'));
    const field = reader.string('collected_field');
    if (signal === undefined || field === undefined) return;
    for (const id of classes) {
      const value = { kind: 'field', name: field } as const;
      const named = { kind: 'match', value, patterns: [{ type: 'equals', text: id }], case: 'exact' } as const;
      const condition = { kind: 'and', operands: [signal.condition, named] } as const;
      this.#counters.push({ id: `health:${id}`, query: { category: signal.category, condition } });
    }
  }

  /** Counts the classes listed under `filtered` again for events whose process is an `actor`. */
  #filtered(reader: ObjectReader): string[] {
    const actor = this.#query(reader.stringNode('actor'), 'any where ');
    const ids = reader.strings('filtered') ?? [];
    for (const id of ids) {
      const of = this.#counters.find((counter) => counter.id === `class:${id}`);
      if (of === undefined || actor === undefined) continue;
      const condition = { kind: 'and', operands: [of.query.condition, actor.condition] } as const;
      this.#counters.push({ id: `actor:${id}`, query: { category: of.query.category, condition } });
    }
    return ids;
  }

  #field(entry: ObjectReader): CoverageField {
    const gap = entry.string('gap');
    const platforms = entry.strings('platforms');
    const field = {
      of: entry.requiredString('of') ?? '',
      ...(gap === undefined ? {} : { gap }),
      ...(platforms === undefined ? {} : { platforms }),
    };
    const of = this.#counters.find(({ id }) => id === `class:${field.of}`);
    const when = this.#query(entry.stringNode('when'), 'any where ');
    const id = entry.requiredString('id') ?? '';
    if (of !== undefined && when !== undefined) {
      const condition = { kind: 'and', operands: [of.query.condition, when.condition] } as const;
      this.#counters.push({ id: `field:${id}`, query: { category: of.query.category, condition } });
    }
    entry.finish();
    return { id, ...field };
  }

  #sourceOf(entry: ObjectReader): CoverageSource {
    const title = entry.requiredString('title') ?? '';
    const cannot: Record<string, Record<string, string>> = {};
    const table = entry.object('cannot');
    for (const platform of table?.node.entries.keys() ?? []) cannot[platform] = stringMap(table?.object(platform));
    const sequence = entry.boolean('sequence') ?? false;
    return { id: this.#counted(entry, 'source'), title, sequence, cannot };
  }

  /** A condition; `prefix` makes a bare condition a query. */
  #query(node: StringNode | undefined, prefix = ''): EventQuery | undefined {
    if (node === undefined) return undefined;
    const source = new EmbeddedText(this.#source, (offset) => node.offsetInFile(Math.max(0, offset - prefix.length)));
    const { query, problems } = parseEql(prefix + node.value, { source });
    this.problems.push(...problems);
    return query?.kind === 'event' ? query.query : undefined;
  }
}

function ruleOf(entry: ObjectReader): CoverageRule {
  const legs: Record<string, CoverageRequirement> = {};
  const table = entry.object('legs');
  for (const leg of table?.node.entries.keys() ?? []) legs[leg] = requirementOf(table?.object(leg));
  const rule = {
    id: entry.requiredString('id') ?? '',
    platforms: entry.strings('platforms') ?? [],
    base: requirementOf(entry.object('base')),
    legs,
  };
  entry.finish();
  return rule;
}

function requirementOf(entry: ObjectReader | undefined): CoverageRequirement {
  const requirement = {
    all: entry?.strings('all') ?? [],
    any: entry?.strings('any') ?? [],
    fields: entry?.strings('fields') ?? [],
    recommended: entry?.strings('recommended') ?? [],
  };
  entry?.finish();
  return requirement;
}

function stringMap(table: ObjectReader | undefined): Record<string, string> {
  const map: Record<string, string> = {};
  for (const name of table?.node.entries.keys() ?? []) map[name] = table?.string(name) ?? '';
  return map;
}

function gapsOf(table: ObjectReader | undefined): Record<string, { effect: string; remedy: string }> {
  const gaps: Record<string, { effect: string; remedy: string }> = {};
  for (const code of table?.node.entries.keys() ?? []) {
    const entry = table?.object(code);
    gaps[code] = { effect: entry?.requiredString('effect') ?? '', remedy: entry?.requiredString('remedy') ?? '' };
    entry?.finish();
  }
  return gaps;
}
