/**
 * NDJSON: stage 2, from the index of structural characters to rows.
 *
 * A line is checked as strictly as `JSON.parse` checks it, in parts that no column needs too. A key that comes twice in
 * one object costs a second walk over the line in which the earlier ones are passed over, so the last wins exactly.
 */
import { IngestLimit, SkipReason, ValueTag } from "../src/core/abi/events";
import { countRow, scratchBase, scratchEnd, scratchReset, scratchTop, skipRow } from "./input";
import { chunkFlush } from "./ingest";
import { ROOT, countElement, findKey, forgetKeys, keysInit, nodeColumn, noteKey } from "./json_keys";
import { numberEnd, numberValue, scanNumber } from "./json_number";
import { commitRow, rowReset, rowStateInit, setValue, startList } from "./json_row";
import { completeEnd, indexBase, origin, scanBegin, scanHasMore, scanInit, scanMore, scanSkipLine } from "./json_scan";
import { readString, textLength, textPointer } from "./json_string";
import { input_capacity } from "./input";
import { reserve } from "./memory";
import { isRouting, noteLine, noteLineEnd } from "./routing";

const NEWLINE: u8 = 0x0a;
const QUOTE: u8 = 0x22;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_ARRAY: u8 = 0x5b;
const BACKSLASH: u8 = 0x5c;
const CLOSE_ARRAY: u8 = 0x5d;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;
/** Marks the index entry of a key that a later one of the same name replaces. */
const REPLACED: u32 = 0x80000000;
const OFFSET_MASK: u32 = 0x7fffffff;
const BYTE_ORDER_MARK: u32 = 0xbfbbef;
const TOKENS_MIN: usize = 16384;
/** A frame: node, 1 for an array, object number, array number. */
const FRAME: usize = 16;

let frames: usize = 0;
let objectNumber: u32 = 0;
let arrayNumber: u32 = 0;
let hasReplaced: bool = false;
/** Index entry of the next token. */
let cursor: usize = 0;
/** Where the line in hand was found unsound. */
let faultAt: usize = 0;

export function jsonInit(): void {
  scanInit(<u32>max<usize>(input_capacity() >> 2, TOKENS_MIN));
  frames = reserve(<usize>(IngestLimit.JsonDepth + 1) * FRAME);
  keysInit();
  rowStateInit();
}

/**
 * Applies the lines in `[pointer, pointer + length)` of the input region; the byte after them is overwritten. The last line
 * may lack its end. Returns the rows they held; blank lines are none.
 */
export function ingest_ndjson(pointer: usize, length: u32): u32 {
  const end = pointer + length;
  store<u8>(end, NEWLINE);
  scanBegin(pointer, end + 1);
  let rows: u32 = 0;
  let line = pointer;
  let consumed = indexBase;
  while (scanHasMore()) {
    if (!scanMore(consumed)) {
      countRow();
      if (isRouting()) noteLine(<u32>(line - pointer));
      skipRow(SkipReason.Tokens, <u32>(line - pointer));
      rows++;
      line = scanSkipLine();
      if (isRouting()) noteLineEnd(<u32>(line - pointer));
      consumed = indexBase;
      continue;
    }
    consumed = indexBase;
    while (consumed < completeEnd) {
      cursor = consumed;
      if (isRouting()) noteLine(<u32>(line - pointer));
      const taken = takeLine(line);
      line = origin + load<u32>(cursor) + 1;
      if (taken != 0 && isRouting()) noteLineEnd(<u32>(line - pointer));
      rows += taken;
      consumed = cursor + 4;
    }
  }
  chunkFlush();
  scratchReset();
  return rows;
}

/** Takes the line whose entries start at `cursor`, and leaves `cursor` at its line end. Returns 1 for a row. */
function takeLine(start: usize): u32 {
  const first = cursor;
  if (scratchTop - scratchBase > (scratchEnd - scratchBase) >> 1) {
    chunkFlush();
    scratchReset();
  }
  const at = (load<u32>(start) & 0xffffff) == BYTE_ORDER_MARK ? start + 3 : start;
  if (load<u8>(tokenAt(cursor)) == NEWLINE && isBlank(at, tokenAt(cursor))) return 0;
  countRow();
  hasReplaced = false;
  let reason = walkLine(at);
  if (reason == 0 && hasReplaced) {
    cursor = first;
    reason = walkLine(at);
  }
  if (reason == 0) {
    faultAt = start;
    reason = commitRow();
  }
  while (load<u8>(tokenAt(cursor)) != NEWLINE) cursor += 4;
  if (reason != 0) skipRow(reason, <u32>(faultAt - origin));
  return 1;
}

