/**
 * NDJSON, stage 2 of the general scanner: from the index of structural characters to what the columns hold.
 *
 * A line is checked as strictly as `JSON.parse` checks it, in parts that no column needs too. A key that comes twice in
 * one object costs a second walk over the line in which the earlier ones are passed over, so the last wins exactly.
 */
import { IngestLimit, SkipReason, ValueTag } from "../src/core/abi/events";
import { patternCount } from "./field_patterns";
import {
  ROOT,
  countElement,
  findField,
  findKey,
  forgetKeys,
  makeFieldRoom,
  nodeColumn,
  nodePatterns,
  noteKey,
} from "./json_keys";
import {
  giveUp,
  isLearning,
  learnBegin,
  learnClose,
  learnElement,
  learnEnd,
  learnMember,
  learnOpen,
  learnValue,
} from "./json_shapes";
import { numberEnd, numberValue, scanNumber } from "./json_number";
import { addPatterned, rowReset, setValue, startList } from "./json_row";
import { origin } from "./json_scan";
import { readString, textLength, textPointer } from "./json_string";
import { reserve } from "./memory";

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
/** A frame: node, 1 for an array, object number, array number. */
const FRAME: usize = 16;
/** Beside the reasons of a skipped row: what the walk goes on with. */
const ENTERED: u32 = 0x100;
const COMPLETE: u32 = 0x101;

let frames: usize = 0;
let objectNumber: u32 = 0;
/** Numbers arrays over lines, so that what is counted for one is never taken for another's. */
let arrayNumber: u32 = 0;
let hasReplaced: bool = false;
/** Index entry of the next token. */
export let cursor: usize = 0;
/** Where the line in hand was found unsound. */
export let faultAt: usize = 0;

/** The container in hand: how deep it is, its node, which array and object it belongs to. */
let depth: u32 = 0;
let node: u32 = 0;
let isArray: bool = false;
let object: u32 = 0;
let array: u32 = 0;
/** Address after the token taken last, so that whatever lies between two tokens is seen. */
let end: usize = 0;

export function walkInit(): void {
  frames = reserve(<usize>(IngestLimit.JsonDepth + 1) * FRAME);
}

/**
 * Walks the line at `start`, whose index begins at `entry`, and collects what its columns hold. Returns 0, or the reason
 * why it is no event, `faultAt` saying where. `cursor` is then somewhere in the line's index.
 */
export function walkLine(start: usize, entry: usize): u32 {
  hasReplaced = false;
  cursor = entry;
  if (isLearning) learnBegin(start);
  const reason = walkOnce(start);
  if (reason != 0 || !hasReplaced) return reason;
  giveUp();
  cursor = entry;
  return walkOnce(start);
}

/** The number of an array that begins now. */
@inline
export function nextArray(): u32 {
  return ++arrayNumber;
}

/** Starts on a row: object and array numbers will not run out within it. */
@inline
export function walkBegin(): void {
  rowReset();
  if (patternCount != 0) makeFieldRoom();
  if (objectNumber > 0xf0000000 || arrayNumber > 0xf0000000) restartNumbers();
}

/** Makes `entry` the index entry in hand. */
export function walkTo(entry: usize): void {
  cursor = entry;
}

/** Goes on to the line end. Returns the address after it. */
export function walkToLineEnd(): usize {
  while (load<u8>(tokenAt(cursor)) != NEWLINE) cursor += 4;
  return tokenAt(cursor) + 1;
}

@inline
export function tokenAt(entry: usize): usize {
  return origin + (load<u32>(entry) & OFFSET_MASK);
}

/** True when `[from, to)` is only blanks. Mostly it is empty. */
@inline
export function isBlank(from: usize, to: usize): bool {
  return from == to || isBlankRun(from, to);
}

function isBlankRun(from: usize, to: usize): bool {
  for (let at = from; at < to; at++) {
    const c = load<u8>(at);
    if (c != 0x20 && c != 0x09 && c != 0x0d) return false;
  }
  return true;
}

@inline
function skipBlanks(from: usize, to: usize): usize {
  let at = from;
  while (at < to && isBlank(at, at + 1)) at++;
  return at;
}

function fault(at: usize, reason: u32): u32 {
  faultAt = at;
  return reason;
}

