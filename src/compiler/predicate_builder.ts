/**
 * Collects what rules ask of events: predicates, marks, group keys, columns. Equal queries share one predicate. Indexes
 * are final when handed out; code is made by `finish`, once every use of every column is known.
 */
import { ColumnKind } from '../core/abi/events.js';
import { Jump, KeyHeader, KeyValue, PredicateId } from '../core/abi/predicates.js';
import { Section } from '../core/abi/program.js';
import { ProgramError } from '../core/errors.js';
import { atomsMax, columnsMax, instructionsMax, marksMax, predicatesMax } from '../core/limits.js';
import type { EventQuery, Expr, KeyExpr, LineageExpr, TextPattern } from '../rule/ir.js';
import { declareUses } from './analysis.js';
import { arrange } from './arrange.js';
import { ColumnAtoms, encodeAtoms } from './atom_table.js';
import {
  type AtomFrequency,
  encodeCandidates,
  expectedChance,
  expectedFrequency,
  expectedPresence,
  type Guard,
  GuardBuilder,
  type WitnessAtom,
  witnessOf,
} from './candidates.js';
import { leafColumn } from './cells.js';
import { CodeTable } from './code.js';
import type { ColumnTable, ColumnUse } from './columns.js';
import { ConstantTable } from './constants.js';
import { ExpressionCompiler } from './expression_code.js';
import { refusePattern } from './field_patterns.js';
import { Lowering } from './lower.js';
import { QueryIndex } from './query_index.js';
import { Refusal } from './refusal.js';
import { SectionWriter, type StringTable } from './section_writer.js';

/** Which rule asks, and by which field its events have a category. */
export interface QueryContext {
  readonly ruleId: string;
  readonly categoryField: string;
}

interface Predicate {
  readonly id: number;
  readonly condition: Expr;
  readonly context: QueryContext;
  /** Asked for by a sequence against a partial match; rows are no candidates for it. */
  readonly looksBack: boolean;
}

type Range = 'system' | 'mark' | 'ordinary' | 'lookBack';

