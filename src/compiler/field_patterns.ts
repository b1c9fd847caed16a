/**
 * Names with `*` (KQL's free text and fields with wildcards): a column of its own, which holds the values of every field
 * of the event that the name matches.
 */
import type { Span } from '../core/diagnostic.js';
import { fieldPatternsMax } from '../core/limits.js';
import { Refusal } from './refusal.js';

export const isFieldPattern = (name: string): boolean => name.includes('*');

/** @throws Refusal where one field is read, and the name stands for several. */
export function refusePattern(name: string, span: Span | undefined): void {
  if (!isFieldPattern(name)) return;
  throw new Refusal('COMPILE_FIELD_PATTERN', `${name} stands for several fields`, 'Name the field.', span);
}

/** @throws Refusal where a program with this pattern has more of them than the kernel takes. */
export function checkPatternCount(count: number, name: string): void {
  if (count <= fieldPatternsMax) return;
  throw new Refusal(
    'COMPILE_FIELD_PATTERN',
    `${name} is one field pattern more than the ${fieldPatternsMax} that rules can have together`,
    'Name the fields, or load fewer rules into one engine.',
  );
}
