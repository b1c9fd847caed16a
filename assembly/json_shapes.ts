/**
 * The shapes of lines as learned: an automaton whose states are *places* (the path of the value read last) and whose
 * edges are the literal bytes from the end of one scalar value to the start of the next. A line whose shape is known is
 * read by comparing literals and skipping over values (`json_shape_walk.ts`); any other goes to the general scanner,
 * which teaches the automaton while it walks (`json_walk.ts`).
 *
 * An edge is learned from bytes that the general scanner has accepted, in a place that stands for one exact stack of
 * open containers and keys. So what follows an edge never has to be checked against the grammar again.
 *
 *   place (32 bytes)  0 first edge | 4 node if it has columns | 8 1 within an array that columns need | 12 first child
 *                     16 next sibling | 20 key | 24 key bytes, or that it is an element | 28 edges
 *   edge (64 bytes)   0 first 32 bytes of the literal | 32 which of them count | 36 literal bytes | 40 place it leads
 *                     to, 0 at the end of the line | 44 next edge | 48 nodes entered, as bits | 56 array opened
 *                     58 object opened at a column | 60 the whole literal, if it is longer
 */
import { IngestLimit } from "../src/core/abi/events";
import { ROOT, nodeBit, nodeColumn, nodeIsInner, nodeIsNested } from "./json_keys";
import { copyText, reserve, reserveText, textEquals } from "./memory";

const PLACE: usize = 32;
const EDGE: usize = 64;
const INLINE: u32 = 32;
const PLACES: u32 = 1024;
const EDGES: u32 = 2048;
const EDGES_OF_PLACE: u32 = 48;
const TEXT_BYTES: usize = 65536;
const LITERAL_BYTES: u32 = 1024;
const NODES: u32 = 0xffff;
/** In place of a key's length. */
const ELEMENT: u32 = 0xffffffff;
const NO_BIT: u32 = 64;

/** Place of the outermost object: its edges begin a line. */
export let rootPlace: usize = 0;
/** True while the line in hand is being learned. */
export let isLearning: bool = false;
/** True once a table ran out of room. */
export let isFull: bool = false;

let places: usize = 0;
let placeCount: u32 = 0;
let edges: usize = 0;
let edgeCount: u32 = 0;
let texts: usize = 0;
let textTop: usize = 0;
/** Places of the containers that are open around the one in hand. */
let opened: usize = 0;
let depth: u32 = 0;

let container: usize = 0;
/** Where the member or element in hand belongs. */
let child: usize = 0;
/** Place of the value read last, and the address after it. */
let state: usize = 0;
let literal: usize = 0;
/** What the literal in hand enters. */
let entered: u64 = 0;
let arrayNode: u32 = 0;
let objectNode: u32 = 0;

export function shapesInit(): void {
  places = reserve(<usize>PLACES * PLACE);
  edges = reserve(<usize>EDGES * EDGE);
  texts = reserveText(TEXT_BYTES);
  opened = reserve(<usize>(IngestLimit.JsonDepth + 1) << 2);
  forgetShapes();
}

/** Forgets every shape, so that there is room for others. */
export function forgetShapes(): void {
  placeCount = 0;
  edgeCount = 0;
  textTop = texts;
  isFull = false;
  rootPlace = addPlace(0, 0, 0, false);
}

/** Has the next line learned, or not, where there is room. */
export function learnNext(isWanted: bool): void {
  isLearning = isWanted && !isFull;
}

// -------------------------------------------------------------------------------------- what the walker tells

export function learnBegin(start: usize): void {
  depth = 0;
  container = rootPlace;
  state = rootPlace;
  literal = start;
  clearEntered();
}

function clearEntered(): void {
  entered = 0;
  arrayNode = 0;
  objectNode = 0;
}

/** A member of the object in hand, with the node that its key leads to. */
export function learnMember(key: usize, length: u32, node: u32): void {
  if (node != 0 && nodeIsInner(node)) {
    const bit = nodeBit(node);
    if (bit == NO_BIT || ((entered >> bit) & 1) != 0) return giveUp();
    entered |= (<u64>1) << bit;
  }
  child = placeOf(key, length, node, false);
}

/** An element of the array in hand, which is at `node`. */
export function learnElement(node: u32): void {
  child = placeOf(0, ELEMENT, node, node != 0);
}

/**
 * A container opens as the value in hand. Objects in an array that columns need are not learned: their keys repeat, and
 * those of a nested path are counted.
 */
