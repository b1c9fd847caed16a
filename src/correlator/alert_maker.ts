/** Turns the kernel's records into alerts: names, keys, deterministic ids, overrides. One for a correlator. */
import { Link, ProcessFlag } from '../core/abi/state.js';
import { AlertFlag } from '../core/abi/stateful.js';
import { hash128Hex } from '../core/hash.js';
import { formatTimeUs } from '../core/time.js';
import { type AlertOverride, type BehaviorRule, type Expr, type Rule, type Severity, severities } from '../rule/ir.js';
import type { Alert, Evidence, MissingEvidence } from './alert.js';
import type { BehaviorAlert } from './behavior/judge.js';
import type { EvidenceFields, ProcessNode, Witness } from './behavior/witness.js';
import { type Steps, valuesOf } from './evaluate.js';
import { cutValue } from './evidence_cut.js';
import type { RawAlert, RawEvidence, RawProcess, RawWitness } from './records.js';
import type { RuleView } from './rule_view.js';

/** An alert on its way out, with what only its making knows. */
export interface MadeAlert {
  readonly view: RuleView;
  readonly timeUs: number;
  readonly alert: Alert;
  /** The events' fields, all that were kept, by place in the evidence; null for a missing step. */
  readonly steps: Steps;
}

export interface AlertNames {
  readonly hostName: (host: number) => string;
  readonly evidenceFields: ReadonlySet<string>;
  /** Longest value shown, in bytes; longer ones are cut and marked. */
  readonly evidenceValueBytes: number;
  /** Field that holds an event's own id, if any. */
  readonly eventIdField: string | null;
}

/** Makes the alert of a kernel record. */
export function makeAlert(raw: RawAlert, view: RuleView, names: AlertNames): MadeAlert {
  const { rule } = view;
  const isRevised = (raw.flags & AlertFlag.Revised) !== 0;
  // A revision shows its new event and keeps the id that the event first published gave it.
  const shown = isRevised ? raw.evidence.slice(0, 1) : raw.evidence;
  const identifying = isRevised ? raw.evidence.slice(-1) : raw.evidence;
  const steps = shown.map((entry) => (entry.isMissing ? null : entry.fields));
  const identities = identifying.map((entry) => (entry.isMissing ? '-' : eventIdOf(entry, names)));
  const last = shown.findLast((entry) => !entry.isMissing);
  const notes = notesOf(raw.flags);
  const alert: Alert = {
    id: hash128Hex(JSON.stringify([rule.id, raw.keyHash, ...identities])),
    rule: ruleOf(rule, steps),
    time: formatTimeUs(raw.timeUs),
    host: raw.host === 0 ? null : hostOf(names.hostName(raw.host), last?.fields ?? {}),
    key: keyOf(view, shown),
    evidence: shown.map((entry) => evidenceOf(entry, view, names)),
    revision: isRevised ? raw.value : 1,
    ...(rule.kind === 'aggregate' ? { value: raw.value } : {}),
    ...(notes.length > 0 ? { notes } : {}),
  };
  return { view, timeUs: raw.timeUs, alert, steps };
}

/** The host is not known for a whole window, or has lost terms within it. */
export const historyNote = 'history of this host is incomplete';
export const lateNote = 'the event came too late to change what was published';

function notesOf(flags: number): string[] {
  const notes: string[] = [];
  if ((flags & AlertFlag.HistoryIncomplete) !== 0) notes.push(historyNote);
  if ((flags & AlertFlag.Late) !== 0) notes.push(lateNote);
  return notes;
}

