/** `Section.Code`, `Section.HostFunctions`: instructions, leaves, nested blocks and expressions as they are handed out. */
import { CodeHeader, type Comparison, HostFunctionRecord, Jump, type Op, Test } from '../core/abi/predicates.js';
import type { RegexTest } from '../rule/regex.js';
import { textSpace } from './constants.js';
import type { Formula, RowTest } from './formula.js';
import { SectionWriter, type StringTable } from './section_writer.js';

/** One instruction of the expression machine. */
export interface Operation {
  readonly op: Op;
  readonly mode?: number;
  readonly count?: number;
  readonly operand?: number;
}

interface Row {
  readonly test: Test;
  readonly flags: number;
  readonly column: number;
  readonly operand: number;
  onTrue: number;
  onFalse: number;
}

const elementFlag = 0x80;

/** Collects code. Equal leaves, nested blocks and regular expressions are shared. */
export class CodeTable {
  readonly #rows: Row[] = [];
  readonly #leaves: { start: number; length: number; columnStart: number; columnCount: number }[] = [];
  readonly #nested: { entry: number; columnStart: number; columnCount: number; op: Comparison; wanted: number }[] = [];
  readonly #columns: number[] = [];
  readonly #operations: Operation[] = [];
  readonly #hosts: RegexTest[] = [];
  readonly #known = new Map<string, number>();
  /** Conditions of nested blocks whose code is not laid out yet. */
  readonly #open: { readonly block: number; readonly condition: Formula }[] = [];

  get instructionCount(): number {
    return this.#rows.length;
  }

  get operationCount(): number {
    return this.#operations.length;
  }