function walkOnce(start: usize): u32 {
  walkBegin();
  const token = tokenAt(cursor);
  if (load<u8>(token) != OPEN_OBJECT || !isBlank(start, token)) return rootFault(start, token);
  depth = 0;
  enter(token, false, ROOT, 0, ++objectNumber);
  let isEmpty = isClosingNext();
  for (;;) {
    if (!isEmpty) {
      const outcome = isArray ? takeElement() : takeMember();
      if (outcome == ENTERED) {
        isEmpty = isClosingNext();
        continue;
      }
      if (outcome != 0) return outcome;
    }
    isEmpty = false;
    const outcome = closeContainers();
    if (outcome == COMPLETE) return trailing();
    if (outcome != 0) return outcome;
  }
  return 0;
}

/** Makes the container that opens at `token` the one in hand. */
@inline
function enter(token: usize, opensArray: bool, at: u32, arrayIn: u32, objectIn: u32): void {
  depth++;
  isArray = opensArray;
  node = at;
  array = arrayIn;
  object = objectIn;
  cursor += 4;
  end = token + 1;
}

/** True where the container in hand is empty. A number or literal before the closing bracket has no entry of its own. */
@inline
function isClosingNext(): bool {
  const next = tokenAt(cursor);
  return load<u8>(next) == (isArray ? CLOSE_ARRAY : CLOSE_OBJECT) && isBlank(end, next);
}

@inline
function takeMember(): u32 {
  const key = tokenAt(cursor);
  const close = tokenAt(cursor + 4);
  if (load<u8>(key) != QUOTE || !isBlank(end, key) || load<u8>(close) != QUOTE) return fault(key, SkipReason.Syntax);
  const colon = tokenAt(cursor + 8);
  if (load<u8>(colon) != COLON || !isBlank(close + 1, colon)) return fault(colon, SkipReason.Syntax);
  const child = node == 0 ? 0 : memberNode(key + 1, <u32>(close - key - 1));
  if (isLearning) learnMember(key + 1, <u32>(close - key - 1), child);
  cursor += 12;
  end = colon + 1;
  return takeValue(child);
}

@inline
function takeElement(): u32 {
  if (node != 0) countElement(node, array);
  if (isLearning) learnElement(node);
  return takeValue(node);
}

/** Takes a scalar, or enters the container that is the value. */
@inline
function takeValue(child: u32): u32 {
  const token = tokenAt(cursor);
  const first = load<u8>(token);
  if (first == QUOTE) {
    const close = tokenAt(cursor + 4);
    if (!isBlank(end, token) || load<u8>(close) != QUOTE) return fault(token, SkipReason.Syntax);
    if (child != 0 && (nodeColumn(child) != 0 || nodePatterns(child) != 0)) {
      readString(token + 1, <u32>(close - token - 1));
      give(child, ValueTag.String, textPointer, textLength, 0);
    }
    cursor += 8;
    end = close + 1;
    if (isLearning) learnValue(token, end);
    return 0;
  }
  if (first == OPEN_OBJECT || first == OPEN_ARRAY) return enterValue(token, first == OPEN_ARRAY, child);
  if (!takeScalar(end, token, child)) return fault(end, SkipReason.Syntax);
  end = token;
  return 0;
}

/** Hands a scalar to the columns at `child`, and to the patterns that its name satisfies. */
@inline
function give(child: u32, tag: u32, text: usize, length: u32, number: f64): void {
  setValue(child, array, tag, text, length, number);
  if (patternCount != 0) addPatterned(child, array, tag, text, length, number);
}

function enterValue(token: usize, opensArray: bool, child: u32): u32 {
  if (!isBlank(end, token)) return fault(token, SkipReason.Syntax);
  if (depth == <u32>IngestLimit.JsonDepth) return fault(token, SkipReason.Depth);
  if (isLearning) learnOpen(opensArray, child, array != 0);
  const frame = frames + <usize>depth * FRAME;
  store<u32>(frame, node);
  store<u32>(frame, <u32>isArray, 4);
  store<u32>(frame, object, 8);
  store<u32>(frame, array, 12);
  let arrayIn = array;
  let objectIn = object;
  if (child != 0) {
    if (opensArray) arrayIn = openArray(child, array);
    else {
      if (array != 0 && !isArray) countElement(child, array);
      setValue(child, array, ValueTag.Missing, 0, 0, 0);
      objectIn = ++objectNumber;
    }
  }
  enter(token, opensArray, child, arrayIn, objectIn);
  return ENTERED;
}