/** Makes the alert of a behaviour judgement. */
export function makeBehaviorAlert(judged: BehaviorAlert, view: RuleView): MadeAlert {
  const { rule } = view;
  const alert: Alert = {
    id: judged.id,
    rule: { id: rule.id, name: rule.name, severity: judged.severity, riskScore: judged.riskScore, threat: rule.threat },
    time: formatTimeUs(judged.timeUs),
    host: judged.host,
    key: judged.key,
    evidence: judged.evidence.map(({ timeUs, ...entry }) => ({ ...entry, time: formatTimeUs(timeUs) })),
    revision: judged.revision,
    ...(judged.suppressed > 0 ? { suppressed: judged.suppressed } : {}),
    ...(judged.exceptions === undefined ? {} : { exceptions: judged.exceptions }),
    ...(judged.hiddenBy === undefined ? {} : { hiddenBy: judged.hiddenBy }),
    behavior: judged.detail,
  };
  return { view, timeUs: judged.timeUs, alert, steps: judged.evidence.map((entry) => entry.fields) };
}

function ruleOf(rule: Rule, steps: Steps): Alert['rule'] {
  let { name, severity, riskScore } = rule;
  for (const override of rule.overrides ?? []) {
    const given = lastValue(steps, override.field);
    if (given === undefined || (override.equals !== undefined && given !== override.equals)) continue;
    if (override.target === 'severity') severity = overriddenSeverity(override, given) ?? severity;
    else if (override.target === 'riskScore') riskScore = overriddenRisk(override, given) ?? riskScore;
    else if (override.target === 'name') name = given;
  }
  return { id: rule.id, name, severity, riskScore, threat: rule.threat };
}

function overriddenSeverity(override: AlertOverride, given: string): Severity | undefined {
  return override.severity ?? severities.find((severity) => severity === given.toLowerCase());
}

function overriddenRisk(override: AlertOverride, given: string): number | undefined {
  const score = override.riskScore ?? Number(given);
  return score >= 0 && score <= 100 ? score : undefined;
}

/** Text of a field's first value in the last event that has it. */
function lastValue(steps: Steps, field: string): string | undefined {
  const value = steps.findLast((fields) => fields?.[field] !== undefined)?.[field];
  const first = typeof value === 'object' ? value[0] : value;
  return first === undefined ? undefined : String(first);
}

function hostOf(id: string, fields: EvidenceFields): { readonly id: string; readonly name?: string } {
  const name = fields['host.name'];
  const first = typeof name === 'object' ? name[0] : name;
  return first === undefined ? { id } : { id, name: String(first) };
}

const eventIdOf = (entry: RawEvidence, { eventIdField }: AlertNames): string => {
  const own = eventIdField === null ? undefined : entry.fields[eventIdField];
  return own === undefined ? entry.identity : String(typeof own === 'object' ? own[0] : own);
};

function evidenceOf(entry: RawEvidence, view: RuleView, names: AlertNames): Evidence | MissingEvidence {
  const step = view.stepNames[entry.step] ?? String(entry.step);
  const time = formatTimeUs(entry.timeUs);
  if (entry.isMissing) return { step, missing: true, time };
  let { isCut } = entry;
  const shown = new Map<string, NonNullable<EvidenceFields[string]>>();
  // In the order of the options, whatever other rules have the kernel keep.
  for (const name of [...names.evidenceFields, ...view.keyFields]) {
    const value = entry.fields[name];
    if (value === undefined) continue;
    const kept = cutValue(value, names.evidenceValueBytes);
    isCut ||= kept !== value;
    shown.set(name, kept);
  }
  return {
    step,
    eventId: eventIdOf(entry, names),
    ordinal: entry.ordinal,
    time,
    fields: Object.fromEntries(shown),
    ...(isCut ? { isCut: true } : {}),
  };
}

// ------------------------------------------------------------------------------------------------------- keys

/** The group key, named by its fields as the first step names them. */
function keyOf(view: RuleView, evidence: readonly RawEvidence[]): Alert['key'] {
  const named = view.keys[0] ?? [];
  if (named.length === 0) return null;
  const events = evidence.filter((entry) => !entry.isMissing);
  const key: Record<string, string | null> = {};
  named.forEach((expr, component) => {
    key[keyName(expr, component)] = commonValue(events, view, component);
  });
  return key;
}

