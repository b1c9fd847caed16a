/**
 * NDJSON bytes to rows. Each line is tried by its shape first (`json_shape_walk.ts`); the general scanner (`json_scan.ts`
 * and `json_walk.ts`) reads those whose shape is not known, teaches it, and alone reads streams that have none.
 */
import { IngestCounter, SkipReason } from "../src/core/abi/events";
import { count, countRow, scratchBase, scratchEnd, scratchReset, scratchTake, scratchTop, skipRow } from "./input";
import { patternCount } from "./field_patterns";
import { chunkFlush } from "./ingest";
import { keysInit } from "./json_keys";
import { commitInit, commitRow } from "./json_commit";
import { isRoutedByHost, routeInit, routeLine } from "./json_route";
import { rowStateInit } from "./json_row";
import {
  LINE_WINDOW,
  WINDOW,
  completeEnd,
  indexBase,
  scanBegin,
  scanHasMore,
  scanInit,
  scanMore,
  scanOrigin,
  scanSkipLine,
} from "./json_scan";
import { walkShape } from "./json_shape_walk";
import { forgetShapes, isFull, learnNext, shapesInit } from "./json_shapes";
import { cursor, faultAt, isBlank, tokenAt, walkInit, walkLine, walkTo, walkToLineEnd } from "./json_walk";
import { input_capacity } from "./input";
import { isRouting, noteLine, noteLineEnd } from "./routing";

const NEWLINE: u8 = 0x0a;
const BYTE_ORDER_MARK: u32 = 0xbfbbef;
const TOKENS_MIN: usize = 16384;
/** What a line of unknown shape costs, in lines of known shape, and how many of those are remembered. */
const MISS_COST: i32 = 2;
const CREDIT_MAX: i32 = 1024;
const CREDIT_START: i32 = 512;
/** Credit of a stream that had no shapes, for its next trial. */
const CREDIT_TRIAL: i32 = 64;
/** Lines without trial, at first and at most: doubled with each trial that fails. */
const REST_MIN: u32 = 4096;
const REST_MAX: u32 = 262144;

let isOff: bool = false;
let credit: i32 = CREDIT_START;
/** Lines left to the general scanner alone, and how many the next such rest has. */
let restLines: u32 = 0;
let restNext: u32 = REST_MIN;
/** Where the call's bytes start. */
let base: usize = 0;
let rows: u32 = 0;

/**
 * Reserves the tables of the scanner. `isGeneral`: lines are not tried by their shape. Nor are they where columns stand for
 * patterns of names: those need the names of all fields.
 */
export function jsonInit(isGeneral: bool, routes: bool): void {
  scanInit(<u32>max<usize>(input_capacity() >> 2, TOKENS_MIN));
  walkInit();
  keysInit();
  rowStateInit();
  commitInit();
  shapesInit();
  if (routes) routeInit();
  isOff = isGeneral || patternCount != 0;
}

/**
 * Applies the lines in `[pointer, pointer + length)` of the input region; the byte after them is overwritten. The last line
 * may lack its end. Returns the rows they held; blank lines are none.
 */
export function ingest_ndjson(pointer: usize, length: u32): u32 {
  const end = pointer + length;
  store<u8>(end, NEWLINE);
  base = pointer;
  rows = 0;
  scanOrigin(pointer);
  let line = pointer;
  while (line <= end) {
    if (isRoutedByHost()) line = routeOne(line, end + 1);
    else if (isOff) line = readLines(line, end + 1, 0xffffffff);
    else if (restLines != 0) line = rest(line, end + 1);
    else if (load<u8>(line) == NEWLINE) line++;
    else line = tryLine(line, end + 1);
  }
  chunkFlush();
  scratchReset();
  return rows;
}

/** Routes the line; reads it like any other where its host is not plain to see. */
function routeOne(line: usize, limit: usize): usize {
  if (load<u8>(line) == NEWLINE) return line + 1;
  const next = routeLine(line, base);
  if (next == 0) return isOff ? readLines(line, limit, 1) : tryLine(line, limit);
  rows++;
  return next;
}

/** Reads lines by the general scanner for as long as shapes rest. */
function rest(line: usize, limit: usize): usize {
  const before = rows;
  const next = readLines(line, limit, restLines);
  restLines -= min<u32>(restLines, max<u32>(rows - before, 1));
  return next;
}

/** Reads the line by its shape; by the general scanner, which learns it, where that is not known. */
function tryLine(line: usize, limit: usize): usize {
  makeScratchRoom();
  const scratch = scratchTop;
  const next = walkShape(line, limit);
  if (next == 0) {
    scratchTake(scratch);
    return missLine(line, limit);
  }
  if (credit < CREDIT_MAX) credit++;
  else restNext = REST_MIN;
  if (isRouting()) noteLine(<u32>(line - base));
  countRow();
  rows++;
  const reason = commitRow();
  if (reason != 0) skipRow(reason, <u32>(line - base));
  if (isRouting()) noteLineEnd(<u32>(next - base));
  return next;
}

function missLine(line: usize, limit: usize): usize {
  learnNext(true);
  const before = rows;
  const next = readLines(line, limit, 1);
  learnNext(false);
  if (rows == before) return next;
  credit -= MISS_COST;
  if (credit < 0) {
    // Shapes that fill the tables and are not met again give way to others.
    if (isFull) forgetShapes();
    restLines = restNext;
    restNext = min<u32>(restNext * 2, REST_MAX);
    credit = CREDIT_TRIAL;
  }
  return next;
}

/** Reads at most `most` lines from `start` on by the general scanner. Returns the address after them. */
function readLines(start: usize, limit: usize, most: u32): usize {
  scanBegin(start, limit, most == 1 ? LINE_WINDOW : WINDOW);
  let left = most;
  let line = start;
  let consumed = indexBase;
  while (scanHasMore()) {
    if (!scanMore(consumed)) {
      skipLongLine(line);
      line = scanSkipLine();
      if (isRouting()) noteLineEnd(<u32>(line - base));
      if (--left == 0) return line;
      consumed = indexBase;
      continue;
    }
    consumed = indexBase;
    while (consumed < completeEnd) {
      line = readLine(line, consumed);
      if (--left == 0) return line;
      consumed = cursor + 4;
    }
  }
  return line;
}

/** Skips a line of more tokens than the index holds. */
function skipLongLine(line: usize): void {
  countRow();
  count(IngestCounter.GeneralRows);
  if (isRouting()) noteLine(<u32>(line - base));
  skipRow(SkipReason.Tokens, <u32>(line - base));
  rows++;
}

/** Reads the line whose index starts at `entry`, and leaves `cursor` at its line end. Returns the address after it. */
function readLine(start: usize, entry: usize): usize {
  makeScratchRoom();
  const at = (load<u32>(start) & 0xffffff) == BYTE_ORDER_MARK ? start + 3 : start;
  const first = tokenAt(entry);
  if (load<u8>(first) == NEWLINE && isBlank(at, first)) {
    walkTo(entry);
    return first + 1;
  }
  if (isRouting()) noteLine(<u32>(start - base));
  countRow();
  count(IngestCounter.GeneralRows);
  rows++;
  let reason = walkLine(at, entry);
  let place = faultAt;
  if (reason == 0) {
    place = start;
    reason = commitRow();
  }
  const next = walkToLineEnd();
  if (reason != 0) skipRow(reason, <u32>(place - base));
  if (isRouting()) noteLineEnd(<u32>(next - base));
  return next;
}

function makeScratchRoom(): void {
  if (scratchTop - scratchBase <= (scratchEnd - scratchBase) >> 1) return;
  chunkFlush();
  scratchReset();
}