@inline
function tokenAt(entry: usize): usize {
  return origin + (load<u32>(entry) & OFFSET_MASK);
}

/** True when `[from, to)` is only blanks. Mostly it is empty. */
@inline
function isBlank(from: usize, to: usize): bool {
  return from == to || isBlankRun(from, to);
}

function isBlankRun(from: usize, to: usize): bool {
  for (let at = from; at < to; at++) {
    const c = load<u8>(at);
    if (c != 0x20 && c != 0x09 && c != 0x0d) return false;
  }
  return true;
}

function fault(at: usize, reason: u32): u32 {
  faultAt = at;
  return reason;
}

/**
 * Walks one line and collects what its columns hold. Returns 0, or the reason why it is no event. `end` is always the
 * address after the token taken last, so that whatever lies between two tokens is seen.
 */
function walkLine(start: usize): u32 {
  rowReset();
  if (objectNumber > 0xf0000000 || arrayNumber > 0xf0000000) restartNumbers();
  let token = tokenAt(cursor);
  if (load<u8>(token) != OPEN_OBJECT || !isBlank(start, token)) return rootFault(start, token);
  cursor += 4;
  let end = token + 1;
  let depth: u32 = 1;
  let node = ROOT;
  let isArray: bool = false;
  let object = ++objectNumber;
  let array: u32 = 0;
  let isClosing = load<u8>(tokenAt(cursor)) == CLOSE_OBJECT;
  for (;;) {
    if (!isClosing) {
      let child = node;
      if (!isArray) {
        const key = tokenAt(cursor);
        const close = tokenAt(cursor + 4);
        if (load<u8>(key) != QUOTE || !isBlank(end, key) || load<u8>(close) != QUOTE) return fault(key, SkipReason.Syntax);
        const colon = tokenAt(cursor + 8);
        if (load<u8>(colon) != COLON || !isBlank(close + 1, colon)) return fault(colon, SkipReason.Syntax);
        if (node != 0) child = memberNode(node, object, key + 1, <u32>(close - key - 1));
        cursor += 12;
        end = colon + 1;
      } else if (node != 0) {
        countElement(node, array);
      }
      token = tokenAt(cursor);
      const first = load<u8>(token);
      if (first == QUOTE) {
        const close = tokenAt(cursor + 4);
        if (!isBlank(end, token) || load<u8>(close) != QUOTE) return fault(token, SkipReason.Syntax);
        if (child != 0 && nodeColumn(child) != 0) {
          readString(token + 1, <u32>(close - token - 1));
          setValue(child, array, ValueTag.String, textPointer, textLength, 0);
        }
        cursor += 8;
        end = close + 1;
      } else if (first == OPEN_OBJECT || first == OPEN_ARRAY) {
        if (!isBlank(end, token)) return fault(token, SkipReason.Syntax);
        if (depth == <u32>IngestLimit.JsonDepth) return fault(token, SkipReason.Depth);
        push(depth, node, isArray, object, array);
        depth++;
        cursor += 4;
        end = token + 1;
        const wasArray = isArray;
        isArray = first == OPEN_ARRAY;
        if (child != 0) {
          if (isArray) array = openArray(child, array);
          else {
            if (array != 0 && !wasArray) countElement(child, array);
            setValue(child, array, ValueTag.Missing, 0, 0, 0);
            object = ++objectNumber;
          }
        }
        node = child;
        // A number or literal before the closing bracket has no entry of its own.
        const next = tokenAt(cursor);
        isClosing = load<u8>(next) == (isArray ? CLOSE_ARRAY : CLOSE_OBJECT) && isBlank(end, next);
        continue;
      } else {
        if (!takeScalar(end, token, child, array)) return fault(end, SkipReason.Syntax);
        end = token;
      }
    }
    // After a value, or at the end of an empty container: close what ends here, up to the next comma.
    isClosing = false;
    for (;;) {
      token = tokenAt(cursor);
      const separator = load<u8>(token);
      if (!isBlank(end, token)) return fault(end, SkipReason.Syntax);
      if (separator == NEWLINE) return fault(token, SkipReason.Syntax);
      cursor += 4;
      end = token + 1;
      if (separator == COMMA) break;
      if (separator != (isArray ? CLOSE_ARRAY : CLOSE_OBJECT)) return fault(token, SkipReason.Syntax);
      depth--;
      if (depth == 0) return trailing(end);
      const frame = frames + <usize>depth * FRAME;
      node = load<u32>(frame);
      isArray = load<u32>(frame, 4) != 0;
      object = load<u32>(frame, 8);
      array = load<u32>(frame, 12);
    }
  }
  return 0;
}