  /** Index of a leaf; `columns` are leaf column words. */
  leaf(operations: readonly Operation[], columns: readonly number[]): number {
    return this.#share(`leaf ${JSON.stringify([operations, columns])}`, () => {
      const leaf = { start: this.#operations.length, length: operations.length, ...this.#columnRun(columns) };
      this.#operations.push(...operations);
      return this.#leaves.push(leaf) - 1;
    });
  }

  /** Index of a nested block: how many elements of `columns` satisfy `condition`. */
  nested(condition: Formula, columns: readonly number[], op: Comparison, wanted: number): number {
    return this.#share(`nested ${JSON.stringify([condition, columns, op, wanted])}`, () => {
      const block = this.#nested.push({ entry: Jump.False, ...this.#columnRun(columns), op, wanted }) - 1;
      this.#open.push({ block, condition });
      return block;
    });
  }

  host(test: RegexTest): number {
    const { patterns, case: mode, anchor } = test;
    return this.#share(`host ${JSON.stringify([patterns, mode, anchor])}`, () => this.#hosts.push(test) - 1);
  }

  #share(key: string, make: () => number): number {
    let index = this.#known.get(key);
    if (index === undefined) {
      index = make();
      this.#known.set(key, index);
    }
    return index;
  }

  #columnRun(columns: readonly number[]): { columnStart: number; columnCount: number } {
    const columnStart = this.#columns.length;
    this.#columns.push(...columns);
    return { columnStart, columnCount: columns.length };
  }

  /** Lays out a formula; returns its entry, an instruction index or a {@link Jump}. */
  block(formula: Formula): number {
    const entry = this.#layOut(formula);
    for (let open = this.#open.shift(); open !== undefined; open = this.#open.shift()) {
      const block = this.#nested[open.block];
      if (block !== undefined) block.entry = this.#layOut(open.condition);
    }
    return entry;
  }

  /**
   * Instructions are made last first, because targets must be known, then reversed: targets lead only forward, so
   * every block ends.
   */
  #layOut(formula: Formula): number {
    const made: Row[] = [];
    const entry = emit(formula, Jump.True, Jump.False, made);
    const base = this.#rows.length;
    const place = (target: number): number => (target >= Jump.Unused ? target : base + made.length - 1 - target);
    for (let i = made.length - 1; i >= 0; i--) {
      const row = made[i] as Row;
      row.onTrue = place(row.onTrue);
      row.onFalse = place(row.onFalse);
      this.#rows.push(row);
    }
    return place(entry);
  }

  encode(): Uint8Array {
    const writer = new SectionWriter();
    writer.u32(this.#rows.length);
    writer.u32(this.#leaves.length);
    writer.u32(this.#nested.length);
    writer.u32(this.#columns.length);
    writer.u32(this.#operations.length);
    writer.zeros(CodeHeader.Bytes - writer.length);
    const part = (field: CodeHeader, write: () => void): void => {
      writer.align(16);
      writer.patch(field, writer.length);
      write();
    };
    part(CodeHeader.Instructions, () => {
      for (const row of this.#rows) writeRow(writer, row);
    });
    part(CodeHeader.Leaves, () => {
      for (const leaf of this.#leaves) {
        for (const word of [leaf.start, leaf.length, leaf.columnStart, leaf.columnCount]) writer.u32(word);
      }
    });
    part(CodeHeader.Nested, () => {
      for (const block of this.#nested) {
        for (const word of [block.entry, block.columnStart, block.columnCount, block.op, block.wanted])
          writer.u32(word);
      }
    });
    part(CodeHeader.Columns, () => {
      for (const column of this.#columns) writer.u32(column);
    });
    part(CodeHeader.Expressions, () => {
      for (const { op, mode, count, operand } of this.#operations) {
        writer.u8(op);
        writer.u8(mode ?? 0);
        writer.u16(count ?? 0);
        writer.u32(operand ?? 0);
      }
    });
    return writer.finish();
  }

  /** `Section.HostFunctions`; empty where the program has none. */
  encodeHosts(strings: StringTable): Uint8Array {
    const writer = new SectionWriter();
    if (this.#hosts.length === 0) return writer.finish();
    writer.u32(this.#hosts.length);
    for (const host of this.#hosts) {
      const start = writer.length;
      const text = strings.intern(JSON.stringify(host.patterns));
      writer.zeros(HostFunctionRecord.Bytes);
      writer.patch(start + HostFunctionRecord.Space, textSpace[host.case]);
      writer.patch(start + HostFunctionRecord.IsFull, host.anchor === 'full' ? 1 : 0);
      writer.patch(start + HostFunctionRecord.TextOffset, text.offset);
      writer.patch(start + HostFunctionRecord.TextLength, text.length);
    }
    return writer.finish();
  }
}

/** Appends the instructions of a formula, last first; returns where it starts. */
function emit(formula: Formula, onTrue: number, onFalse: number, made: Row[]): number {
  switch (formula.kind) {
    case 'constant':
      return formula.value ? onTrue : onFalse;
    case 'test': {
      const [yes, no] = formula.negated ? [onFalse, onTrue] : [onTrue, onFalse];
      return made.push(rowOf(formula.test, yes, no)) - 1;
    }
    case 'and':
      return formula.operands.reduceRight((next, operand) => emit(operand, next, onFalse, made), onTrue);
    case 'or':
      return formula.operands.reduceRight((next, operand) => emit(operand, onTrue, next, made), onFalse);
  }
}

function rowOf(test: RowTest, onTrue: number, onFalse: number): Row {
  const row = (kind: Test, flags: number, column: number, operand: number): Row => ({
    test: kind,
    flags,
    column,
    operand,
    onTrue,
    onFalse,
  });
  switch (test.kind) {
    case 'leaf':
      return row(Test.Leaf, test.outcome, 0, test.leaf);
    case 'nested':
      return row(Test.Nested, 0, 0, test.block);
    case 'lineage':
      return row(Test.Lineage, test.relation, 0, test.mark);
    case 'number':
      return row(Test.Number, test.comparison, test.cell.column, test.constant);
    case 'numberSet':
      return row(Test.NumberSet, 0, test.cell.column, test.constant);
    case 'id':
      return row(Test.Id, 0, test.cell.column, test.constant);
    case 'atom':
      return row(Test.Atom, test.cell.element ? elementFlag : 0, test.cell.column, test.atom);
    case 'exists':
      return row(Test.Exists, test.cell.element ? elementFlag : 0, test.cell.column, 0);
    case 'host':
      return row(Test.Host, test.cell.element ? elementFlag : 0, test.cell.column, test.index);
  }
}

function writeRow(writer: SectionWriter, row: Row): void {
  writer.u8(row.test);
  writer.u8(row.flags);
  writer.u16(row.column);
  writer.u32(row.operand);
  writer.u32(row.onTrue);
  writer.u32(row.onFalse);
}
