/**
 * Process lineage: which process a row is about, who its ancestors are, and which marks they carry. A process is an
 * incarnation, one life of a pid: exec in place gives it another image, never a child; fork makes a child that runs its
 * parent's image; a process first met in the middle of its life is implicit until its own start turns up.
 *
 * Marks: own ones accumulate; inherited ones are what the ancestors carried when the process came to be.
 */
import { Host, LineageColumn, Link, Loss, LossRule, ProcessFlag, Relation, SystemRole } from "../src/core/abi/state";
import {
  IMAGES_PER_PROCESS, IMAGE_VALUES, imageCreate, imageOlder, imagesInit, imagesKept, imagesMarkValues, imagesRelease,
  imageSetOlder, imageSetValue, imageTimeUs, imageValue,
} from "./images";
import {
  ancestryKey, ancestryLength, ancestryNames, generationKey, lineageKeysInit, parentEntityKey, parentPid, parentStartKey, subjectKey, subjectPid,
  wellKnownText,
} from "./lineage_keys";
import { lineageTouchInit } from "./lineage_touch";
import { countLoss } from "./losses";
import { reserve } from "./memory";
import { processFind, processFindPid, processIndexPid, processRekey, processSetPid } from "./process_index";
import {
  processFirstChild, processFlags, processIdleTicks, processImages, processInherited, processKey, processLink,
  processNext, processNextSibling, processOwn, processParent, processPid, processSetFlags, processSetImages,
  processSetInherited, processSetOwn, processSetParent, processSetStartUs, processStartUs, processTouch, processUnlink,
} from "./process_records";
import {
  processCapacity, processCreate, processForgetHost, processPin, processQueueFirst, processTableInit,
} from "./process_table";
import { rowHost, rowTimeUs } from "./rows";

/** Ancestors followed upwards from a process. */
export const ANCESTRY_DEPTH: u32 = 16;
/** Steps of a walk that looks for a cycle. */
const CYCLE_STEPS: u32 = 64;
/** How long after its exit a process still takes events that name it by pid alone, in ticks of two seconds. */
const EXIT_GRACE_TICKS: u32 = 3;
/** Descendants that one mark is handed down to at most. */
const PROPAGATION_MAX: u32 = 4096;
const STACK_MAX: u32 = 1024;

const FORK: u32 = 1 << SystemRole.Fork;
const EXEC: u32 = 1 << SystemRole.Exec;
const SNAPSHOT: u32 = 1 << SystemRole.Snapshot;
const EXIT: u32 = 1 << SystemRole.Exit;
/** Pid 1, plus one. */
const INIT_PID: u32 = 2;

let stack: usize = 0;

export function lineageInit(): void {
  processTableInit();
  imagesInit();
  if (!lineageEnabled()) return;
  lineageKeysInit();
  lineageTouchInit();
  stack = reserve(usize(STACK_MAX) << 2);
}

/** Some rule of the program asks about lineage. */
export function lineageEnabled(): bool {
  return processCapacity() != 0;
}

/**
 * The process that the row is about, updated by what the row says of it; 0 where it names none or none can be kept.
 * `roles`: bit per `SystemRole` that the row plays.
 */
export function lineageObserve(slot: u32, roles: u32): u32 {
  const host = rowHost(slot);
  if (!lineageEnabled() || host <= u32(Host.Overflow)) return 0;
  const timeUs = rowTimeUs(slot);
  const pid = subjectPid(slot);
  const key = subjectKey(slot);
  if (key == 0 && pid == 0) return 0;
  processPin(0, 0);
  const p = key != 0 ? resolveStrong(slot, host, key, pid, roles, timeUs) : resolveWeak(slot, host, pid, roles, timeUs);
  if (p == 0) return 0;
  processPin(p, 0);
  processTouch(p, timeUs);
  linkParents(p, slot, host, roles, timeUs);
  if (imagesKept()) observeImage(p, slot, host, roles, timeUs);
  let flags = processFlags(p);
  if ((roles & (FORK | EXEC | SNAPSHOT)) != 0) {
    flags &= ~ProcessFlag.Implicit;
    if (timeUs < processStartUs(p)) processSetStartUs(p, timeUs);
  }
  if ((roles & EXIT) != 0) flags |= ProcessFlag.Exited;
  processSetFlags(p, flags);
  return p;
}

/** The process that the row is about as far as it is known, without changing anything. */
export function lineageFind(slot: u32): u32 {
  const host = rowHost(slot);
  if (!lineageEnabled() || host <= u32(Host.Overflow)) return 0;
  const key = subjectKey(slot);
  if (key != 0) return processFind(key);
  const pid = subjectPid(slot);
  return pid != 0 ? processFindPid(host, pid) : 0;
}

