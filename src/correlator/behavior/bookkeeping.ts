/** What a session remembers besides its cases: launch, lookups, writes, the deletion of its script. All bounded. */
import { keepNewest } from '../../core/bounded.js';
import { pathKey } from '../../core/paths.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { textsOf } from './fields.js';
import { domainKey } from './findings.js';
import { typedRoot } from './root.js';
import { evidenceOf, type Session } from './session.js';
import type { Placement } from './session_table.js';
import type { Witness } from './witness.js';

const lookupsMax = 512;
const writesMax = 512;

/** Updates the session by a witness of `className`. True when a condition on the session may hold that did not before. */
export function bookkeep(rule: BehaviorRule, placement: Placement, witness: Witness, className: string): boolean {
  const { session } = placement;
  const { bookkeeping } = rule.judgement;
  let isChanged = false;
  if (className === bookkeeping.launch || className === bookkeeping.execution) noteProcess(session, witness);
  if (className === bookkeeping.launch) isChanged = noteLaunch(rule, placement, witness) || isChanged;
  if (className === bookkeeping.source) noteSource(session, witness);
  if (className === bookkeeping.lookup) noteLookup(session, witness);
  if (className === bookkeeping.write) noteWrite(rule, session, witness);
  if (className === bookkeeping.deletion) isChanged = noteDeletion(rule, session, witness) || isChanged;
  if (className === bookkeeping.execution) isChanged = noteExecution(rule, session, witness) || isChanged;
  return isChanged;
}

/** The root's own launch event tells its working directory and other fields that images do not carry. */
function noteLaunch(rule: BehaviorRule, { session, chain }: Placement, witness: Witness): boolean {
  if (rule.judgement.session.kind === 'fields') return noteTyped(session, witness);
  const isOwn = chain[0] !== undefined && chain[0].identity === witness.chain[0]?.identity;
  if (!isOwn || (session.launch !== undefined && session.launch.timeUs <= witness.timeUs)) return false;
  session.launch = evidenceOf(witness);
  session.describe(chain, witness.chainTruncated);
  return true;
}

/** Where sessions are told by fields the newest launch says what the session runs. */
function noteTyped(session: Session, witness: Witness): boolean {
  if (session.launch !== undefined && session.launch.timeUs > witness.timeUs) return false;
  session.launch = evidenceOf(witness);
  session.describe([typedRoot(session.rootIdentity, witness)], false);
  return true;
}

const sourcesMax = 64;

function noteSource(session: Session, witness: Witness): void {
  session.sources.push(witness.timeUs);
  session.sources.sort((a, b) => a - b);
  if (session.sources.length > sourcesMax) session.sources.shift();
}

function noteLookup(session: Session, witness: Witness): void {
  const [name] = textsOf(witness.fields, 'dns.question.name');
  if (name === undefined) return;
  for (const address of textsOf(witness.fields, 'dns.resolved_ip')) {
    const lookup = { name: domainKey(name), timeUs: witness.timeUs };
    session.lookups = remember(session.lookups, address, lookup, lookupsMax);
  }
}

function noteWrite(rule: BehaviorRule, session: Session, witness: Witness): void {
  const [path] = textsOf(witness.fields, 'file.path');
  if (path === undefined) return;
  const key = pathKey(path, rule.judgement.platform, session.folds);
  session.writes = remember(session.writes, key, witness.timeUs, writesMax);
}

function noteDeletion(rule: BehaviorRule, session: Session, witness: Witness): boolean {
  if (session.scriptDeletedUs !== undefined) return false;
  const { scriptKey } = session.profile;
  if (scriptKey === undefined) return false;
  const deleted = textsOf(witness.fields, 'file.path').map((path) => pathKey(path, rule.judgement.platform));
  if (!deleted.includes(scriptKey)) return false;
  session.scriptDeletedUs = witness.timeUs;
  return true;
}

function noteExecution(rule: BehaviorRule, session: Session, witness: Witness): boolean {
  if (session.writes.size === 0) return false;
  const [path] = textsOf(witness.fields, 'process.executable');
  if (path === undefined) return false;
  const writtenUs = session.writes.get(pathKey(path, rule.judgement.platform, session.folds));
  if (writtenUs === undefined || writtenUs > witness.timeUs) return false;
  const afterUs = witness.timeUs - writtenUs;
  if (session.wroteAndRan !== undefined && session.wroteAndRan.afterUs <= afterUs) return false;
  session.wroteAndRan = { ranUs: witness.timeUs, afterUs };
  return true;
}

const processesMax = 512;

/** A process of the tree, by the names that other events call it by. */
function noteProcess(session: Session, { chain, fields }: Witness): void {
  const identities = chain.slice(1).map(({ identity }) => identity);
  for (const field of ['process.entity_id', 'process.pid']) {
    const [name] = textsOf(fields, field);
    if (name === undefined) continue;
    session.processes = remember(session.processes, `${field} ${name}`, identities, processesMax);
  }
}

/** The map with the entry as its newest; a map of its own from the first entry on. */
function remember<V>(map: ReadonlyMap<string, V>, key: string, value: V, max: number): ReadonlyMap<string, V> {
  const own = map.size === 0 ? new Map<string, V>() : (map as Map<string, V>);
  own.delete(key);
  own.set(key, value);
  keepNewest(own, max);
  return own;
}
