/**
 * Which keys lead to columns. Every prefix of a column's dotted name is a node; from a node, each way to write the rest
 * of the path as one key is an edge. So `{"process":{"parent.name":…}}`, nested and dotted all end at the same node.
 *
 *   node (32 bytes)  0 first column + 1 | 4 flags | 8 object seen in | 12 index entry of that key
 *                    16 array counted for | 20 elements counted | 24 prefix bytes | 28 name of a column with this prefix
 *   edge (32 bytes)  0 first 8 bytes | 8 last 8 bytes | 16 key bytes, 0 for free | 20 from node | 24 to node | 28 key
 *
 * Where the program has columns of patterns, the names of fields that they ask for become nodes when they are first met.
 */
import { IngestCounter } from "../src/core/abi/events";
import { columnCount, columnNameLength, columnNamePointer, columnNestedLength } from "./columns";
import { columnIsPattern, leadsToPattern, patternCount, patternsInit, patternsOf } from "./field_patterns";
import { count } from "./input";
import { copyText, powerOfTwo, reserve, reserveText, textEquals } from "./memory";

const NODE: usize = 32;
const EDGE: usize = 32;
const MIX_A: u64 = 0x9e3779b185ebca87;
const MIX_B: u64 = 0xc2b2ae3d27d4eb4f;
const DOT: u8 = 0x2e;
/** Flags of a node: elements at it are counted; keys lead on from it; 1 + its bit, from this bit on. */
const IS_NESTED: u32 = 1;
const IS_INNER: u32 = 2;
const BIT_SHIFT: u32 = 8;
const BITS: u32 = 64;
/** Nodes, edges and bytes of names for fields that patterns ask for. When they are full, all are forgotten. */
const FOUND_NODES: u32 = 2048;
const FOUND_EDGES: u32 = 4096;
const FOUND_BYTES: usize = 131072;
/** Longest name of a field that patterns ask for. */
const FOUND_NAME: u32 = 1024;

/** The node of an event's outermost object. Node 0 is every path that leads to no column. */
export const ROOT: u32 = 1;

let nodes: usize = 0;
let nodeCount: u32 = 2;
let edges: usize = 0;
let edgeMask: u32 = 0;
let sameName: usize = 0;
let nestedNodes: usize = 0;
let bitsGiven: u32 = 0;
/** Patterns that each node's name satisfies, as bits. */
let patternBits: usize = 0;
let ownNodes: u32 = 0;
let names: usize = 0;
let nameTop: usize = 0;
let edgesFound: u32 = 0;
/** True once a field that patterns ask for found no room. */
let isCrowded: bool = false;

/** Builds nodes and edges from the program's columns. */
export function keysInit(): void {
  patternsInit();
  let prefixes: u32 = 2;
  let pairs: u32 = 0;
  for (let c: u32 = 0; c < columnCount(); c++) {
    const segments = countSegments(c);
    prefixes += segments;
    pairs += (segments * (segments + 1)) / 2;
  }
  const found: u32 = patternCount == 0 ? 0 : FOUND_NODES;
  nodes = reserve(<usize>(prefixes + found) * NODE);
  const slots = powerOfTwo(pairs * 4 + 16 + (patternCount == 0 ? 0 : FOUND_EDGES * 2));
  edges = reserve(<usize>slots * EDGE);
  edgeMask = slots - 1;
  sameName = reserve(<usize>columnCount() << 2);
  nestedNodes = reserve(<usize>columnCount() << 2);
  for (let c: u32 = 0; c < columnCount(); c++) addColumn(c);
  ownNodes = nodeCount;
  if (patternCount == 0) return;
  patternBits = reserve(<usize>(prefixes + found) << 3);
  names = reserveText(FOUND_BYTES);
  nameTop = names;
  for (let node: u32 = ROOT + 1; node < ownNodes; node++) {
    store<u64>(bitsAt(node), patternsOf(load<u32>(nodeAt(node), 28), load<u32>(nodeAt(node), 24)));
  }
}

function countSegments(c: u32): u32 {
  let segments: u32 = 1;
  for (let i: u32 = 0; i < columnNameLength(c); i++) {
    if (load<u8>(columnNamePointer(c) + i) == DOT) segments++;
  }
  return segments;
}