// ------------------------------------------------------------------------------------------------ subjects

function resolveStrong(slot: u32, host: u32, key: u64, pid: u32, roles: u32, timeUs: i64): u32 {
  let p = processFind(key);
  if (p != 0) {
    processSetPid(p, pid);
    return p;
  }
  const latest = pid != 0 ? processFindPid(host, pid) : 0;
  if (latest != 0 && canAdopt(latest, roles, timeUs)) {
    processRekey(latest, key);
    processSetFlags(latest, processFlags(latest) | ProcessFlag.Strong);
    return latest;
  }
  if (pid == INIT_PID && (roles & EXEC) != 0 && latest != 0) closeAll(host, timeUs);
  return create(host, key, pid, timeUs, ProcessFlag.Strong | implicitFlag(roles));
}

/** A process known by pid alone, met while it may still live, is the one that now shows its strong key. */
function canAdopt(p: u32, roles: u32, timeUs: i64): bool {
  const flags = processFlags(p);
  if ((flags & (ProcessFlag.Strong | ProcessFlag.Exited)) != 0) return false;
  return (roles & FORK) == 0 || ((flags & ProcessFlag.Implicit) != 0 && timeUs <= processStartUs(p));
}

function resolveWeak(slot: u32, host: u32, pid: u32, roles: u32, timeUs: i64): u32 {
  const latest = processFindPid(host, pid);
  if (latest != 0 && isSameLife(latest, slot, roles, timeUs)) return latest;
  const flags = implicitFlag(roles);
  const p = create(host, generationKey(host, pid, timeUs), pid, timeUs, flags);
  return p;
}

/** Whether an event that names its process by pid alone belongs to the latest incarnation of that pid. */
function isSameLife(p: u32, slot: u32, roles: u32, timeUs: i64): bool {
  const flags = processFlags(p);
  if (timeUs < processStartUs(p)) return (flags & ProcessFlag.Implicit) != 0;
  const isOver = (flags & ProcessFlag.Exited) != 0;
  if ((roles & FORK) != 0) return !isOver && timeUs == processStartUs(p);
  if ((roles & EXEC) != 0) {
    if (isOver) return false;
    const parent = processParent(p);
    const reported = parentPid(slot);
    return parent == 0 || reported == 0 || processPid(parent) == 0 || processPid(parent) == reported;
  }
  return !isOver || processIdleTicks(p, timeUs) <= EXIT_GRACE_TICKS;
}

function implicitFlag(roles: u32): u32 {
  return (roles & (FORK | EXEC | SNAPSHOT)) == 0 ? ProcessFlag.Implicit : 0;
}

/** A new incarnation. It becomes the latest of its pid unless a later one is known. */
function create(host: u32, key: u64, pid: u32, timeUs: i64, flags: u32): u32 {
  const p = processCreate(key, host, pid, timeUs, flags);
  if (p == 0 || pid == 0) return p;
  const latest = processFindPid(host, pid);
  if (latest == 0 || processStartUs(latest) <= timeUs) {
    if (latest != 0) processSetFlags(latest, processFlags(latest) | ProcessFlag.Exited);
    processIndexPid(p);
  }
  return p;
}

/** The host started anew: what was running is over. */
function closeAll(host: u32, timeUs: i64): void {
  for (let p = processQueueFirst(host); p != 0; p = processNext(p)) {
    if (processStartUs(p) < timeUs) processSetFlags(p, processFlags(p) | ProcessFlag.Exited);
  }
}

// ------------------------------------------------------------------------------------------------- parents

/** Links the process to the parent that the row reports, if that is better than what is known. */
function linkParents(p: u32, slot: u32, host: u32, roles: u32, timeUs: i64): void {
  const known = processLink(p);
  if (known == Link.Fork) return;
  const isFork = (roles & FORK) != 0;
  const entity = parentEntityKey(slot);
  if (!isFork && known >= u32(Link.ParentEntity) && (processFlags(p) & ProcessFlag.Settled) != 0) return;
  const ancestors = ancestryLength(slot, ANCESTRY_DEPTH);
  if (entity != 0) {
    linkTo(p, entity, slot, host, isFork ? Link.Fork : Link.ParentEntity, timeUs, true);
  } else if (ancestors == 0) {
    const started = parentStartKey(slot);
    if (started != 0) linkTo(p, started, slot, host, isFork ? Link.Fork : Link.ParentStart, timeUs, true);
    else linkToPid(p, slot, host, isFork ? Link.Fork : Link.ParentPid, timeUs);
  }
  if (ancestors == 0) return;
  linkAncestry(p, slot, host, ancestors, timeUs);
  processSetFlags(p, processFlags(p) | ProcessFlag.Settled);
}

