/**
 * Links a rule set into one program: fields to columns, conditions to predicates over shared atoms, stateful rules to
 * their tables. Deterministic: equal rules in equal order, under equal options, give equal bytes.
 */
import { ColumnKind, ColumnRole } from '../core/abi/events.js';
import { PredicateId } from '../core/abi/predicates.js';
import { Section } from '../core/abi/program.js';
import { Action, EvidenceWord, RuleFlag, RuleKind, WitnessArgument } from '../core/abi/state.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { ProgramError } from '../core/errors.js';
import { programBytesMax } from '../core/limits.js';
import { SourceText } from '../core/source_text.js';
import type { CoverageCounter } from '../rule/coverage.js';
import type { BehaviorRule, EventQuery, Expr, KeyExpr, Rule } from '../rule/ir.js';
import { lineageRules } from '../rule/lineage.js';
import { encodeActions, encodeRules, type PredicateAction, type RuleEntry } from './actions.js';
import { type Column, ColumnTable } from './columns.js';
import { ecsFieldClass } from './field_classes.js';
import { ecsProcessFields, encodeLineage, type ProcessFields, systemQueries } from './lineage.js';
import { PredicateBuilder, type QueryContext } from './predicate_builder.js';
import { encodeProgram, fingerprintOf } from './program.js';
import { Refusal } from './refusal.js';
import { queriesOf, withinScope } from './rule_parts.js';
import { SectionWriter, StringTable } from './section_writer.js';
import { compileStateful } from './stateful.js';

/** Names of the fields that the engine itself reads, and what alerts carry. */
export interface CompileOptions {
  /** Default `event.category`. */
  readonly eventCategoryField?: string;
  /** Default `@timestamp`. */
  readonly timestampField?: string;
  /** Default `event.sequence`. */
  readonly tiebreakerField?: string;
  /** Names the host. Default: `host.id`, else `host.name`, else `agent.id`. */
  readonly hostField?: string;
  readonly processFields?: ProcessFields;
  /** Fields whose values alerts carry. Default none. */
  readonly evidenceFields?: readonly string[];
  /** Ids of match rules that judge events as they arrive, before they are held. Default none. */
  readonly earlyRules?: ReadonlySet<string>;
  /** Conditions that are counted for each host, by counter index. Default none. */
  readonly counters?: readonly CoverageCounter[];
  /** Fields that tell how events arrive: their id, where they have one, and when they were taken in. */
  readonly arrival?: { readonly eventId: string | null; readonly ingested: string };
}

/** A linked rule set. */
export interface CompiledProgram {
  /** The program as bytes: format `VDTP`. */
  readonly bytes: Uint8Array;
  readonly sections: ReadonlyMap<Section, Uint8Array>;
  readonly fingerprint: bigint;
  /** The rules that were compiled; a rule's place is its index in the kernel. */
  readonly rules: readonly Rule[];
  /** Why the other rules were not. */
  readonly diagnostics: readonly Diagnostic[];
  readonly columns: readonly Column[];
  /** Names of the fields that events need to carry. */
  readonly fields: readonly string[];
  /** Fields of `Section.Evidence`, by their index in evidence records: those that later steps of a sequence read, then others. */
  readonly evidenceFields: readonly string[];
  /** Mark bits of each behaviour rule, in the order of its marks. */
  readonly behaviorMarks: ReadonlyMap<Rule, readonly number[]>;
  /** Text of each mark's condition, by bit. */
  readonly markTexts: readonly string[];
  readonly usesLineage: boolean;
  readonly usesImages: boolean;
  readonly hasGlobalRules: boolean;
  readonly predicateCount: number;
  /** Columns of the fields of `arrival`; undefined where none was asked for. */
  readonly arrivalColumns: { readonly eventId: number | undefined; readonly ingested: number } | undefined;
}

/**
 * Compiles rules. A rule that cannot be compiled is left out and reported.
 * @throws ProgramError `PROGRAM_LIMIT`, naming the rule, where the rules together exceed a limit.
 */