/** After a value, or in an empty container: closes what ends here, up to the next comma. */
@inline
function closeContainers(): u32 {
  for (;;) {
    const token = tokenAt(cursor);
    const separator = load<u8>(token);
    if (!isBlank(end, token)) return fault(end, SkipReason.Syntax);
    if (separator == NEWLINE) return fault(token, SkipReason.Syntax);
    cursor += 4;
    end = token + 1;
    if (separator == COMMA) return 0;
    if (separator != (isArray ? CLOSE_ARRAY : CLOSE_OBJECT)) return fault(token, SkipReason.Syntax);
    depth--;
    if (depth == 0) return COMPLETE;
    if (isLearning) learnClose();
    const frame = frames + <usize>depth * FRAME;
    node = load<u32>(frame);
    isArray = load<u32>(frame, 4) != 0;
    object = load<u32>(frame, 8);
    array = load<u32>(frame, 12);
  }
  return 0;
}

function restartNumbers(): void {
  objectNumber = 0;
  arrayNumber = 0;
  forgetKeys();
}

/** Tells a line that is JSON of another type from one that is no JSON, as far as its first token does. */
function rootFault(start: usize, token: usize): u32 {
  const at = skipBlanks(start, token);
  const c = load<u8>(at);
  const isOther = c == OPEN_ARRAY || c == QUOTE || c == 0x2d || <u32>c - 48 < 10 || isLiteral(at, token);
  return fault(at, isOther ? SkipReason.NotObject : SkipReason.Syntax);
}

/** The line must end after its object. */
function trailing(): u32 {
  const token = tokenAt(cursor);
  if (load<u8>(token) != NEWLINE || !isBlank(end, token)) return fault(end, SkipReason.Syntax);
  if (isLearning) learnEnd(token + 1);
  return 0;
}

/** Enters an array at `node`. Arrays inside of it belong to it: their items join one list. */
function openArray(at: u32, within: u32): u32 {
  const owner = within != 0 ? within : nextArray();
  startList(at, owner);
  return owner;
}

/** The node a member's key leads to; 0 for a member that no column needs or that a later one replaces. */
@inline
function memberNode(key: usize, length: u32): u32 {
  let child = findKey(node, key, length);
  if (child == 0) {
    child = unusualKey(key, length);
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

/** The node of a key that is written with escapes, or that only patterns ask for; mostly there is none. */
function unusualKey(key: usize, length: u32): u32 {
  const isEscaped = hasEscape(key, length);
  if (patternCount == 0 && !isEscaped) return 0;
  readString(key, length);
  const known = isEscaped ? findKey(node, textPointer, textLength) : 0;
  return known != 0 || patternCount == 0 ? known : findField(node, textPointer, textLength);
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
function takeScalar(from: usize, to: usize, child: u32): bool {
  const at = skipBlanks(from, to);
  const c = load<u8>(at);
  if (c == 0x2d || <u32>c - 48 < 10) {
    if (!scanNumber(at, to) || !isBlank(numberEnd, to)) return false;
    if (child != 0) give(child, ValueTag.Number, 0, 0, numberValue);
    if (isLearning) learnValue(at, numberEnd);
    return true;
  }
  if (!isLiteral(at, to)) return false;
  const length: u32 = c == 0x66 ? 5 : 4;
  if (child != 0) {
    if (c == 0x6e) setValue(child, array, ValueTag.Missing, 0, 0, 0);
    else give(child, ValueTag.Boolean, at, length, c == 0x74 ? 1 : 0);
  }
  if (isLearning) learnValue(at, at + length);
  return true;
}

/** True when `[at, to)` is `true`, `false` or `null`, then blanks. */
function isLiteral(at: usize, to: usize): bool {
  const word = load<u32>(at);
  if (to - at >= 4 && (word == 0x65757274 || word == 0x6c6c756e)) return isBlank(at + 4, to);
  return to - at >= 5 && word == 0x736c6166 && load<u8>(at, 4) == 0x65 && isBlank(at + 5, to);
}
