/** Positions in arrays. */
import type { CallExpr } from '../rule/ir.js';
import { Refusal } from './refusal.js';

/** Largest position that `array[i]` may name. */
const itemIndexMax = 0x7ffe;

/** `arrayItem(field, path, index)`: one element of one array. @throws Refusal for what is more than that. */
export function arrayItemOf(expr: CallExpr): { readonly field: string; readonly path: string; readonly index: number } {
  const [field, path, index, ...more] = expr.args;
  const isWhole = field?.kind === 'field' && path?.kind === 'literal' && index?.kind === 'literal' && more.length === 0;
  const at = isWhole ? index.value : undefined;
  if (!isWhole || typeof at !== 'number' || !Number.isInteger(at) || at < 0 || at > itemIndexMax) {
    throw new Refusal(
      'COMPILE_ARRAY_ITEM',
      `an array position is one constant from 0 to ${itemIndexMax}, in one array`,
      'Use arraySearch for arrays within arrays.',
      expr.span,
    );
  }
  return { field: field.name, path: String(path.value), index: at };
}