export class PredicateBuilder {
  readonly #columns: ColumnTable;
  readonly #strings: StringTable;
  readonly #predicates: Predicate[] = [];
  readonly #known = new QueryIndex();
  /** Text of each mark, by bit. */
  readonly #markTexts: string[] = [];
  readonly #keys: (readonly KeyExpr[])[] = [];
  readonly #keyIndex = new Map<string, number>();
  #next: { system: number; mark: number; ordinary: number } = {
    system: PredicateId.FirstSystem,
    mark: PredicateId.FirstMark,
    ordinary: PredicateId.FirstOrdinary,
  };

  constructor(columns: ColumnTable, strings: StringTable) {
    this.#columns = columns;
    this.#strings = strings;
  }

  /** Index of a field's column. */
  column(field: string, use: ColumnUse): number {
    return this.#columns.use(field, use);
  }

  /**
   * The predicate that is true for an event exactly when the query is. The same id for an equal query.
   * @throws Refusal where the condition cannot be compiled; nothing is added then.
   */
  add(query: EventQuery, context: QueryContext): number {
    return this.#add('ordinary', query, context);
  }

  /** As {@link add}; evaluated before all marks, in the order of the calls. */
  system(query: EventQuery, context: QueryContext): number {
    if (this.#next.system >= PredicateId.FirstMark) throw new RangeError('more system predicates than reserved');
    return this.#add('system', query, context);
  }

  /** The predicate of a condition on an event and the events that a partial match took before. @throws Refusal */
  lookBack(condition: Expr, context: QueryContext): number {
    return this.#add('lookBack', { category: null, condition }, context);
  }

  /** Bit of the mark that events of the query set; its predicate is `PredicateId.FirstMark` + bit. */
  mark(query: EventQuery, context: QueryContext): number {
    return this.#add('mark', query, context) - PredicateId.FirstMark;
  }

  /** Text of each mark's condition, by bit: equal for equal conditions of any two programs. */
  get markTexts(): string[] {
    return [...this.#markTexts];
  }

  /** Number of marks. */
  get markCount(): number {
    return this.#next.mark - PredicateId.FirstMark;
  }

  /** One more than the largest predicate id. */
  get predicateCount(): number {
    return this.#next.ordinary;
  }

  #add(range: Range, query: EventQuery, context: QueryContext): number {
    const condition = withCategory(query, context.categoryField);
    const known = this.#known.get(range, query, context.categoryField);
    if (known !== undefined) return known;
    declareUses(condition, {
      columns: this.#columns,
      mark: (expr) => this.mark(expr.query, context),
      looksBack: range === 'lookBack',
    });
    this.#checkRoom(range, context.ruleId);
    const id = this.#next[range === 'lookBack' ? 'ordinary' : range]++;
    this.#predicates.push({ id, condition, context, looksBack: range === 'lookBack' });
    this.#known.set(range, query, context.categoryField, id);
    if (range === 'mark') {
      this.#markTexts.push(`mark ${context.categoryField} ${canonical([query.category, query.condition])}`);
    }
    return id;
  }

  #checkRoom(range: Range, ruleId: string): void {
    if (range === 'mark' && this.markCount >= marksMax) {
      throw new Refusal(
        'COMPILE_MARKS',
        `the rules have more than ${marksMax} different conditions on process lineage`,
        'Load fewer rules with "descendant of", "child of" or "event of" into one engine.',
      );
    }
    if (this.#next.ordinary >= predicatesMax) throw limitError(ruleId, 'conditions', predicatesMax);
    if (this.#columns.count > columnsMax) throw limitError(ruleId, 'fields', columnsMax);
  }

  /**
   * Id of a group key. A component that is missing keeps an event from joining, unless it is an optional field.
   * @throws Refusal where a component cannot be compiled.
   */
  key(components: readonly KeyExpr[]): number {
    const text = canonical(components);
    const known = this.#keyIndex.get(text);
    if (known !== undefined) return known;
    for (const component of components) {
      if (component.kind === 'field') refusePattern(component.name, component.span);
      if (component.kind === 'field' && component.fallback === undefined) {
        this.#columns.use(component.name, 'identity');
      } else declareUses(component, { columns: this.#columns, mark: noLineage });
    }
    const id = this.#keys.push(components) - 1;
    this.#keyIndex.set(text, id);
    return id;
  }

  /** Makes the code. @throws ProgramError `PROGRAM_LIMIT`, naming the rule that exceeds a limit. */
  finish(): Map<Section, Uint8Array> {
    const constants = new ConstantTable(this.#strings);
    const code = new CodeTable();
    const atoms: (ColumnAtoms | undefined)[] = this.#columns.list().map(() => undefined);
    let mostAtoms = 0;
    const atomsOf = (column: number): ColumnAtoms => {
      atoms[column] ??= new ColumnAtoms();
      mostAtoms = Math.max(mostAtoms, atoms[column].count);
      return atoms[column];
    };
    let categoryField = '';
    const lowering = new Lowering({
      columns: this.#columns,
      constants,
      code,
      atoms: atomsOf,
      mark: (expr) => this.#markOf(expr, categoryField),
    });
    const frequency = this.#frequencies(atoms);
    const entries = new Array<number>(this.predicateCount).fill(Jump.Unused);
    const textColumns = this.#columns.list().flatMap(({ index, kind }) => (kind === ColumnKind.Text ? [index] : []));
    const guards = new GuardBuilder(textColumns);
    const witnesses: (readonly WitnessAtom[] | undefined)[] = [];
    for (const { id, condition, context, looksBack } of this.#predicates) {
      const { ruleId } = context;
      categoryField = context.categoryField;
      const formula = lowering.condition(condition).isTrue();
      entries[id] = code.block(arrange(formula, (column, atom) => expectedChance(frequency(column, atom))));
      if (!looksBack) {
        guards.add(id, formula);
        witnesses[id] = witnessOf(formula, frequency)?.atoms;
      }
      if (code.instructionCount + code.operationCount > instructionsMax) {
        throw limitError(ruleId, 'instructions', instructionsMax);
      }
      if (mostAtoms > atomsMax) throw limitError(ruleId, 'conditions on one field', atomsMax);
    }
    const keys = this.#encodeKeys(constants, code);
    return new Map([
      [Section.Predicates, encodeEntries(entries)],
      [Section.Candidates, this.#encodeCandidates(atoms, atomsOf, witnesses, guards.guards())],
      [Section.Keys, keys],
      [Section.Atoms, encodeAtoms(atoms, this.#strings)],
      [Section.HostFunctions, code.encodeHosts(this.#strings)],
      [Section.Constants, constants.encode()],
      [Section.Code, code.encode()],
    ]);
  }

  #markOf(expr: LineageExpr, categoryField: string): number {
    const id = this.#known.get('mark', expr.query, categoryField);
    if (id === undefined) throw new RangeError('a lineage condition without a mark');
    return id - PredicateId.FirstMark;
  }

  /** How often each atom is expected to hold. Only TEXT columns tell by an atom whether they have a value. */
  #frequencies(atoms: readonly (ColumnAtoms | undefined)[]): AtomFrequency {
    const columns = this.#columns.list().map(({ name, kind }) => ({
      ofShape: {
        equals: expectedFrequency(name, 'equals'),
        pattern: expectedFrequency(name, 'pattern'),
        check: expectedFrequency(name, 'check'),
      },
      exists: kind === ColumnKind.Text ? expectedPresence(name) : Number.POSITIVE_INFINITY,
    }));
    return (column, atom) => {
      const expected = columns[column] as (typeof columns)[number];
      return atom === 'exists' ? expected.exists : expected.ofShape[atoms[column]?.shape(atom) ?? 'check'];
    };
  }

  #encodeCandidates(
    atoms: readonly (ColumnAtoms | undefined)[],
    atomsOf: (column: number) => ColumnAtoms,
    witnesses: readonly (readonly WitnessAtom[] | undefined)[],
    guards: readonly Guard[],
  ): Uint8Array {
    const anything: TextPattern = { type: 'contains', text: '' };
    const predicates = this.#predicates
      .filter(({ looksBack }) => !looksBack)
      .map(({ id }) => ({
        id,
        witness: witnesses[id]?.map(({ column, atom }) => ({
          column,
          atom: atom === 'exists' ? atomsOf(column).atom([anything], 'exact') : atom,
        })),
      }))
      .sort((a, b) => a.id - b.id);
    return encodeCandidates(
      atoms.map((table) => table?.count ?? 0),
      predicates,
      guards,
    );
  }

  #encodeKeys(constants: ConstantTable, code: CodeTable): Uint8Array {
    const writer = new SectionWriter();
    const components = this.#keys.flat();
    writer.u32(this.#keys.length);
    writer.u32(components.length);
    writer.u32(KeyHeader.Bytes);
    writer.u32(KeyHeader.Bytes + 8 * this.#keys.length);
    let first = 0;
    for (const key of this.#keys) {
      writer.u32(first);
      writer.u32(key.length);
      first += key.length;
    }
    for (const component of components) {
      const isField = component.kind === 'field' && component.fallback === undefined;
      const isOptional = component.kind === 'field' && component.optional === true;
      writer.u32(isField ? this.#columns.use(component.name, 'identity') : KeyValue.Leaf);
      writer.u32(isField ? 0 : this.#keyLeaf(component, constants, code));
      writer.u32(isOptional ? 1 : 0);
    }
    return writer.finish();
  }

  #keyLeaf(component: Expr, constants: ConstantTable, code: CodeTable): number {
    const compiler = new ExpressionCompiler(constants, code, (expr, name) => leafColumn(this.#columns, expr, name));
    return compiler.leaf(component);
  }
}

function noLineage(expr: LineageExpr): never {
  throw new Refusal('COMPILE_KEY', 'a lineage condition is no part of a group key', 'Join by fields.', expr.span);
}

function withCategory({ category, condition }: EventQuery, categoryField: string): Expr {
  if (category === null) return condition;
  const value: Expr = { kind: 'field', name: categoryField };
  const isOf: Expr = { kind: 'match', value, patterns: [{ type: 'equals', text: category }], case: 'exact' };
  return { kind: 'and', operands: [isOf, condition] };
}

/** Text that is equal for equal expressions, wherever they were written. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (key, part) => (key === 'span' ? undefined : part));
}

function encodeEntries(entries: readonly number[]): Uint8Array {
  const writer = new SectionWriter();
  writer.u32(entries.length);
  for (const entry of entries) writer.u32(entry);
  return writer.finish();
}

function limitError(ruleId: string, what: string, limit: number): ProgramError {
  return new ProgramError(
    'PROGRAM_LIMIT',
    `rule ${ruleId}: the rules need more than ${limit} ${what}; load fewer rules into one engine`,
  );
}
