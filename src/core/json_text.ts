/** JSON of large values piece by piece: the whole of it is never one text, and parts that are text already stay so. */

/**
 * A value whose JSON is made when it is asked for, once: whoever changes the value asks before. `toJSON` reads it again,
 * for writers that do not know it.
 */
export class JsonText {
  #value: (() => unknown) | undefined;
  #text = '';

  constructor(value: () => unknown) {
    this.#value = value;
  }

  get text(): string {
    if (this.#value !== undefined) {
      this.#text = JSON.stringify(this.#value());
      this.#value = undefined;
    }
    return this.#text;
  }

  toJSON(): unknown {
    return JSON.parse(this.text);
  }
}

/**
 * Hands over the JSON of plain data in pieces; what lies deeper than `depth` comes in one. Equal to `JSON.stringify` in sum.
 * A `JsonText` is handed over as it is.
 */
export function writeJson(value: unknown, depth: number, write: (piece: string | JsonText) => void): void {
  if (value instanceof JsonText) {
    write(value);
  } else if (depth === 0 || typeof value !== 'object' || value === null) {
    write(JSON.stringify(value) ?? 'null');
  } else if (Array.isArray(value)) {
    write('[');
    for (const [index, item] of value.entries()) {
      if (index > 0) write(',');
      writeJson(item, depth - 1, write);
    }
    write(']');
  } else {
    writeObject(value, depth, write);
  }
}

function writeObject(value: object, depth: number, write: (piece: string | JsonText) => void): void {
  let separator = '{';
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined) continue;
    write(`${separator}${JSON.stringify(name)}:`);
    writeJson(item, depth - 1, write);
    separator = ',';
  }
  write(separator === '{' ? '{}' : '}');
}