function addColumn(c: u32): void {
  const name = columnNamePointer(c);
  const nestedLength = columnNestedLength(c);
  const isPattern = columnIsPattern(c);
  const length = isPattern ? nestedLength : columnNameLength(c);
  for (let end: u32 = 1; end <= length; end++) {
    if (end == length || load<u8>(name + end) == DOT) addPrefix(name, end);
  }
  if (!isPattern) {
    const leaf = findNode(name, length);
    store<u32>(sameName + (<usize>c << 2), load<u32>(nodeAt(leaf)));
    store<u32>(nodeAt(leaf), c + 1);
  }
  if (nestedLength == 0) return;
  const nested = findNode(name, nestedLength);
  setFlags(nested, IS_NESTED);
  store<u32>(nestedNodes + (<usize>c << 2), nested);
}

/** Adds the node of a prefix, and its edges from every shorter prefix, unless it is there. */
function addPrefix(name: usize, length: u32): void {
  if (findNode(name, length) != 0) return;
  const node = nodeCount++;
  store<u32>(nodeAt(node), length, 24);
  store<u32>(nodeAt(node), <u32>name, 28);
  addEdges(node);
}

/** Adds the edges to a node from every shorter prefix of its name. */
function addEdges(node: u32): void {
  const name = <usize>load<u32>(nodeAt(node), 28);
  const length = load<u32>(nodeAt(node), 24);
  addEdge(ROOT, name, length, node);
  for (let i: u32 = 1; i + 1 < length; i++) {
    if (load<u8>(name + i) == DOT) addEdge(findNode(name, i), name + i + 1, length - i - 1, node);
  }
}

function findNode(name: usize, length: u32): u32 {
  for (let node: u32 = ROOT + 1; node < nodeCount; node++) {
    const at = nodeAt(node);
    if (load<u32>(at, 24) == length && textEquals(load<u32>(at, 28), name, length)) return node;
  }
  return 0;
}

function addEdge(from: u32, key: usize, length: u32, to: u32): void {
  setFlags(from, IS_INNER);
  const head = headOf(key, length);
  const tail = tailOf(key, length, head);
  let slot = slotFor(from, head, tail, length);
  while (load<u32>(edges + <usize>slot * EDGE, 16) != 0) slot = (slot + 1) & edgeMask;
  const at = edges + <usize>slot * EDGE;
  store<u64>(at, head);
  store<u64>(at, tail, 8);
  store<u32>(at, length, 16);
  store<u32>(at, from, 20);
  store<u32>(at, to, 24);
  store<u32>(at, <u32>key, 28);
}

/** The node that `key` leads to from node `from`, 0 where it leads to no column. Reads up to 15 bytes past the key. */
@inline
export function findKey(from: u32, key: usize, length: u32): u32 {
  const head = headOf(key, length);
  const tail = tailOf(key, length, head);
  let slot = slotFor(from, head, tail, length);
  for (;;) {
    const at = edges + <usize>slot * EDGE;
    const bytes = load<u32>(at, 16);
    if (bytes == 0) return 0;
    if (load<u64>(at) == head && load<u64>(at, 8) == tail && bytes == length && load<u32>(at, 20) == from) {
      if (length <= 16 || textEquals(load<u32>(at, 28), key, length)) return load<u32>(at, 24);
    }
    slot = (slot + 1) & edgeMask;
  }
  return 0;
}

/** As {@link findKey}, for a key that leads to no column of its own: a field that patterns ask for gets a node. */
export function findField(from: u32, key: usize, length: u32): u32 {
  const above = load<u32>(nodeAt(from), 24);
  const bytes = above == 0 ? length : above + 1 + length;
  if (bytes > FOUND_NAME) return 0;
  if (nameTop + bytes > names + FOUND_BYTES) return crowded();
  copyText(nameTop, <usize>load<u32>(nodeAt(from), 28), above);
  if (above != 0) store<u8>(nameTop + above, DOT);
  copyText(nameTop + bytes - length, key, length);
  const patterns = patternsOf(nameTop, bytes);
  if (patterns == 0 && !leadsToPattern(nameTop, bytes)) return 0;
  let node = findNode(nameTop, bytes);
  if (edgesFound == FOUND_EDGES || (node == 0 && nodeCount - ownNodes == FOUND_NODES)) return crowded();
  if (node == 0) {
    node = nodeCount++;
    memory.fill(nodeAt(node), 0, NODE);
    store<u32>(nodeAt(node), bytes, 24);
    store<u32>(nodeAt(node), <u32>nameTop, 28);
    store<u64>(bitsAt(node), patterns);
  }
  edgesFound++;
  addEdge(from, nameTop + bytes - length, length, node);
  nameTop += bytes;
  return node;
}

