/** Bounds-checked reads of a section that may be damaged. */
import { ProgramError } from '../core/errors.js';

/** Refuses a program. @throws ProgramError `PROGRAM_FORMAT` */
export function refuseProgram(what: string): never {
  throw new ProgramError('PROGRAM_FORMAT', `not a sound rule program: ${what}; compile the rules again`);
}

/** A run of records of one size within a section. */
export interface Records {
  readonly start: number;
  readonly count: number;
  readonly bytes: number;
}

export class SectionView {
  readonly length: number;
  readonly #view: DataView;
  readonly #name: string;

  constructor(bytes: Uint8Array | undefined, name: string) {
    this.#view = new DataView(bytes?.buffer ?? new ArrayBuffer(0), bytes?.byteOffset ?? 0, bytes?.byteLength ?? 0);
    this.length = this.#view.byteLength;
    this.#name = name;
  }

  /** Refuses the program unless `holds`. */
  check(holds: boolean, what: string): void {
    if (!holds) refuseProgram(`${this.#name}: ${what}`);
  }

  u32(at: number): number {
    this.check(at >= 0 && at + 4 <= this.length, 'it is cut short');
    return this.#view.getUint32(at, true);
  }

  u16(at: number): number {
    this.check(at >= 0 && at + 2 <= this.length, 'it is cut short');
    return this.#view.getUint16(at, true);
  }

  u8(at: number): number {
    this.check(at >= 0 && at < this.length, 'it is cut short');
    return this.#view.getUint8(at);
  }

  f64(at: number): number {
    this.check(at >= 0 && at + 8 <= this.length, 'it is cut short');
    return this.#view.getFloat64(at, true);
  }

  /** Records that must lie within the section. */
  records(start: number, count: number, bytes: number, what: string): Records {
    this.check(start + count * bytes <= this.length, `${what} lie outside of it`);
    return { start, count, bytes };
  }

  /** Offset of each record. */
  *each({ start, count, bytes }: Records): Generator<number> {
    for (let i = 0; i < count; i++) yield start + i * bytes;
  }
}
