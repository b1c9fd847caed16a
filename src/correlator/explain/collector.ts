/** Gathers, event by event, which probes were true, and keeps the few events that came nearest to each part of a rule. */
import { formatTimeUs } from '../../core/time.js';
import type { Alert } from '../alert.js';
import type { MadeAlert } from '../alert_maker.js';
import type { EvidenceFields } from '../behavior/witness.js';
import { valuesOf } from '../evaluate.js';
import type { Conjunct, RulePart } from './parts.js';
import type { Probes } from './probes.js';

/** A condition that failed on an event, with what the event has in the fields it reads; null for a missing field. */
export interface FailedCondition {
  readonly condition: string;
  readonly values: Readonly<Record<string, EvidenceFields[string] | null>>;
}

/** An event that satisfied much of a part, but not all. */
export interface NearEvent {
  readonly ordinal: number;
  readonly time: string;
  readonly host: string | null;
  readonly eventId: string;
  readonly process: string | null;
  readonly held: readonly string[];
  readonly failed: readonly FailedCondition[];
}

/** An event that satisfied a part, with its key. */
export interface JoinRow {
  readonly timeUs: number;
  readonly ordinal: number;
  readonly host: string;
  /** One text a key component; null for a missing value. */
  readonly key: readonly (string | null)[];
}

/** What became of one part. */
export interface PartTally {
  readonly part: RulePart;
  /** Events of its category. */
  seen: number;
  /** Events that satisfied it. */
  matched: number;
  /** Behaviour items: events that satisfied it under a root process. */
  attributed: number;
  /** Events of its category that have a field. */
  readonly present: Map<string, number>;
  /** The first so many that satisfied it. */
  readonly rows: JoinRow[];
  readonly nearest: Ranked[];
}

interface Ranked {
  readonly strong: number;
  readonly weak: number;
  readonly event: NearEvent;
}

const nearestMax = 3;
const rowsMax = 2000;

export class ExplainCollector {
  readonly tallies: readonly PartTally[];
  readonly #probes: Probes;
  #row: MadeAlert | undefined;
  #ordinal = -1;
  #ids: string[] = [];

  constructor(parts: readonly RulePart[], probes: Probes) {
    this.#probes = probes;
    this.tallies = parts.map((part) => ({
      part,
      seen: 0,
      matched: 0,
      attributed: 0,
      present: new Map(),
      rows: [],
      nearest: [],
    }));
  }

  /** Takes a true probe. The engine gives all probes of one event before those of the next. */
  take(made: MadeAlert): void {
    const { ordinal } = eventOf(made.alert);
    if (ordinal !== this.#ordinal) {
      this.end();
      this.#ordinal = ordinal;
      this.#row = made;
    }
    this.#ids.push(made.view.rule.id);
  }

  /** Counts the event in hand. */
  end(): void {
    const row = this.#row;
    if (row === undefined) return;
    const touched = new Map<number, { seen: boolean; attributed: boolean; held: Set<Conjunct> }>();
    for (const target of this.#ids.flatMap((id) => this.#probes.targets.get(id) ?? [])) {
      const state = touched.get(target.part) ?? { seen: false, attributed: false, held: new Set<Conjunct>() };
      touched.set(target.part, state);
      if (target.kind === 'seen') state.seen = true;
      else if (target.kind === 'attributed') state.attributed = true;
      else {
        const conjunct = this.tallies[target.part]?.part.alternatives[target.alternative]?.[target.conjunct];
        if (conjunct !== undefined) state.held.add(conjunct);
      }
    }
    for (const [index, state] of touched) {
      const tally = this.tallies[index];
      if (tally !== undefined && state.seen) count(tally, row, state.held, state.attributed);
    }
    this.#row = undefined;
    this.#ids = [];
  }
}

function count(tally: PartTally, row: MadeAlert, held: ReadonlySet<Conjunct>, isAttributed: boolean): void {
  const { part } = tally;
  const fields = row.steps[0] ?? {};
  tally.seen++;
  if (isAttributed) tally.attributed++;
  for (const name of Object.keys(fields)) tally.present.set(name, (tally.present.get(name) ?? 0) + 1);
  const holds = (conjunct: Conjunct): boolean => held.has(conjunct) || !conjunct.isProbed;
  if (part.alternatives.some((conjuncts) => conjuncts.every(holds))) {
    tally.matched++;
    if (tally.rows.length < rowsMax) tally.rows.push(joinRow(part, row, fields));
    return;
  }
  for (const conjuncts of part.alternatives) rank(tally, row, fields, conjuncts, holds);
}

/** The event of a match; a match has exactly one. */
function eventOf(alert: Alert): { readonly ordinal: number; readonly eventId: string } {
  const [evidence] = alert.evidence;
  return evidence === undefined || evidence.missing === true ? { ordinal: -1, eventId: '' } : evidence;
}

function joinRow(part: RulePart, { alert, timeUs }: MadeAlert, fields: EvidenceFields): JoinRow {
  return {
    timeUs,
    ordinal: eventOf(alert).ordinal,
    host: alert.host?.id ?? '',
    key: part.by.map((expr) => {
      const [value] = valuesOf(expr, [fields]);
      return value === undefined ? null : String(value);
    }),
  };
}

/** Keeps the event if it is among the nearest: most conditions true, then the earliest. */
function rank(
  tally: PartTally,
  row: MadeAlert,
  fields: EvidenceFields,
  conjuncts: readonly Conjunct[],
  holds: (conjunct: Conjunct) => boolean,
): void {
  const strong = conjuncts.filter((conjunct) => !conjunct.isWeak && holds(conjunct)).length;
  const weak = conjuncts.filter((conjunct) => conjunct.isWeak && holds(conjunct)).length;
  const { nearest } = tally;
  const last = nearest[nearestMax - 1];
  const isFar = last !== undefined && (last.strong - strong || last.weak - weak) >= 0;
  if (strong === 0 || isFar) return;
  const event = nearEvent(row, fields, conjuncts, holds);
  const known = nearest.findIndex((one) => one.event.ordinal === event.ordinal);
  if (known >= 0) {
    const before = nearest[known] as Ranked;
    if ((before.strong - strong || before.weak - weak) >= 0) return;
    nearest.splice(known, 1);
  }
  const at = nearest.findIndex((one) => (one.strong - strong || one.weak - weak) < 0);
  nearest.splice(at < 0 ? nearest.length : at, 0, { strong, weak, event });
  nearest.length = Math.min(nearest.length, nearestMax);
}

function nearEvent(
  { alert, timeUs }: MadeAlert,
  fields: EvidenceFields,
  conjuncts: readonly Conjunct[],
  holds: (conjunct: Conjunct) => boolean,
): NearEvent {
  const { ordinal, eventId } = eventOf(alert);
  const process = fields['process.executable'] ?? fields['process.name'];
  return {
    ordinal,
    time: formatTimeUs(timeUs),
    host: alert.host?.id ?? null,
    eventId,
    process: process === undefined ? null : String(process),
    held: conjuncts.filter(holds).map(({ text }) => text),
    failed: conjuncts
      .filter((conjunct) => !holds(conjunct))
      .map((conjunct) => ({
        condition: conjunct.text,
        values: Object.fromEntries(conjunct.fields.map((name) => [name, fields[name] ?? null])),
      })),
  };
}