@inline
function push(depth: u32, node: u32, isArray: bool, object: u32, array: u32): void {
  const frame = frames + <usize>depth * FRAME;
  store<u32>(frame, node);
  store<u32>(frame, <u32>isArray, 4);
  store<u32>(frame, object, 8);
  store<u32>(frame, array, 12);
}

function restartNumbers(): void {
  objectNumber = 0;
  arrayNumber = 0;
  forgetKeys();
}

/** Tells a line that is JSON of another type from one that is no JSON, as far as its first token does. */
function rootFault(start: usize, token: usize): u32 {
  let at = start;
  while (at < token && isBlank(at, at + 1)) at++;
  const c = load<u8>(at);
  const isOther = c == OPEN_ARRAY || c == QUOTE || c == 0x2d || <u32>c - 48 < 10 || isLiteral(at, token);
  return fault(at, isOther ? SkipReason.NotObject : SkipReason.Syntax);
}

function trailing(end: usize): u32 {
  const token = tokenAt(cursor);
  if (load<u8>(token) == NEWLINE && isBlank(end, token)) return 0;
  return fault(end, SkipReason.Syntax);
}

/** Enters an array at `node`. Arrays inside of it belong to it: their items join one list. */
function openArray(node: u32, array: u32): u32 {
  const owner = array != 0 ? array : ++arrayNumber;
  startList(node, owner);
  return owner;
}

/** The node a member's key leads to; 0 for a member that no column needs or that a later one replaces. */
@inline
function memberNode(node: u32, object: u32, key: usize, length: u32): u32 {
  let child = findKey(node, key, length);
  if (child == 0) {
    if (!hasEscape(key, length)) return 0;
    readString(key, length);
    child = findKey(node, textPointer, textLength);
    if (child == 0) return 0;
  }
  if ((load<u32>(cursor) & REPLACED) != 0) return 0;
  const earlier = noteKey(child, object, cursor);
  if (earlier != 0) {
    store<u32>(earlier, load<u32>(earlier) | REPLACED);
    hasReplaced = true;
  }
  return child;
}

@inline
function hasEscape(key: usize, length: u32): bool {
  const backslash = i8x16.splat(BACKSLASH);
  for (let i: u32 = 0; i < length; i += 16) {
    let found = <u32>i8x16.bitmask(i8x16.eq(v128.load(key + i), backslash));
    if (length - i < 16) found &= (<u32>1 << (length - i)) - 1;
    if (found != 0) return true;
  }
  return false;
}

/** Takes the number or literal that lies in `[from, to)` among blanks. */
function takeScalar(from: usize, to: usize, node: u32, array: u32): bool {
  let at = from;
  while (at < to && isBlank(at, at + 1)) at++;
  const c = load<u8>(at);
  if (c == 0x2d || <u32>c - 48 < 10) {
    if (!scanNumber(at, to) || !isBlank(numberEnd, to)) return false;
    if (node != 0) setValue(node, array, ValueTag.Number, 0, 0, numberValue);
    return true;
  }
  if (!isLiteral(at, to)) return false;
  if (node == 0) return true;
  if (c == 0x6e) setValue(node, array, ValueTag.Missing, 0, 0, 0);
  else setValue(node, array, ValueTag.Boolean, at, c == 0x74 ? 4 : 5, c == 0x74 ? 1 : 0);
  return true;
}

/** True when `[at, to)` is `true`, `false` or `null`, then blanks. */
function isLiteral(at: usize, to: usize): bool {
  const word = load<u32>(at);
  if (to - at >= 4 && (word == 0x65757274 || word == 0x6c6c756e)) return isBlank(at + 4, to);
  return to - at >= 5 && word == 0x736c6166 && load<u8>(at, 4) == 0x65 && isBlank(at + 5, to);
}
