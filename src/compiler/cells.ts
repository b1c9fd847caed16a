/** Which cell of a row a field of a condition is read from. */
import { LeafColumn } from '../core/abi/predicates.js';
import type { CallExpr, FieldExpr } from '../rule/ir.js';
import { arrayItemOf } from './array_item.js';
import type { ColumnTable } from './columns.js';
import type { Cell } from './formula.js';

/** The cell of a field; `path`: the array whose elements the condition is about. */
export function cellOf(columns: ColumnTable, name: string, path: string | undefined): Cell {
  const isElement = path !== undefined && (name === path || name.startsWith(`${path}.`));
  const nested = isElement && name !== path ? path : undefined;
  return { column: columns.use(name, 'value', nested), element: isElement };
}

/** The leaf column word of a field, of `arrayItem(…)` or of `stepField(…)`. */
export function leafColumn(columns: ColumnTable, expr: FieldExpr | CallExpr, name: string, path?: string): number {
  if (expr.kind === 'call' && expr.name === 'stepField') {
    const [step] = expr.args;
    const item = step?.kind === 'literal' ? Number(step.value) + 1 : 0;
    return columns.keep(name) + item * 2 ** LeafColumn.ItemShift + LeafColumn.Element;
  }
  if (expr.kind === 'call') {
    const item = arrayItemOf(expr);
    const nested = item.field === item.path ? undefined : item.path;
    return columns.use(item.field, 'text', nested) + (item.index + 1) * 2 ** LeafColumn.ItemShift;
  }
  const cell = cellOf(columns, name, path);
  return cell.element ? cell.column + LeafColumn.Element : cell.column;
}
