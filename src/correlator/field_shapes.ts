/**
 * Objects of evidence fields. Events of one kind have the same fields in the same order, so that an object for them is
 * made whole, of the right size, and not grown field by field: sessions keep many of them for long.
 */
import type { EvidenceValue } from './behavior/witness.js';

/** One list of fields, and an object that has them all. */
interface Shape {
  readonly names: readonly number[];
  readonly template: Readonly<Record<string, EvidenceValue>>;
}

const places = 1024;
/** Lists of fields that are remembered; those of streams without any order are few or not worth it. */
const namesMax = 256;

export class FieldShapes {
  readonly #shapes: (Shape | undefined)[] = new Array(places).fill(undefined);

  /** `names` are the fields by index. */
  constructor(private readonly names: readonly string[]) {}

  /** A new object with the fields of the first `count` indexes of `list`, whose values the caller sets. */
  object(list: Uint16Array, count: number): Record<string, EvidenceValue> {
    let hash = count;
    for (let i = 0; i < count; i++) hash = Math.imul(hash ^ (list[i] as number), 0x01000193);
    const place = (hash ^ (hash >>> 15)) & (places - 1);
    let shape = this.#shapes[place];
    if (shape === undefined || !isOf(shape, list, count)) {
      shape = this.#learn(list, count);
      if (count <= namesMax) this.#shapes[place] = shape;
    }
    return { ...shape.template };
  }

  #learn(list: Uint16Array, count: number): Shape {
    const names = [...list.subarray(0, count)];
    return { names, template: Object.fromEntries(names.map((index) => [this.names[index] ?? '', ''])) };
  }
}

function isOf({ names }: Shape, list: Uint16Array, count: number): boolean {
  if (names.length !== count) return false;
  for (let i = 0; i < count; i++) if (names[i] !== list[i]) return false;
  return true;
}