function crowded(): u32 {
  isCrowded = true;
  count(IngestCounter.Truncated);
  return 0;
}

/** Forgets the fields that patterns asked for once they have no more room, so that there is some for others. */
export function makeFieldRoom(): void {
  if (!isCrowded) return;
  isCrowded = false;
  nodeCount = ownNodes;
  edgesFound = 0;
  nameTop = names;
  memory.fill(edges, 0, (<usize>edgeMask + 1) * EDGE);
  for (let node: u32 = ROOT + 1; node < ownNodes; node++) addEdges(node);
}

/** Patterns that the node's name satisfies, as bits. */
@inline
export function nodePatterns(node: u32): u64 {
  return patternCount == 0 ? 0 : load<u64>(bitsAt(node));
}

@inline
function bitsAt(node: u32): usize {
  return patternBits + (<usize>node << 3);
}

@inline
function headOf(key: usize, length: u32): u64 {
  const head = load<u64>(key);
  return length >= 8 ? head : head & (((<u64>1) << (<u64>length << 3)) - 1);
}

@inline
function tailOf(key: usize, length: u32, head: u64): u64 {
  return length >= 8 ? load<u64>(key + length - 8) : head;
}

@inline
function slotFor(from: u32, head: u64, tail: u64, length: u32): u32 {
  const mixed = ((head ^ rotl<u64>(tail, 29)) * MIX_A) ^ (<u64>((from << 8) + length) * MIX_B);
  return <u32>((mixed * MIX_A) >> 40) & edgeMask;
}

@inline
function nodeAt(node: u32): usize {
  return nodes + <usize>node * NODE;
}

/** First column at the node, plus 1; 0 for none. */
@inline
export function nodeColumn(node: u32): u32 {
  return load<u32>(nodeAt(node));
}

/** Whether longer paths go through the node. */
export function nodeIsInner(node: u32): bool {
  return (load<u32>(nodeAt(node), 4) & IS_INNER) != 0;
}

/** Whether elements at the node are counted. */
export function nodeIsNested(node: u32): bool {
  return (load<u32>(nodeAt(node), 4) & IS_NESTED) != 0;
}

/** A bit of 64 that is the node's own from now on; 64 where none is left. */
export function nodeBit(node: u32): u32 {
  const given = load<u32>(nodeAt(node), 4) >> BIT_SHIFT;
  if (given != 0) return given - 1;
  if (bitsGiven == BITS) return BITS;
  setFlags(node, ++bitsGiven << BIT_SHIFT);
  return bitsGiven - 1;
}

function setFlags(node: u32, flags: u32): void {
  store<u32>(nodeAt(node), load<u32>(nodeAt(node), 4) | flags, 4);
}

/** Next column of the same name as column `c`, plus 1; 0 for none. */
@inline
export function nextColumn(c: u32): u32 {
  return load<u32>(sameName + (<usize>c << 2));
}

/** The nested path that column `c` is below, as a node; 0 for none. */
@inline
export function nestedNode(c: u32): u32 {
  return load<u32>(nestedNodes + (<usize>c << 2));
}

/** Notes that object `object` has the key; returns the entry of the same key seen earlier in that object, or 0. */
@inline
export function noteKey(node: u32, object: u32, entry: usize): usize {
  const at = nodeAt(node);
  const earlier: usize = load<u32>(at, 8) == object ? <usize>load<u32>(at, 12) : 0;
  store<u32>(at, object, 8);
  store<u32>(at, <u32>entry, 12);
  return earlier;
}

/** Forgets what {@link noteKey} noted, so that object numbers can start over. */
export function forgetKeys(): void {
  for (let node: u32 = 0; node < nodeCount; node++) {
    store<u64>(nodeAt(node), 0, 8);
    store<u64>(nodeAt(node), 0, 16);
  }
}

/** Counts one more element of the nested path within array `array`. */
@inline
export function countElement(node: u32, array: u32): void {
  const at = nodeAt(node);
  if ((load<u32>(at, 4) & IS_NESTED) == 0) return;
  const counted: u32 = load<u32>(at, 16) == array ? load<u32>(at, 20) : 0;
  store<u32>(at, array, 16);
  store<u32>(at, counted + 1, 20);
}

/** Elements of the nested path counted within array `array`. */
@inline
export function elementCount(node: u32, array: u32): u32 {
  const at = nodeAt(node);
  return load<u32>(at, 16) == array ? load<u32>(at, 20) : 0;
}
