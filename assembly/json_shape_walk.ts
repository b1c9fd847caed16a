/**
 * NDJSON, the fast way: a line whose shape is known (`json_shapes.ts`) is read in one pass, literal by literal, without
 * an index of its characters. What it makes of a line is what the general scanner makes of it; where it cannot be sure
 * of that, it leaves the line to the scanner.
 */
import { ValueTag } from "../src/core/abi/events";
import { maxValueBytes } from "./input";
import { numberEnd, numberValue, scanNumber } from "./json_number";
import { addItems, isSet, setFirst, startList } from "./json_row";
import { indexCapacity } from "./json_scan";
import { isLiteral, rootPlace } from "./json_shapes";
import { isHex4, readString, textLength, textPointer } from "./json_string";
import { nextArray, walkBegin } from "./json_walk";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
/** Bytes by which a line must be shorter than the scanner's index has entries, so that the scanner would take it too. */
const INDEX_MARGIN: u32 = 256;

/** Whether the string that {@link scanString} passed over needs rewriting, as far as that can be told. */
let isPlain: bool = false;

/**
 * Reads the line at `start`, which ends before `limit`, into the row in hand. Returns the address after its line end, or
 * 0 where the general scanner must read it.
 */
export function walkShape(start: usize, limit: usize): usize {
  walkBegin();
  let at = start;
  let place = rootPlace;
  let seen: u64 = 0;
  let array: u32 = 0;
  for (;;) {
    const edge = edgeAt(place, at);
    if (edge == 0) return 0;
    at += load<u32>(edge, 36);
    place = load<u32>(edge, 40);
    if (place == 0) return at - start + INDEX_MARGIN <= <usize>indexCapacity ? at : 0;
    const entered = load<u64>(edge, 48);
    if ((entered & seen) != 0) return 0;
    seen |= entered;
    if (load<u32>(edge, 56) != 0) {
      array = openContainers(edge, array);
      if (array == REFUSED) return 0;
    }
    const node = load<u32>(place, 4);
    if (load<u8>(at) == QUOTE) {
      const close = scanString(at + 1);
      if (close == 0 || (node != 0 && !takeString(place, node, array, at + 1, close))) return 0;
      at = close + 1;
    } else {
      at = takeScalar(place, node, array, at, limit);
      if (at == 0) return 0;
    }
  }
  return 0;
}

/** The edge from `place` whose literal stands at `at` before a value or ends the line; 0 for none. */
@inline
function edgeAt(place: usize, at: usize): usize {
  let edge: usize = load<u32>(place);
  while (edge != 0) {
    if (isLiteral(edge, at) && (load<u32>(edge, 40) == 0 || startsValue(load<u8>(at + load<u32>(edge, 36))))) break;
    edge = load<u32>(edge, 44);
  }
  return edge;
}

/** A literal may be the start of a longer one, which goes on with a blank or a bracket. */
@inline
function startsValue(first: u32): bool {
  return first == QUOTE || first - 48 < 10 || first == 0x2d || first == 0x74 || first == 0x66 || first == 0x6e;
}

const REFUSED: u32 = 0xffffffff;

/** Tells the row what opens in the literal. Returns the array that values are in from here on, or `REFUSED`. */
function openContainers(edge: usize, array: u32): u32 {
  const objectNode = <u32>load<u16>(edge, 58);
  if (objectNode != 0) return setFirst(objectNode, ValueTag.Missing, 0, 0, 0) ? array : REFUSED;
  const arrayNode = <u32>load<u16>(edge, 56);
  if (isSet(arrayNode)) return REFUSED;
  const opened = nextArray();
  startList(arrayNode, opened);
  return opened;
}

/**
 * Address of the quote that closes the string, or 0 where a character is not allowed in it. Two vectors at a time: most
 * strings end within the first two, whatever their length, and that is one branch that is always the same.
 */
@inline
function scanString(start: usize): usize {
  const quotes = quotesIn(start);
  const special = specialIn(start) & (quotes - 1);
  // Without a quote all bits below it are set.
  if (quotes == 0 || special != 0) return scanLong(start, quotes, special);
  isPlain = true;
  return start + <usize>ctz<u32>(quotes);
}

