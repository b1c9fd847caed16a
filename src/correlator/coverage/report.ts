/**
 * The coverage report: could a rule have fired on a host? Absence of events is not proof of collection, and silence is
 * never reported as safety: a class that was not seen is *blind* when a source cannot give it or when Python ran and
 * nothing came, and *unknown* when nothing ran that could have shown it.
 */
import type { CoverageModel, CoverageRequirement, CoverageRule } from '../../rule/coverage.js';
import type { CoverageStatus } from '../alert.js';

/** Counts of one host, by counter id of the model. */
export interface HostCounts {
  readonly host: { readonly id: string; readonly name?: string };
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  /** Events of any kind. */
  readonly events: number;
  readonly counts: Readonly<Record<string, number>>;
}

export interface CoverageGap {
  readonly code: string;
  readonly effect: string;
  readonly remedy: string;
}

/** Status of a rule or leg on a host, with the gaps that explain anything short of full. */
export interface CoverageVerdict {
  readonly status: CoverageStatus;
  readonly gaps: readonly CoverageGap[];
}

export interface RuleCoverage extends CoverageVerdict {
  readonly rule: string;
  readonly base: CoverageVerdict;
  readonly legs: Readonly<Record<string, CoverageVerdict>>;
}

export interface HostCoverage {
  readonly host: { readonly id: string; readonly name?: string };
  readonly platform: string;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly events: number;
  readonly sources: readonly { readonly id: string; readonly title: string; readonly events: number }[];
  /** Every class of the model, zero included. */
  readonly classes: Readonly<Record<string, number>>;
  readonly fields: readonly {
    readonly id: string;
    readonly of: number;
    readonly filled: number;
    readonly fillRate: number | null;
  }[];
  readonly pythonLaunches: number;
  readonly rules: readonly RuleCoverage[];
  /** Of every rule, and of fields that no rule needs but an analyst misses. */
  readonly gaps: readonly CoverageGap[];
}

export interface CoverageReport {
  readonly schemaVersion: 1;
  readonly hostsTotal: number;
  /** Hosts that were seen and whose counts were given up for room. */
  readonly hostsForgotten: number;
  readonly hostsByPlatform: Readonly<Record<string, number>>;
  /** Rule, then status, to the number of hosts. */
  readonly matrix: Readonly<Record<string, Readonly<Record<CoverageStatus, number>>>>;
  readonly hosts: readonly HostCoverage[];
}

/** A required field filled on at least this share of its events is full. */
const fullFill = 0.95;
/** Below this share the field is as good as missing. */
const blindFill = 0.5;
/** So many launches without one event of a class that others show are no accident. */
const filterLaunches = 20;
/** A class missing from telemetry that spans this long is not an accident of a short look. */
const longLookUs = 24 * 3_600_000_000;

const worstFirst: readonly CoverageStatus[] = ['blind', 'unknown', 'degraded', 'full'];

/** Builds the report, hosts in id order. */
export function buildCoverage(model: CoverageModel, hosts: readonly HostCounts[]): CoverageReport {
  const reports = [...hosts]
    .sort((a, b) => (a.host.id < b.host.id ? -1 : a.host.id > b.host.id ? 1 : 0))
    .map((host) => new HostJudge(model, host).report());
  const byPlatform: Record<string, number> = {};
  const matrix: Record<string, Record<CoverageStatus, number>> = {};
  for (const rule of model.rules) matrix[rule.id] = { full: 0, degraded: 0, blind: 0, unknown: 0, not_applicable: 0 };
  for (const report of reports) {
    byPlatform[report.platform] = (byPlatform[report.platform] ?? 0) + 1;
    for (const { rule, status } of report.rules) (matrix[rule] as Record<CoverageStatus, number>)[status]++;
  }
  return {
    schemaVersion: 1,
    hostsTotal: reports.length,
    hostsForgotten: 0,
    hostsByPlatform: byPlatform,
    matrix,
    hosts: reports,
  };
}

/** How far a rule can see on a host: `base` and each leg, or `rule` where it has no legs. Undefined for unknown rules. */
export function coverRule(
  model: CoverageModel,
  host: HostCounts,
  ruleId: string,
): Readonly<Record<string, CoverageStatus>> | undefined {
  const rule = model.rules.find(({ id }) => id === ruleId);
  if (rule === undefined) return undefined;
  const { status, base, legs } = new HostJudge(model, host).rule(rule);
  const names = Object.entries(legs).map(([leg, verdict]) => [leg, verdict.status] as const);
  return names.length === 0 ? { rule: status } : { base: base.status, ...Object.fromEntries(names) };
}

class HostJudge {
  readonly #model: CoverageModel;
  readonly #host: HostCounts;
  readonly #platform: string;

  constructor(model: CoverageModel, host: HostCounts) {
    this.#model = model;
    this.#host = host;
    this.#platform = mostFrequent(model.platforms, (id) => this.#count(`platform:${id}`)) ?? 'unknown';
  }

