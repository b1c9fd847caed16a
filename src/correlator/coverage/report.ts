/**
 * The coverage report: could a rule have fired on a host? Absence of events is not proof of collection, and silence is
 * never reported as safety: a class that was not seen is *blind* when a source cannot give it or when Python ran and
 * nothing came, and *unknown* when nothing ran that could have shown it.
 */
import type { HostHealth } from '../../kernel/health_record.js';
import type { CoverageModel, CoverageRequirement, CoverageRule } from '../../rule/coverage.js';
import type { CoverageStatus } from '../alert.js';
import { matrixOf, type PlatformCoverage, periodOf, platformsOf, topGapsOf } from './fleet_view.js';
import { type Arrival, arrivalOf, type HostLoss, healthGaps, hostArrival, type Unready } from './health.js';
import { type IdentityReport, identityOf, type PythonReport, pythonOf } from './identity.js';
import type { TreeCounts } from './trees.js';

/** Counts of one host, by counter id of the model. */
export interface HostCounts {
  readonly host: { readonly id: string; readonly name?: string };
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  /** Events of any kind. */
  readonly events: number;
  readonly counts: Readonly<Record<string, number>>;
  /** How its telemetry arrived, where that is known. */
  readonly health?: HostHealth;
  /** What was lost of it, late events aside. */
  readonly losses?: readonly HostLoss[];
  /** Rules whose baseline of it is not in force; empty where there is no baseline. */
  readonly unready?: readonly Unready[];
  /** What was witnessed of the trees that analytics watch. */
  readonly trees?: TreeCounts;
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

/**
 * A gap of a host, with the rules that it touches and what it is about. `severity`: high where it blinds a rule or leg,
 * medium where it degrades one or leaves one unknown, low otherwise.
 */
export interface HostGap extends CoverageGap {
  readonly severity: 'high' | 'medium' | 'low';
  /** Since when, where that can be told: what never came is missing since the host was first seen. */
  readonly sinceUs: number | null;
  readonly rules: readonly string[];
  readonly detail?: string;
}

export interface SourceCoverage {
  readonly id: string;
  readonly title: string;
  readonly events: number;
  /** Null for sources beyond the first three of a host: their arrivals are not told apart. */
  readonly firstSeenUs: number | null;
  readonly lastSeenUs: number | null;
  readonly arrival: Arrival | null;
}

/** How telemetry of the host came, whatever it was about. */
export interface HealthReport extends Arrival {
  /** Events that have an id; of others repetitions are known by their numbers alone. */
  readonly identifiedEvents: number;
  /** Recognised, and of no class that an analytic reads. */
  readonly unclassifiedEvents: number;
  /** What no room was left for: an alert that needed it may be missing. */
  readonly losses: readonly HostLoss[];
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
  readonly sources: readonly SourceCoverage[];
  /** Every class of the model, zero included. */
  readonly classes: Readonly<Record<string, number>>;
  readonly fields: readonly {
    readonly id: string;
    readonly of: number;
    readonly filled: number;
    readonly fillRate: number | null;
  }[];
  readonly identity: IdentityReport;
  readonly pythonLaunches: number;
  /** Of the trees that analytics watch; null where none was witnessed. */
  readonly python: PythonReport | null;
  readonly health: HealthReport;
  readonly rules: readonly RuleCoverage[];
  /** Of every rule, of the host's health, and of fields that no rule needs but an analyst misses. */
  readonly gaps: readonly HostGap[];
}

/** What the stream as a whole lost, since the correlator was created: such rows name no host. */
export interface StreamReport {
  readonly events: number;
  /** Lines that are no event. */
  readonly skippedRows: number;
  /** Values cut for their length. */
  readonly truncatedRows: number;
  /** Rows that waited because their time lies far ahead. */
  readonly futureRows: number;
  /** Rows that were given the default host. */
  readonly noHostRows: number;
  readonly gaps: readonly HostGap[];
}

export interface CoverageReport {
  readonly schemaVersion: 1;
  /** From the first event to the newest, of all hosts; null before the first. */
  readonly period: { readonly fromUs: number; readonly toUs: number } | null;
  readonly hostsTotal: number;
  /** Hosts with an event in the last day of the period. */
  readonly hostsReporting: number;
  /** Hosts that were seen and whose counts were given up for room. */
  readonly hostsForgotten: number;
  readonly hostsByPlatform: Readonly<Record<string, number>>;
  /** Rule, then status, to the number of hosts. */
  readonly matrix: Readonly<Record<string, Readonly<Record<CoverageStatus, number>>>>;
  readonly stream: StreamReport;
  /** Gap codes with the number of hosts that have them, the most frequent first. */
  readonly topGaps: readonly { readonly code: string; readonly hosts: number }[];
  /** By platform, the most hosts first. */
  readonly platforms: readonly PlatformCoverage[];
  readonly hosts: readonly HostCoverage[];
}

/** Counts of the stream that the report tells. */
export type StreamCounts = Omit<StreamReport, 'gaps'>;

const emptyStream: StreamCounts = { events: 0, skippedRows: 0, truncatedRows: 0, futureRows: 0, noHostRows: 0 };

/** A required field filled on at least this share of its events is full. */
const fullFill = 0.95;
/** Below this share the field is as good as missing. */
const blindFill = 0.5;
/** So many launches without one event of a class that others show are no accident. */
const filterLaunches = 20;
/** A class missing from telemetry that spans this long is not an accident of a short look. */
const longLookUs = 24 * 3_600_000_000;

const unknownArrival: Arrival = {
  lateEvents: 0,
  duplicates: 0,
  seqGaps: null,
  estLostEvents: null,
  clockOffset: null,
};

const worstFirst: readonly CoverageStatus[] = ['blind', 'unknown', 'degraded', 'full'];

/** Builds the report, hosts in id order. */
export function buildCoverage(
  model: CoverageModel,
  hosts: readonly HostCounts[],
  stream: StreamCounts = emptyStream,
  hostsForgotten = 0,
): CoverageReport {
  const reports = [...hosts]
    .sort((a, b) => (a.host.id < b.host.id ? -1 : a.host.id > b.host.id ? 1 : 0))
    .map((host) => new HostJudge(model, host).report());
  const ids = model.rules.map(({ id }) => id);
  const platforms = platformsOf(reports, ids);
  const period = periodOf(reports);
  return {
    schemaVersion: 1,
    period,
    hostsTotal: reports.length,
    hostsReporting: reports.filter(({ lastSeenUs }) => period !== null && period.toUs - lastSeenUs < longLookUs).length,
    hostsForgotten,
    hostsByPlatform: Object.fromEntries(platforms.map(({ platform, hosts }) => [platform, hosts])),
    matrix: matrixOf(reports, ids),
    stream: { ...stream, gaps: streamGaps(model, stream) },
    topGaps: topGapsOf(reports),
    platforms,
    hosts: reports,
  };
}

function streamGaps(model: CoverageModel, { events, skippedRows, noHostRows }: StreamCounts): HostGap[] {
  const rules = model.rules.map(({ id }) => id);
  const gap = (code: string, detail: string): HostGap => ({
    ...gapOf(model, code),
    severity: 'low',
    sinceUs: null,
    rules,
    detail,
  });
  return [
    ...(skippedRows > 0 ? [gap('G-PARSE', `${skippedRows} of ${events} lines are no event`)] : []),
    ...(noHostRows > 0 ? [gap('G-HOSTID', `${noHostRows} of ${events} events name no host`)] : []),
  ];
}

function gapOf(model: CoverageModel, code: string): CoverageGap {
  const { effect, remedy } = model.gaps[code] ?? { effect: '', remedy: '' };
  return { code, effect, remedy };
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
  /** The worst that each gap makes of a rule's base or leg; others touch no rule. */
  readonly #severities = new Map<string, 'high' | 'medium'>();

  constructor(model: CoverageModel, host: HostCounts) {
    this.#model = model;
    this.#host = host;
    this.#platform = mostFrequent(model.platforms, (id) => this.#count(`platform:${id}`)) ?? 'unknown';
  }

  report(): HostCoverage {
    const { classes, fields, rules } = this.#model;
    const judged = rules.map((rule) => this.rule(rule));
    const health = this.#health();
    return {
      host: this.#host.host,
      platform: this.#platform,
      firstSeenUs: this.#host.firstSeenUs,
      lastSeenUs: this.#host.lastSeenUs,
      events: this.#host.events,
      sources: this.#sources(),
      classes: Object.fromEntries(classes.map((id) => [id, this.#count(`class:${id}`)])),
      fields: fields.map((field) => {
        const of = this.#count(`class:${field.of}`);
        const filled = this.#count(`field:${field.id}`);
        return { id: field.id, of, filled, fillRate: of === 0 ? null : filled / of };
      }),
      identity: identityOf((id) => this.#count(id), this.#host.trees),
      pythonLaunches: this.#count('activity'),
      python: pythonOf(this.#host.trees),
      health,
      rules: judged,
      gaps: this.#gaps(judged, health),
    };
  }

  #sources(): SourceCoverage[] {
    return this.#model.sources.flatMap(({ id, title }, index) => {
      const events = this.#count(`source:${id}`);
      if (events === 0) return [];
      const own = this.#host.health?.sources.find(({ source }) => source === index);
      const { firstUs = null, lastUs = null } = own ?? {};
      return [
        {
          id,
          title,
          events,
          firstSeenUs: firstUs,
          lastSeenUs: lastUs,
          arrival: own === undefined ? null : arrivalOf(own),
        },
      ];
    });
  }

  #health(): HealthReport {
    const { health, losses = [] } = this.#host;
    return {
      ...(health === undefined ? unknownArrival : hostArrival(health)),
      identifiedEvents: health?.own.identified ?? 0,
      unclassifiedEvents: this.#count('class:other'),
      losses,
    };
  }

  #gaps(rules: readonly RuleCoverage[], health: HealthReport): HostGap[] {
    const applicable = rules.filter(({ status }) => status !== 'not_applicable');
    const ids = applicable.map(({ rule }) => rule);
    const touched = (code: string): string[] =>
      applicable.filter(({ gaps }) => gaps.some((gap) => gap.code === code)).map(({ rule }) => rule);
    const missing = uniqueGaps([...applicable, ...this.#model.fields.map(({ id }) => this.#field(id))]);
    const unready = (this.#host.unready ?? []).filter(({ rule }) => ids.includes(rule));
    const { events } = this.#host;
    return [
      ...missing.map(
        (gap): HostGap => ({
          ...gap,
          severity: this.#severities.get(gap.code) ?? 'low',
          sinceUs: this.#isOfAbsence(gap.code) ? this.#host.firstSeenUs : null,
          rules: touched(gap.code),
        }),
      ),
      ...healthGaps(health, events, health.unclassifiedEvents, health.losses, unready).map(
        ({ code, detail, rules: of = ids }): HostGap => ({
          ...gapOf(this.#model, code),
          severity: 'low',
          sinceUs: null,
          rules: of,
          detail,
        }),
      ),
    ];
  }

  /** Whether the gap stands for a class of which no event came. */
  #isOfAbsence(code: string): boolean {
    const { absent, classes } = this.#model;
    const ofClass = (id: string): boolean =>
      this.#count(`class:${id}`) === 0 && (absent[id] === code || this.#structuralGap(id) === code);
    return classes.some(ofClass);
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
    const alternatives = any.filter((id) => this.#model.classPlatforms[id]?.includes(this.#platform) !== false);
    if (alternatives.length > 0) parts.push(best(alternatives.map((id) => this.#class(id))));
    for (const id of fields) parts.push(this.#field(id));
    for (const id of recommended) {
      const verdict = this.#class(id);
      if (verdict.status !== 'full') parts.push({ status: 'degraded', gaps: verdict.gaps });
    }
    for (const part of parts) this.#weigh(part);
    const status = worstFirst.find((candidate) => parts.some((part) => part.status === candidate)) ?? 'full';
    return { status, gaps: uniqueGaps(parts) };
  }

  #weigh({ status, gaps }: CoverageVerdict): void {
    for (const { code } of gaps)
      if (status === 'blind') this.#severities.set(code, 'high');
      else if (!this.#severities.has(code)) this.#severities.set(code, 'medium');
  }

  #class(id: string): CoverageVerdict {
    if (this.#isFiltered(id)) return { status: 'degraded', gaps: [this.#gap('G-FILTER')] };
    // Nothing happened, and a sensor says that it would have told.
    if (this.#count(`class:${id}`) > 0 || this.#count(`health:${id}`) > 0) return { status: 'full', gaps: [] };
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
    const isOfPlatform = field?.platforms?.includes(this.#platform) !== false;
    if (field === undefined || of === 0 || !isOfPlatform) return { status: 'full', gaps: [] };
    const rate = this.#count(`field:${id}`) / of;
    if (rate >= fullFill) return { status: 'full', gaps: [] };
    const gaps = field.gap === undefined ? [] : [this.#gap(field.gap)];
    return { status: rate < blindFill ? 'blind' : 'degraded', gaps };
  }

  #gap(code: string): CoverageGap {
    return gapOf(this.#model, code);
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
