/** Values of an event's fields as texts. */
import type { EvidenceFields, EvidenceValue } from './witness.js';

const none: readonly string[] = [];

/** Values of a field as texts; none when missing. */
export function textsOf(fields: EvidenceFields, name: string): readonly string[] {
  const value = fields[name];
  if (value === undefined) return none;
  if (typeof value === 'string') return [value];
  return typeof value === 'object' ? value.map(String) : [String(value)];
}

/** The first value of a field as text. */
export function textOf(fields: EvidenceFields, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  const first: EvidenceValue | undefined = typeof value === 'object' ? value[0] : value;
  return first === undefined ? undefined : String(first);
}

/** The first value that is not empty, of the first of the fields that has one. */
export function firstText(fields: EvidenceFields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const text = textOf(fields, name);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}