  report(): HostCoverage {
    const { classes, fields, sources, rules } = this.#model;
    const judged = rules.map((rule) => this.rule(rule));
    return {
      host: this.#host.host,
      platform: this.#platform,
      firstSeenUs: this.#host.firstSeenUs,
      lastSeenUs: this.#host.lastSeenUs,
      events: this.#host.events,
      sources: sources
        .map(({ id, title }) => ({ id, title, events: this.#count(`source:${id}`) }))
        .filter(({ events }) => events > 0),
      classes: Object.fromEntries(classes.map((id) => [id, this.#count(`class:${id}`)])),
      fields: fields.map((field) => {
        const of = this.#count(`class:${field.of}`);
        const filled = this.#count(`field:${field.id}`);
        return { id: field.id, of, filled, fillRate: of === 0 ? null : filled / of };
      }),
      pythonLaunches: this.#count('activity'),
      rules: judged,
      gaps: uniqueGaps([...judged, ...fields.map(({ id }) => this.#field(id))]),
    };
  }

  #count(id: string): number {
    return this.#host.counts[id] ?? 0;
  }

  rule(rule: CoverageRule): RuleCoverage {
    const notApplicable: CoverageVerdict = { status: 'not_applicable', gaps: [] };
    if (!rule.platforms.includes(this.#platform))
      return { rule: rule.id, ...notApplicable, base: notApplicable, legs: {} };
    const base = this.#requirement(rule.base);
    const legs = Object.fromEntries(Object.entries(rule.legs).map(([id, leg]) => [id, this.#requirement(leg)]));
    const all = [base, ...Object.values(legs)];
    return { rule: rule.id, status: ruleStatus(base, Object.values(legs)), gaps: uniqueGaps(all), base, legs };
  }

  #requirement({ all, any, fields, recommended }: CoverageRequirement): CoverageVerdict {
    const parts: CoverageVerdict[] = all.map((id) => this.#class(id));
    if (any.length > 0) parts.push(best(any.map((id) => this.#class(id))));
    for (const id of fields) parts.push(this.#field(id));
    for (const id of recommended) {
      const verdict = this.#class(id);
      if (verdict.status !== 'full') parts.push({ status: 'degraded', gaps: verdict.gaps });
    }
    const status = worstFirst.find((candidate) => parts.some((part) => part.status === candidate)) ?? 'full';
    return { status, gaps: uniqueGaps(parts) };
  }

  #class(id: string): CoverageVerdict {
    if (this.#isFiltered(id)) return { status: 'degraded', gaps: [this.#gap('G-FILTER')] };
    if (this.#count(`class:${id}`) > 0) return { status: 'full', gaps: [] };
    const structural = this.#structuralGap(id);
    if (structural !== undefined) return { status: 'blind', gaps: [this.#gap(structural)] };
    const code = this.#model.absent[id];
    const gaps = code === undefined ? [] : [this.#gap(code)];
    const hasRun = this.#count('activity') > 0;
    const isLongLook = this.#host.lastSeenUs - this.#host.firstSeenUs >= longLookUs;
    return { status: hasRun || isLongLook ? 'blind' : 'unknown', gaps };
  }

  /** Other programs are seen at it and interpreters never, although many ran: an include list is likely. */
  #isFiltered(id: string): boolean {
    const isSeen = this.#count(`class:${id}`) > 0 && this.#count(`actor:${id}`) === 0;
    return isSeen && this.#model.filtered.includes(id) && this.#count('activity') >= filterLaunches;
  }

  /** The gap that explains an absence when no source of the host can give the class. */
  #structuralGap(id: string): string | undefined {
    const present = this.#model.sources.filter((source) => this.#count(`source:${source.id}`) > 0);
    const reasons = present.map((source) => source.cannot[this.#platform]?.[id]);
    return present.length > 0 && reasons.every((reason) => reason !== undefined) ? reasons[0] : undefined;
  }

  #field(id: string): CoverageVerdict {
    const field = this.#model.fields.find((candidate) => candidate.id === id);
    const of = field === undefined ? 0 : this.#count(`class:${field.of}`);
    // Without events of its class a field says nothing; the class itself is required beside it.
    if (field === undefined || of === 0) return { status: 'full', gaps: [] };
    const rate = this.#count(`field:${id}`) / of;
    if (rate >= fullFill) return { status: 'full', gaps: [] };
    return { status: rate < blindFill ? 'blind' : 'degraded', gaps: [this.#gap(field.gap)] };
  }

  #gap(code: string): CoverageGap {
    const { effect, remedy } = this.#model.gaps[code] ?? { effect: '', remedy: '' };
    return { code, effect, remedy };
  }
}

/** Blind where the base or every leg is; full where all are; unknown where nothing else decides. */
function ruleStatus(base: CoverageVerdict, legs: readonly CoverageVerdict[]): CoverageStatus {
  const isBlind = base.status === 'blind' || (legs.length > 0 && legs.every(({ status }) => status === 'blind'));
  if (isBlind) return 'blind';
  const statuses = [base, ...legs].map(({ status }) => status);
  if (statuses.every((status) => status === 'full')) return 'full';
  return statuses.every((status) => status === 'unknown') ? 'unknown' : 'degraded';
}

function best(verdicts: readonly CoverageVerdict[]): CoverageVerdict {
  const order = [...worstFirst].reverse();
  const status = order.find((candidate) => verdicts.some((verdict) => verdict.status === candidate)) ?? 'unknown';
  return { status, gaps: status === 'full' ? [] : uniqueGaps(verdicts) };
}

function uniqueGaps(verdicts: readonly CoverageVerdict[]): CoverageGap[] {
  return [...new Map(verdicts.flatMap(({ gaps }) => gaps).map((gap) => [gap.code, gap])).values()];
}

function mostFrequent(ids: readonly string[], count: (id: string) => number): string | undefined {
  let found: string | undefined;
  for (const id of ids) if (count(id) > 0 && (found === undefined || count(id) > count(found))) found = id;
  return found;
}