function linkTo(p: u32, key: u64, slot: u32, host: u32, link: u32, timeUs: i64, isParent: bool): u32 {
  if (link <= processLink(p) || key == processKey(p)) return 0;
  let parent = processFind(key);
  const pid = isParent ? parentPid(slot) : 0;
  if (parent == 0 && pid != 0) {
    const latest = processFindPid(host, pid);
    if (latest != 0 && latest != p && canAdopt(latest, 0, timeUs)) {
      processRekey(latest, key);
      processSetFlags(latest, processFlags(latest) | ProcessFlag.Strong);
      parent = latest;
    }
  }
  if (parent == 0) {
    parent = create(host, key, pid, timeUs, ProcessFlag.Implicit | ProcessFlag.Strong);
    if (parent == 0) return 0;
  }
  if (isParent) observeParentImage(parent, slot, host, timeUs);
  connect(p, parent, link);
  return parent;
}

function linkToPid(p: u32, slot: u32, host: u32, link: u32, timeUs: i64): void {
  const pid = parentPid(slot);
  if (pid == 0 || link <= processLink(p) || pid == processPid(p)) return;
  let parent = processFindPid(host, pid);
  if (parent == p) return;
  const isOver = parent != 0 && (processFlags(parent) & ProcessFlag.Exited) != 0 &&
    processIdleTicks(parent, timeUs) > EXIT_GRACE_TICKS;
  if (parent == 0 || isOver) {
    parent = create(host, generationKey(host, pid, timeUs), pid, timeUs, ProcessFlag.Implicit);
    if (parent == 0) return;
  }
  observeParentImage(parent, slot, host, timeUs);
  connect(p, parent, link);
}

/** Follows the row's list of ancestors upwards until one is met whose parent is known. */
function linkAncestry(p: u32, slot: u32, host: u32, ancestors: u32, timeUs: i64): void {
  let child = p;
  for (let i: u32 = 0; i < ancestors; i++) {
    if (!ancestryNames(slot, i)) return;
    if (processParent(child) == 0 || processLink(child) < u32(Link.Ancestry)) {
      const key = ancestryKey(slot, i);
      processPin(p, child);
      if (linkTo(child, key, slot, host, Link.Ancestry, timeUs, i == 0) == 0) return;
    } else if (i > 0) {
      return;
    }
    child = processParent(child);
    if (child == 0) return;
  }
}

/** Makes `parent` the parent of `p` unless that would close a circle, and hands the parent's marks down. */
function connect(p: u32, parent: u32, link: u32): void {
  let up = parent;
  for (let i: u32 = 0; up != 0 && i < CYCLE_STEPS; i++) {
    if (up == p) return;
    up = processParent(up);
  }
  processUnlink(p);
  processSetParent(p, parent, link);
  processTouch(parent, processStartUs(p));
  const marks = processOwn(parent) | processInherited(parent);
  if ((marks & ~processInherited(p)) == 0) return;
  processSetInherited(p, processInherited(p) | marks);
  if (processFirstChild(p) != 0) handDown(p, marks, i64.MIN_VALUE);
}

// --------------------------------------------------------------------------------------------------- marks

/** Sets a mark (0 to 63) on a process for an event at `timeUs`. Descendants that came to be later inherit it. */
export function lineageMark(p: u32, mark: u32, timeUs: i64): void {
  if (p == 0) return;
  const bit: u64 = u64(1) << (mark & 63);
  const own = processOwn(p);
  if ((own & bit) != 0) return;
  processSetOwn(p, own | bit);
  if (processFirstChild(p) != 0) handDown(p, bit, timeUs);
}

/** Gives `marks` to the descendants of `p` that were not seen before `sinceUs`. */
function handDown(p: u32, marks: u64, sinceUs: i64): void {
  let depth: u32 = 0;
  let given: u32 = 0;
  store<u32>(stack, p);
  depth = 1;
  while (depth > 0) {
    depth--;
    let child = processFirstChild(load<u32>(stack + (usize(depth) << 2)));
    while (child != 0) {
      if ((marks & ~processInherited(child)) != 0 && processStartUs(child) >= sinceUs) {
        if (given >= PROPAGATION_MAX || depth >= STACK_MAX) {
          countLoss(Loss.MarkPropagation, LossRule.None, Host.None, 1);
          return;
        }
        processSetInherited(child, processInherited(child) | marks);
        given++;
        if (processFirstChild(child) != 0) {
          store<u32>(stack + (usize(depth) << 2), child);
          depth++;
        }
      }
      child = processNextSibling(child);
    }
  }
}