@inline
function quotesIn(at: usize): u32 {
  const quote = i8x16.splat(QUOTE);
  const low = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), quote));
  return low | (<u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), quote)) << 16);
}

/** What is not plain text: backslashes, and control characters and bytes above ASCII, which are small as signed numbers. */
@inline
function specialIn(at: usize): u32 {
  const backslash = i8x16.splat(BACKSLASH);
  const first = i8x16.splat(0x20);
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const low = <u32>i8x16.bitmask(v128.or(i8x16.lt_s(a, first), i8x16.eq(a, backslash)));
  return low | (<u32>i8x16.bitmask(v128.or(i8x16.lt_s(b, first), i8x16.eq(b, backslash))) << 16);
}

/** Goes on with {@link scanString} from the 32 bytes at `start`, in which these quotes and special characters are. */
function scanLong(start: usize, firstQuotes: u32, firstSpecial: u32): usize {
  let at = start;
  let quotes = firstQuotes;
  let special = firstSpecial;
  isPlain = true;
  for (;;) {
    if (special != 0) {
      isPlain = false;
      at = skipSpecial(at + <usize>ctz<u32>(special));
      if (at == 0) return 0;
    } else {
      if (quotes != 0) return at + <usize>ctz<u32>(quotes);
      at += 32;
    }
    quotes = quotesIn(at);
    special = specialIn(at) & (quotes - 1);
  }
  return 0;
}

/** Address after the escape or the byte above ASCII; 0 for a control character and for an escape that is none. */
@inline
function skipSpecial(at: usize): usize {
  const c = load<u8>(at);
  if (c >= 0x80) return skipHigh(at);
  if (c != BACKSLASH) return 0;
  const escape = load<u8>(at, 1);
  if (escape == BACKSLASH || escape == QUOTE || escape == 0x2f) return at + 2;
  if (escape == 0x6e || escape == 0x74 || escape == 0x72 || escape == 0x62 || escape == 0x66) return at + 2;
  return escape == 0x75 && isHex4(at + 2) ? at + 6 : 0;
}

@inline
function skipHigh(at: usize): usize {
  let next = at + 1;
  while (load<u8>(next) >= 0x80) next++;
  return next;
}

/** Hands the string in `[start, close)` to the columns at `node`. False where the scanner must decide. */
@inline
function takeString(place: usize, node: u32, array: u32, start: usize, close: usize): bool {
  let text = start;
  let length = <u32>(close - start);
  if (length > maxValueBytes) return false;
  if (!isPlain) {
    readString(start, length);
    text = textPointer;
    length = textLength;
  }
  return load<u32>(place, 8) == 0
    ? setFirst(node, ValueTag.String, text, length, 0)
    : addItems(node, array, ValueTag.String, text, length, 0);
}

/** Takes the number or literal at `at`. Returns the address after it, or 0 where the scanner must decide. */
function takeScalar(place: usize, node: u32, array: u32, at: usize, limit: usize): usize {
  const first = load<u8>(at);
  if (first == 0x2d || <u32>first - 48 < 10) {
    if (!scanNumber(at, limit)) return 0;
    return node == 0 || take(place, node, array, ValueTag.Number, 0, 0, numberValue) ? numberEnd : 0;
  }
  const word = load<u32>(at);
  const isTrue = word == 0x65757274;
  const isFalse = word == 0x736c6166 && load<u8>(at, 4) == 0x65;
  if (!isTrue && !isFalse && word != 0x6c6c756e) return 0;
  const length: u32 = isFalse ? 5 : 4;
  if (node != 0) {
    const isTaken =
      isTrue || isFalse
        ? take(place, node, array, ValueTag.Boolean, at, length, isTrue ? 1 : 0)
        : take(place, node, array, ValueTag.Missing, 0, 0, 0);
    if (!isTaken) return 0;
  }
  return at + length;
}

function take(place: usize, node: u32, array: u32, tag: u32, text: usize, length: u32, number: f64): bool {
  return load<u32>(place, 8) == 0
    ? setFirst(node, tag, text, length, number)
    : addItems(node, array, tag, text, length, number);
}
