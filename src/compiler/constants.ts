/** Constants of a program: `Section.Constants`. */
import { ConstantRecord, PatternType, TextSpace, ValueType } from '../core/abi/predicates.js';
import type { CaseMode, TextPattern } from '../rule/ir.js';
import { Float, fold, parseBlock, type Value } from '../rule/semantics.js';
import { SectionWriter, type StringTable, type TextRef } from './section_writer.js';
import { wildcardBytes } from './wildcard.js';

interface Constant {
  readonly type: ValueType;
  readonly text?: TextRef;
  readonly number?: number;
  readonly aux?: number;
  readonly space?: TextSpace;
}

export const textSpace: Readonly<Record<CaseMode, TextSpace>> = {
  exact: TextSpace.Exact,
  ascii: TextSpace.Ascii,
  unicode: TextSpace.Unicode,
};

export const patternType: Readonly<Record<TextPattern['type'], PatternType>> = {
  equals: PatternType.Equals,
  prefix: PatternType.Prefix,
  suffix: PatternType.Suffix,
  contains: PatternType.Contains,
  wildcard: PatternType.Wildcard,
};

/** Hands out constant indexes; equal runs of constants share them. */
export class ConstantTable {
  readonly #constants: Constant[] = [];
  readonly #runs = new Map<string, number>();
  readonly #strings: StringTable;

  constructor(strings: StringTable) {
    this.#strings = strings;
  }

  /** Index of a value. */
  value(value: Value): number {
    const key = value instanceof Float ? `float ${value.value}` : `${typeof value} ${value}`;
    return this.#run(key, () => [this.#valueConstant(value)]);
  }

  #valueConstant(value: Value): Constant {
    if (value === null) return { type: ValueType.Null, number: 0 };
    if (typeof value === 'string') return { type: ValueType.Text, text: this.#strings.intern(value) };
    if (typeof value === 'boolean') return { type: ValueType.Boolean, number: value ? 1 : 0 };
    if (value instanceof Float) return { type: ValueType.Float, number: value.value };
    return { type: Number.isInteger(value) ? ValueType.Integer : ValueType.Float, number: value };
  }

  /** Index of the count of a set of numbers; the numbers follow, ascending. */
  numberSet(values: readonly number[]): number {
    const sorted = [...new Set(values)].sort((a, b) => a - b);
    return this.#run(`numbers ${sorted.join(' ')}`, () =>
      [sorted.length, ...sorted].map((value) => this.#valueConstant(value)),
    );
  }

  /** Index of the first of the patterns, each folded by the case mode. */
  patterns(patterns: readonly TextPattern[], mode: CaseMode): number {
    return this.#run(`patterns ${mode} ${JSON.stringify(patterns)}`, () =>
      patterns.map((pattern) => {
        const text = fold(pattern.text, mode);
        const bytes = pattern.type === 'wildcard' ? wildcardBytes(text) : new TextEncoder().encode(text);
        return {
          type: ValueType.Pattern,
          text: this.#strings.add(bytes),
          aux: patternType[pattern.type],
          space: textSpace[mode],
        };
      }),
    );
  }

  /** Index of the first of the address blocks; texts that are not blocks are left out. */
  blocks(blocks: readonly string[]): { readonly first: number; readonly count: number } {
    const parsed = blocks.flatMap((block) => parseBlock(block) ?? []);
    if (parsed.length === 0) return { first: 0, count: 0 };
    const key = parsed.map(({ bits, prefix }) => `${bits}/${prefix}`).join(' ');
    const first = this.#run(`blocks ${key}`, () =>
      parsed.map(({ bits, prefix }) => ({
        type: ValueType.Block,
        text: this.#strings.add(bytesOf(bits)),
        aux: prefix,
      })),
    );
    return { first, count: parsed.length };
  }

  /** Index of the first of a run of constants, made once for each key. */
  #run(key: string, make: () => readonly Constant[]): number {
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    const first = this.#constants.length;
    this.#constants.push(...make());
    this.#runs.set(key, first);
    return first;
  }

  encode(): Uint8Array {
    const writer = new SectionWriter();
    writer.u32(this.#constants.length);
    writer.u32(0);
    for (const constant of this.#constants) {
      const start = writer.length;
      writer.u32(constant.type);
      writer.u32(constant.text?.length ?? 0);
      if (constant.text === undefined) writer.f64(constant.number ?? 0);
      else {
        writer.u32(constant.text.offset);
        writer.u32(0);
      }
      writer.u32(constant.aux ?? 0);
      writer.u32(constant.space ?? 0);
      writer.zeros(start + ConstantRecord.Bytes - writer.length);
    }
    return writer.finish();
  }
}

/** The 16 bytes of an address, in network order. */
function bytesOf(bits: bigint): Uint8Array {
  return Uint8Array.from({ length: 16 }, (_, i) => Number((bits >> BigInt(8 * (15 - i))) & 0xffn));
}
