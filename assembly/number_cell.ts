/** The number in a cell of any column: the first of several; NaN where there is none. */
import { ColumnKind } from "../src/core/abi/events";
import { columnKind } from "./columns";
import { listItem, listLength, valueIsList } from "./lists";
import { cellNumber, cellText } from "./rows";
import { valueNumber } from "./values";

export function numberOf(column: u32, slot: u32): f64 {
  const kind = columnKind(column);
  if (kind == ColumnKind.Number) return cellNumber(column, slot);
  if (kind != ColumnKind.Text) return NaN;
  const value = cellText(column, slot);
  if (value == 0) return NaN;
  if (!valueIsList(value)) return valueNumber(value);
  const item = listLength(value) != 0 ? listItem(value, 0) : 0;
  return item == 0 ? NaN : valueNumber(item);
}
