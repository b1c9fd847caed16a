/**
 * First-seen rules whose events may match through another event of the same term (`TermJoin`): their matches come from
 * the kernel, joins and terms are made here. Synchronous; knows no clock but event time. Bounded for each host.
 */
import { hash128Hex } from '../core/hash.js';
import type { NewTermsRule, Rule, TermJoin } from '../rule/ir.js';
import { termKey } from '../rule/terms.js';
import { type AlertNames, historyNote, lateNote, type MadeAlert, makeAlert } from './alert_maker.js';
import { holds, valuesOf } from './evaluate.js';
import type { RawAlert } from './records.js';
import type { RuleView } from './rule_view.js';
import { TermHistory, type TermHistoryState } from './term_history.js';

export type JoinedRule = NewTermsRule & { readonly joins: TermJoin };

/** Whether the rule joins events. */
export const isJoined = (rule: Rule): rule is JoinedRule => rule.kind === 'newTerms' && rule.joins !== undefined;

/** An event of one side that may yet meet one of the other. */
interface Side {
  readonly made: MadeAlert;
  /** The term as the event writes it. */
  readonly shown: readonly string[];
}

interface HostSides {
  readonly writers: Map<string, Side>;
  readonly items: Map<string, Side>;
}

interface Entry {
  readonly rule: JoinedRule;
  readonly view: RuleView;
  readonly history: TermHistory;
  readonly hosts: Map<string, HostSides>;
  lost: number;
}

interface EntryState {
  readonly history: TermHistoryState;
  readonly hosts: readonly {
    readonly host: string;
    readonly writers: readonly (readonly [string, Side])[];
    readonly items: readonly (readonly [string, Side])[];
  }[];
  readonly lost: number;
}

/** By rule id. */
export type JoinedState = Readonly<Record<string, EntryState>>;

/** Events of one side and host that wait for the other. */
const sidesMax = 512;

const withoutViews = (key: string, value: unknown): unknown => (key === 'view' ? undefined : value);

export class JoinedTerms {
  readonly #entries = new Map<number, Entry>();
  readonly #names: AlertNames;
  readonly #knownSinceUs: (host: number) => number;

  /** `knownSinceUs`: the first time known of a host, by its index; NaN where there is none. */
  constructor(names: AlertNames, knownSinceUs: (host: number) => number) {
    this.#names = names;
    this.#knownSinceUs = knownSinceUs;
  }

  /** Adds the rule at kernel index `index`. */
  add(index: number, view: RuleView, rule: JoinedRule): void {
    this.#entries.set(index, { rule, view, history: new TermHistory(rule.windowUs), hosts: new Map(), lost: 0 });
  }

  /** Takes a match of a rule of this kind and gives the alerts it comes to; undefined where the rule is none. */
  take(raw: RawAlert): MadeAlert[] | undefined {
    const entry = this.#entries.get(raw.rule);
    if (entry === undefined) return undefined;
    const made = makeAlert(raw, entry.view, this.#names);
    return termsOf(entry.rule, made).flatMap(({ key, shown }) => {
      const { rule } = entry;
      // The kernel heard either of three; what is neither of two is the third, which may ask for lineage.
      if (holds(rule.query.condition, made.steps)) return this.#see(entry, key, { made, shown }, raw.host);
      if (holds(rule.joins.items.condition, made.steps)) return this.#appeared(entry, key, { made, shown }, raw.host);
      return this.#wrote(entry, key, { made, shown }, raw.host);
    });
  }

  #appeared(entry: Entry, key: string, item: Side, host: number): MadeAlert[] {
    const sides = sidesOf(entry, item);
    const writer = sides.writers.get(key);
    if (writer !== undefined && isNear(entry, writer, item)) return this.#see(entry, key, joined(item, writer), host);
    keep(entry, sides.items, key, item);
    return [];
  }