/** The value that every event of the evidence has at a component of the key. */
function commonValue(events: readonly RawEvidence[], view: RuleView, component: number): string | null {
  let common: string[] | undefined;
  for (const entry of events) {
    const expr = (view.keys[entry.step] ?? view.keys[0])?.[component];
    if (expr === undefined) continue;
    const values = valuesOf(expr, [entry.fields]).map(String);
    const before: string[] | undefined = common;
    common = before === undefined ? values : before.filter((value) => values.includes(value));
  }
  return common?.[0] ?? null;
}

const keyName = (expr: Expr, component: number): string => (expr.kind === 'field' ? expr.name : `key${component}`);

// -------------------------------------------------------------------------------------------------- witnesses

const links: Readonly<Record<number, ProcessNode['link']>> = {
  [Link.None]: 'none',
  [Link.ParentPid]: 'pid',
  [Link.Ancestry]: 'ancestry',
  [Link.ParentStart]: 'pid',
  [Link.ParentEntity]: 'entity',
  [Link.Fork]: 'fork',
};

/** Makes witnesses of one rule's kernel records. The same process is the same node, in one witness and the next. */
export class WitnessMaker {
  #made: { readonly evidence: RawEvidence; readonly witness: Witness } | undefined;

  /** `marks` names each mark of the rule by its bit; no other maker of the same records has that `place`. */
  constructor(
    private readonly place: number,
    private readonly rule: BehaviorRule,
    private readonly marks: ReadonlyMap<number, string>,
    private readonly names: AlertNames,
  ) {}

  make(raw: RawWitness): Witness {
    const { evidence, chain } = raw;
    const itemId = this.rule.items[raw.item]?.id ?? String(raw.item);
    const before = this.#made;
    // An event that satisfies several items is read once.
    if (before !== undefined && before.evidence === evidence) return { ...before.witness, itemId };
    const last = chain.length - 1;
    const isCut = raw.isTruncated || ((chain[last]?.flags ?? 0) & ProcessFlag.Truncated) !== 0;
    const witness: Witness = {
      itemId,
      timeUs: raw.timeUs,
      ordinal: evidence.ordinal,
      eventId: eventIdOf(evidence, this.names),
      host: hostOf(this.names.hostName(raw.host), evidence.fields),
      fields: evidence.fields,
      chain: chain.map((process, index) => this.#node(process, index === last)),
      chainTruncated: isCut,
      late: raw.isLate,
    };
    this.#made = { evidence, witness };
    return witness;
  }

  #node(process: RawProcess, isLast: boolean): ProcessNode {
    const place = 2 * this.place + (isLast ? 1 : 0);
    for (let made = process.made; made !== undefined; made = made.next) if (made.place === place) return made.node;
    const node = nodeOf(process, this.marks, isLast);
    process.made = { place, node, next: process.made };
    return node;
  }
}

function nodeOf(process: RawProcess, marks: ReadonlyMap<number, string>, isLast: boolean): ProcessNode {
  const isMarked = process.marksLow !== 0 || process.marksHigh !== 0;
  return {
    identity: process.identity,
    weak: (process.flags & ProcessFlag.Strong) === 0,
    pid: process.pid,
    startUs: process.startUs,
    images: process.images,
    marks: isMarked ? marksOf(process, marks) : unmarked,
    link: isLast ? 'none' : (links[process.link] ?? 'none'),
    implicit: (process.flags & ProcessFlag.Implicit) !== 0,
    exited: (process.flags & ProcessFlag.Exited) !== 0,
  };
}

const unmarked: readonly string[] = [];

function marksOf({ marksLow, marksHigh }: RawProcess, marks: ReadonlyMap<number, string>): readonly string[] {
  const isSet = (bit: number): boolean => (((bit < 32 ? marksLow : marksHigh) >>> (bit & 31)) & 1) === 1;
  return [...marks].filter(([bit]) => isSet(bit)).map(([, name]) => name);
}