export function compile(rules: readonly Rule[], options: CompileOptions = {}): CompiledProgram {
  const whole = linkWhole(rules, options);
  if (whole !== undefined) return whole;
  const { accepted, diagnostics } = screen(rules, options);
  return new Linker(accepted, options).link(diagnostics);
}

/** The program of all the rules, or undefined where any is refused: most sets are sound, and need no screening. */
function linkWhole(rules: readonly Rule[], options: CompileOptions): CompiledProgram | undefined {
  const ids = new Set(rules.map(({ id }) => id));
  if (ids.size < rules.length || withoutOrphans(rules, []).length < rules.length) return undefined;
  try {
    return new Linker(rules, options).link([]);
  } catch (error) {
    // Which rule exceeds a limit depends on which rules are refused.
    if (error instanceof Refusal || error instanceof ProgramError) return undefined;
    throw error;
  }
}

const contextOf = (rule: Rule, options: CompileOptions): QueryContext => ({
  ruleId: rule.id,
  categoryField: rule.eventCategoryField ?? options.eventCategoryField ?? 'event.category',
});

/** Tries every rule on a throwaway builder, so that a refused rule leaves nothing behind in the program. */
function screen(rules: readonly Rule[], options: CompileOptions): { accepted: Rule[]; diagnostics: Diagnostic[] } {
  const builder = new PredicateBuilder(new ColumnTable(ecsFieldClass), new StringTable());
  const diagnostics: Diagnostic[] = [];
  const ids = new Set<string>();
  const accepted = rules.filter((rule) => {
    try {
      if (ids.has(rule.id))
        throw new Refusal('RULE_ID', `another rule has the id ${rule.id}`, 'Give each rule its own id.');
      tryRule(rule, builder, contextOf(rule, options));
      ids.add(rule.id);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      diagnostics.push(diagnosticOf(error, rule));
      return false;
    }
  });
  return { accepted: withoutOrphans(accepted, diagnostics), diagnostics };
}

function tryRule(rule: Rule, builder: PredicateBuilder, context: QueryContext): void {
  const { queries, lookBacks = [], marks, keys } = queriesOf(rule);
  for (const query of marks) builder.mark(query, context);
  for (const query of queries) builder.add(query, context);
  for (const condition of lookBacks) builder.lookBack(condition, context);
  for (const key of keys) builder.key(key);
}

/** Leaves out temporal rules that hear of a rule that was left out, until none does. */
function withoutOrphans(rules: readonly Rule[], diagnostics: Diagnostic[]): Rule[] {
  const ids = new Set(rules.map(({ id }) => id));
  const kept = rules.filter((rule) => {
    const missing = rule.kind === 'temporal' ? rule.rules.find(({ id }) => !ids.has(id)) : undefined;
    if (missing === undefined) return true;
    const refusal = new Refusal(
      'RULE_REFERENCE',
      `it refers to rule ${missing.id}, which is not loaded`,
      'Load that rule too.',
    );
    diagnostics.push(diagnosticOf(refusal, rule));
    return false;
  });
  return kept.length === rules.length ? kept : withoutOrphans(kept, diagnostics);
}

function diagnosticOf(refusal: Refusal, rule: Rule): Diagnostic {
  const { file, text, line = 1 } = rule.source ?? {};
  const place =
    text === undefined || refusal.span === undefined
      ? { line: 1, column: 1 }
      : new SourceText(text).place(refusal.span);
  return {
    code: refusal.code,
    severity: 'error',
    message: refusal.message,
    remedy: refusal.remedy,
    ruleId: rule.id,
    ...place,
    line: place.line + line - 1,
    ...(file === undefined ? {} : { file }),
  };
}

class Linker {
  readonly #rules: readonly Rule[];
  readonly #options: CompileOptions;
  readonly #strings = new StringTable();
  readonly #columns = new ColumnTable(ecsFieldClass);
  readonly #predicates = new PredicateBuilder(this.#columns, this.#strings);
  readonly #actions: PredicateAction[] = [];
  readonly #entries = new Map<number, RuleEntry>();
  readonly #behaviorMarks = new Map<Rule, readonly number[]>();