  #wrote(entry: Entry, key: string, writer: Side, host: number): MadeAlert[] {
    const sides = sidesOf(entry, writer);
    keep(entry, sides.writers, key, writer);
    const item = sides.items.get(key);
    if (item === undefined || !isNear(entry, writer, item)) return [];
    sides.items.delete(key);
    return this.#see(entry, key, joined(item, writer), host);
  }

  #see({ rule, history }: Entry, key: string, { made, shown }: Side, host: number): MadeAlert[] {
    const { timeUs, alert } = made;
    const [event] = alert.evidence;
    const eventId = event !== undefined && event.missing !== true ? event.eventId : '';
    const id = hash128Hex(JSON.stringify([rule.id, key, eventId]));
    const sighting = history.see(key, hostOf(made), timeUs, id);
    if (sighting.kind === 'known') return [];
    const notes = [...(alert.notes ?? [])];
    const sinceUs = this.#knownSinceUs(host);
    const isShort = !(timeUs - sinceUs >= rule.windowUs);
    if (isShort || history.hasLost(hostOf(made), timeUs)) notes.push(historyNote);
    if (sighting.kind === 'late') notes.push(lateNote);
    const told = {
      ...alert,
      id: sighting.kind === 'earlier' ? sighting.alertId : id,
      revision: sighting.kind === 'earlier' ? sighting.revision : 1,
      key: Object.fromEntries(rule.fields.map(({ name }, index) => [name, shown[index] ?? null])),
    };
    return [{ ...made, alert: notes.length === 0 ? told : { ...told, notes } }];
  }

  /** State of every rule of this kind: data that JSON can write, the rules' views left out. */
  snapshot(): JoinedState {
    const states = [...this.#entries.values()].map(({ rule, history, hosts, lost }) => [
      rule.id,
      {
        history: history.snapshot(),
        hosts: [...hosts].map(([host, { writers, items }]) => ({ host, writers: [...writers], items: [...items] })),
        lost,
      },
    ]);
    return JSON.parse(JSON.stringify(Object.fromEntries(states), withoutViews)) as JoinedState;
  }

  /** Adds a state, of `hosts` only where they are given. */
  restore(state: JoinedState, hosts?: ReadonlySet<string>): void {
    for (const entry of this.#entries.values()) {
      const own = state[entry.rule.id];
      if (own === undefined) continue;
      entry.history.restore(own.history, hosts);
      entry.lost += own.lost;
      const withView = ([key, side]: readonly [string, Side]): [string, Side] => [
        key,
        { ...side, made: { ...side.made, view: entry.view } },
      ];
      for (const { host, writers, items } of own.hosts) {
        if (hosts?.has(host) === false) continue;
        entry.hosts.set(host, { writers: new Map(writers.map(withView)), items: new Map(items.map(withView)) });
      }
    }
  }

  /** Terms and waiting events of a rule that no room was left for. */
  losses(): { readonly rule: string; readonly reason: string; readonly host: null; readonly count: number }[] {
    return [...this.#entries.values()].flatMap(({ rule, history, lost }) => [
      ...(history.lost > 0 ? [{ rule: rule.id, reason: 'history_full', host: null, count: history.lost }] : []),
      ...(lost > 0 ? [{ rule: rule.id, reason: 'join_full', host: null, count: lost }] : []),
    ]);
  }
}

const hostOf = ({ alert }: MadeAlert): string => alert.host?.id ?? '';

function sidesOf({ hosts }: Entry, { made }: Side): HostSides {
  const host = hostOf(made);
  const sides = hosts.get(host) ?? { writers: new Map<string, Side>(), items: new Map<string, Side>() };
  hosts.set(host, sides);
  return sides;
}

const isNear = ({ rule }: Entry, a: Side, b: Side): boolean =>
  Math.abs(a.made.timeUs - b.made.timeUs) <= rule.joins.withinUs;

function keep(entry: Entry, sides: Map<string, Side>, key: string, side: Side): void {
  sides.delete(key);
  sides.set(key, side);
  if (sides.size <= sidesMax) return;
  const [oldest, dropped] = sides.entries().next().value as [string, Side];
  sides.delete(oldest);
  if (isNear(entry, dropped, side)) entry.lost++;
}

/** The item with the event that it matches through behind it. */
function joined(item: Side, writer: Side): Side {
  const evidence = writer.made.alert.evidence.map((entry) => ({ ...entry, step: 'writer' }));
  const { alert, steps } = item.made;
  const notes = [...(alert.notes ?? []), 'no process of its own: attributed by its path'];
  const made = {
    ...item.made,
    alert: { ...alert, evidence: [...alert.evidence, ...evidence], notes },
    steps: [...steps, ...writer.made.steps],
  };
  return { ...item, made };
}

/** The terms of an event: every combination of its values, in the form in which they compare and as they are written. */
function termsOf(rule: NewTermsRule, { steps }: MadeAlert): { readonly key: string; readonly shown: string[] }[] {
  const compared = termKey(rule);
  let terms: { parts: string[]; shown: string[] }[] = [{ parts: [], shown: [] }];
  rule.fields.forEach((field, index) => {
    const written = valuesOf(field, steps).map(String);
    const parts = valuesOf(compared[index] ?? field, steps).map(String);
    const values = new Map(parts.map((part, place) => [part, written[place] ?? part]));
    terms = terms.flatMap((term) =>
      [...values].map(([part, shown]) => ({ parts: [...term.parts, part], shown: [...term.shown, shown] })),
    );
  });
  return terms.map(({ parts, shown }) => ({ key: JSON.stringify(parts), shown }));
}