/** Whether the process (`Relation.Event`), its parent (`Child`) or some ancestor (`Descendant`) carries the mark. */
export function lineageHolds(p: u32, mark: u32, relation: u32): bool {
  if (p == 0) return false;
  const bit: u64 = u64(1) << (mark & 63);
  if (relation == Relation.Event) return (processOwn(p) & bit) != 0;
  if (relation == Relation.Descendant) return (processInherited(p) & bit) != 0;
  const parent = processParent(p);
  return parent != 0 && (processOwn(parent) & bit) != 0;
}

/** Marks that the process or an ancestor carries. */
export function lineageMarks(p: u32): u64 {
  return p == 0 ? 0 : processOwn(p) | processInherited(p);
}

/** Whether the process or some ancestor carries the mark. */
export function lineageCarries(p: u32, mark: u32): bool {
  return (lineageMarks(p) & (u64(1) << (mark & 63))) != 0;
}

// -------------------------------------------------------------------------------------------------- images

function observeImage(p: u32, slot: u32, host: u32, roles: u32, timeUs: i64): void {
  if ((roles & FORK) != 0 && processImages(p) == 0) copyParentImage(p, host, timeUs);
  if ((roles & (EXEC | SNAPSHOT)) == 0 && processImages(p) != 0) return;
  addImage(
    p, host, timeUs,
    wellKnownText(LineageColumn.Executable, slot),
    wellKnownText(LineageColumn.Name, slot),
    wellKnownText(LineageColumn.CommandLine, slot),
    wellKnownText(LineageColumn.Args, slot),
    wellKnownText(LineageColumn.User, slot),
  );
}

function observeParentImage(parent: u32, slot: u32, host: u32, timeUs: i64): void {
  if (!imagesKept() || processImages(parent) != 0) return;
  addImage(
    parent, host, timeUs,
    wellKnownText(LineageColumn.ParentExecutable, slot),
    wellKnownText(LineageColumn.ParentName, slot),
    wellKnownText(LineageColumn.ParentCommandLine, slot),
    wellKnownText(LineageColumn.ParentArgs, slot),
    0,
  );
}

function copyParentImage(p: u32, host: u32, timeUs: i64): void {
  const parent = processParent(p);
  const from = parent != 0 ? processImages(parent) : 0;
  if (from == 0) return;
  const image = imageCreate(timeUs, host);
  if (image == 0) return;
  for (let i: u32 = 0; i < IMAGE_VALUES; i++) imageSetValue(image, i, imageValue(from, i));
  processSetImages(p, image);
}

/** Adds an image segment at its place in time, unless it says nothing or repeats the one before it. */
function addImage(
  p: u32, host: u32, timeUs: i64, executable: u32, name: u32, commandLine: u32, args: u32, user: u32,
): void {
  if ((executable | name | commandLine | args) == 0) return;
  let newer: u32 = 0;
  let older = processImages(p);
  while (older != 0 && imageTimeUs(older) > timeUs) {
    newer = older;
    older = imageOlder(older);
  }
  const isRepeat = older != 0 && imageValue(older, 0) == executable && imageValue(older, 1) == name &&
    imageValue(older, 2) == commandLine && imageValue(older, 3) == args;
  if (isRepeat) return;
  const image = imageCreate(timeUs, host);
  if (image == 0) return;
  imageSetValue(image, 0, executable);
  imageSetValue(image, 1, name);
  imageSetValue(image, 2, commandLine);
  imageSetValue(image, 3, args);
  imageSetValue(image, 4, user);
  imageSetOlder(image, older);
  if (newer != 0) imageSetOlder(newer, image);
  else processSetImages(p, image);
  trimImages(p);
}

function trimImages(p: u32): void {
  let image = processImages(p);
  for (let i: u32 = 1; image != 0 && i < IMAGES_PER_PROCESS; i++) image = imageOlder(image);
  if (image == 0) return;
  imagesRelease(imageOlder(image));
  imageSetOlder(image, 0);
}

// ---------------------------------------------------------------------------------------------- the others

/** Drops every process of a host that makes room for another. */
export function lineageForgetHost(host: u32): void {
  if (lineageEnabled()) processForgetHost(host);
}

/** Tells the value store which values process records hold. */
export function lineageMarkValues(): void {
  imagesMarkValues();
}