export function learnOpen(opensArray: bool, node: u32, isWithin: bool): void {
  if (node != 0 && !(opensArray && isWithin)) {
    const isUnfit = isWithin || (opensArray && nodeIsNested(node)) || node > NODES;
    if (isUnfit) return giveUp();
    if (nodeColumn(node) != 0) {
      if (arrayNode != 0 || objectNode != 0) return giveUp();
      if (opensArray) arrayNode = node;
      else objectNode = node;
    }
  }
  store<u32>(opened + (<usize>depth << 2), <u32>container);
  depth++;
  container = child;
}

export function learnClose(): void {
  depth--;
  container = load<u32>(opened + (<usize>depth << 2));
}

/** A scalar value in `[from, to)`. */
export function learnValue(from: usize, to: usize): void {
  addEdge(<u32>(from - literal), child);
  state = child;
  literal = to;
  clearEntered();
}

/** The line was accepted; `after` is the address after its line end. */
export function learnEnd(after: usize): void {
  addEdge(<u32>(after - literal), 0);
}

/** The rest of this line, or its second walk, is not learned. */
export function giveUp(): void {
  isLearning = false;
}

function runOut(): void {
  isFull = true;
  isLearning = false;
}

// -------------------------------------------------------------------------------------------------- tables

/** The place of this key, or of the elements, in the container in hand. 0, and the end of learning, without room. */
function placeOf(key: usize, length: u32, node: u32, isWithin: bool): usize {
  let place: usize = load<u32>(container, 12);
  while (place != 0) {
    const isSame = load<u32>(place, 24) == length && (length == ELEMENT || textEquals(load<u32>(place, 20), key, length));
    if (isSame) return place;
    place = load<u32>(place, 16);
  }
  const added = addPlace(key, length, node, isWithin);
  if (added == 0) return 0;
  store<u32>(added, load<u32>(container, 12), 16);
  store<u32>(container, <u32>added, 12);
  return added;
}

function addPlace(key: usize, length: u32, node: u32, isWithin: bool): usize {
  const bytes: u32 = length == ELEMENT ? 0 : length;
  if (placeCount == PLACES || !hasTextRoom(bytes)) {
    runOut();
    return 0;
  }
  const place = places + <usize>placeCount * PLACE;
  placeCount++;
  memory.fill(place, 0, PLACE);
  store<u32>(place, node != 0 && nodeColumn(node) != 0 ? node : 0, 4);
  store<u32>(place, <u32>isWithin, 8);
  store<u32>(place, <u32>keepText(key, bytes), 20);
  store<u32>(place, length, 24);
  return place;
}

/** Adds the edge from the state in hand over the literal in hand, unless it is known. */
function addEdge(length: u32, target: usize): void {
  const isTooMany = load<u32>(state, 28) == EDGES_OF_PLACE || length > LITERAL_BYTES;
  let link = state;
  let next = load<u32>(state);
  while (next != 0) {
    if (load<u32>(next, 36) == length && isLiteral(next, literal)) return;
    link = next + 44;
    next = load<u32>(next, 44);
  }
  if (isTooMany) return giveUp();
  if (edgeCount == EDGES || !hasTextRoom(length)) return runOut();
  const edge = edges + <usize>edgeCount * EDGE;
  edgeCount++;
  memory.fill(edge, 0, EDGE);
  memory.copy(edge, literal, min<u32>(length, INLINE));
  store<u32>(edge, length >= INLINE ? 0xffffffff : (<u32>1 << length) - 1, 32);
  store<u32>(edge, length, 36);
  store<u32>(edge, <u32>target, 40);
  store<u64>(edge, entered, 48);
  store<u16>(edge, <u16>arrayNode, 56);
  store<u16>(edge, <u16>objectNode, 58);
  if (length > INLINE) store<u32>(edge, <u32>keepText(literal, length), 60);
  store<u32>(link, <u32>edge);
  store<u32>(state, load<u32>(state, 28) + 1, 28);
}

/** True when the edge's literal stands at `at`. Reads up to 32 bytes, or 15 past the literal. */
@inline
export function isLiteral(edge: usize, at: usize): bool {
  const low = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), v128.load(edge)));
  const high = <u32>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(edge, 16)));
  const care = load<u32>(edge, 32);
  if (((low | (high << 16)) & care) != care) return false;
  const length = load<u32>(edge, 36);
  return length <= INLINE || textEquals(load<u32>(edge, 60), at, length);
}

@inline
function hasTextRoom(bytes: u32): bool {
  return textTop + bytes + 16 <= texts + TEXT_BYTES;
}

function keepText(text: usize, bytes: u32): usize {
  const kept = textTop;
  copyText(kept, text, bytes);
  textTop += bytes;
  return kept;
}