  constructor(rules: readonly Rule[], options: CompileOptions) {
    this.#rules = rules;
    this.#options = options;
  }

  link(diagnostics: readonly Diagnostic[]): CompiledProgram {
    this.#takeOwnColumns();
    this.#rules.forEach((rule, index) => {
      if (rule.kind === 'match') this.#addMatch(rule.query, rule, index);
      else if (rule.kind === 'behavior') this.#addBehavior(rule, index);
    });
    const { hostField } = this.#options;
    const stateful = compileStateful(this.#rules, this.#source(), hostField === undefined ? {} : { hostField });
    const asking = lineageRules(this.#rules);
    for (const [index, entry] of stateful.entries) {
      const isAsking = asking.has(this.#rules[index]?.id ?? '');
      this.#entries.set(index, isAsking ? { ...entry, flags: entry.flags | RuleFlag.Lineage } : entry);
    }
    this.#actions.push(...stateful.actions);
    this.#addCounters();
    const usesImages = this.#rules.some(({ kind }) => kind === 'behavior');
    const usesLineage = usesImages || this.#predicates.markCount > 0;
    const lineage = this.#lineageSections(usesLineage, usesImages);
    const kept = this.#columns.kept;
    const evidenceFields = [...new Set([...kept, ...(this.#options.evidenceFields ?? [])])];
    const evidence = this.#encodeEvidence(evidenceFields, kept.length);
    const arrivalColumns = this.#arrivalColumns();
    this.#markActions();
    const sections = new Map<Section, Uint8Array>([...this.#predicates.finish(), ...lineage, ...stateful.sections]);
    sections.set(Section.Evidence, evidence);
    sections.set(Section.Actions, encodeActions(this.#actions, this.#predicates.predicateCount));
    sections.set(Section.Rules, encodeRules(this.#rules.map((_, index) => this.#entries.get(index) as RuleEntry)));
    sections.set(Section.Columns, this.#columns.encode());
    sections.set(Section.Strings, this.#strings.finish());
    const columns = this.#columns.list();
    return {
      ...this.#encode(sections),
      rules: this.#rules,
      diagnostics,
      columns,
      fields: [...new Set(columns.map(({ name }) => name))],
      evidenceFields,
      behaviorMarks: this.#behaviorMarks,
      markTexts: this.#predicates.markTexts,
      usesLineage,
      usesImages,
      hasGlobalRules: stateful.hasGlobalRules,
      predicateCount: this.#predicates.predicateCount,
      arrivalColumns,
    };
  }

  #arrivalColumns(): CompiledProgram['arrivalColumns'] {
    const { arrival } = this.#options;
    if (arrival === undefined) return undefined;
    const column = (field: string): number => this.#predicates.column(field, 'evidence');
    const { eventId, ingested } = arrival;
    return { eventId: eventId === null ? undefined : column(eventId), ingested: column(ingested) };
  }

  #encode(sections: Map<Section, Uint8Array>): Pick<CompiledProgram, 'bytes' | 'sections' | 'fingerprint'> {
    for (const [id, content] of sections) if (content.length === 0) sections.delete(id);
    const fingerprint = fingerprintOf(sections);
    const bytes = encodeProgram(sections, fingerprint);
    if (bytes.length > programBytesMax) {
      const largest = this.#rules.at(-1)?.id ?? '';
      throw new ProgramError(
        'PROGRAM_LIMIT',
        `rule ${largest}: the program has ${bytes.length} bytes, more than ${programBytesMax}; load fewer rules into one engine`,
      );
    }
    return { bytes, sections, fingerprint };
  }

  /** The columns that the row store itself reads. */
  #takeOwnColumns(): void {
    const { timestampField, tiebreakerField, hostField } = this.#options;
    this.#columns.fixed(timestampField ?? '@timestamp', ColumnKind.Time, ColumnRole.None);
    this.#columns.fixed(tiebreakerField ?? 'event.sequence', ColumnKind.Number, ColumnRole.Tiebreak);
    if (hostField !== undefined) {
      this.#columns.fixed(hostField, ColumnKind.Id, ColumnRole.HostId);
      return;
    }
    this.#columns.fixed('host.id', ColumnKind.Id, ColumnRole.HostId);
    this.#columns.fixed('host.name', ColumnKind.Text, ColumnRole.HostName);
    this.#columns.fixed('agent.id', ColumnKind.Id, ColumnRole.AgentId);
  }

  #source() {
    const contexts = this.#rules.map((rule) => contextOf(rule, this.#options));
    return {
      add: (query: EventQuery, rule: number) => this.#predicates.add(query, contexts[rule] as QueryContext),
      lookBack: (condition: Expr, rule: number) => this.#predicates.lookBack(condition, contexts[rule] as QueryContext),
      key: (components: readonly KeyExpr[]) => this.#predicates.key(components),
      column: (field: string, use: Parameters<PredicateBuilder['column']>[1]) => this.#predicates.column(field, use),
    };
  }

  #act(predicate: number, action: Action, rule: number, argument: number): void {
    this.#actions.push({ predicate, action, rule, argument });
  }

  #addMatch(query: EventQuery, rule: Rule, index: number): void {
    this.#act(this.#predicates.add(query, contextOf(rule, this.#options)), Action.Match, index, 0);
    const flags = this.#options.earlyRules?.has(rule.id) === true ? RuleFlag.Early : 0;
    this.#entries.set(index, { kind: RuleKind.Match, flags, data: 0 });
  }

  #addBehavior(rule: BehaviorRule, index: number): void {
    const context = contextOf(rule, this.#options);
    const within = (query: EventQuery): EventQuery => withinScope(query, rule.scope);
    const marks = rule.marks.map(({ query }) => this.#predicates.mark(within(query), context));
    this.#behaviorMarks.set(rule, marks);
    rule.items.forEach(({ query, unattributed }, item) => {
      const argument = item | (unattributed === true ? WitnessArgument.Unattributed : 0);
      this.#act(this.#predicates.add(within(query), context), Action.Witness, index, argument >>> 0);
    });
    const root = marks[rule.marks.findIndex(({ name }) => name === rule.root)] ?? 0;
    this.#entries.set(index, { kind: RuleKind.Behavior, flags: 0, data: root });
  }

  #addCounters(): void {
    const categoryField = this.#options.eventCategoryField ?? 'event.category';
    this.#options.counters?.forEach(({ id, query }, counter) => {
      try {
        this.#act(this.#predicates.add(query, { ruleId: `counter ${id}`, categoryField }), Action.Count, 0, counter);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        throw new ProgramError('PROGRAM_LIMIT', `coverage counter ${id}: ${error.message}; ${error.remedy}`);
      }
    });
  }

  #lineageSections(lineage: boolean, images: boolean): Map<Section, Uint8Array> {
    const fields = this.#options.processFields ?? ecsProcessFields;
    const categoryField = this.#options.eventCategoryField ?? 'event.category';
    if (lineage) {
      for (const { role, query } of systemQueries(fields, categoryField)) {
        const predicate = this.#predicates.system(query, { ruleId: 'lineage', categoryField });
        this.#act(predicate, Action.System, 0, role);
      }
    }
    return new Map([[Section.Lineage, encodeLineage(this.#predicates, fields, { lineage, images })]]);
  }

  /** Every mark sets its bit, whichever rule it serves. */
  #markActions(): void {
    for (let bit = 0; bit < this.#predicates.markCount; bit++) {
      this.#act(PredicateId.FirstMark + bit, Action.Mark, 0, bit);
    }
  }

  /** Fields that later steps read come first: they are kept whole as far as there is room. */
  #encodeEvidence(fields: readonly string[], kept: number): Uint8Array {
    const writer = new SectionWriter();
    writer.u32(fields.length);
    fields.forEach((field, index) => {
      const column = this.#predicates.column(field, 'evidence');
      writer.u32(index < kept ? column + EvidenceWord.Kept : column);
    });
    return writer.finish();
  }
}
