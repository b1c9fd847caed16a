/** The coverage of a running correlator: reads the kernel's counts, answers for rules on hosts, keeps them in snapshots. */

import type { HealthRecordValues, HostHealth } from '../../kernel/health_record.js';
import type { Kernel } from '../../kernel/kernel.js';
import type { CoverageModel } from '../../rule/coverage.js';
import type { BehaviorRule, Rule } from '../../rule/ir.js';
import type { Alert, CoverageStatus } from '../alert.js';
import type { Witness } from '../behavior/witness.js';
import { fitModel } from './fitted.js';
import type { HostLoss, Unready } from './health.js';
import { buildCoverage, type CoverageReport, coverRule, type HostCounts, type StreamCounts } from './report.js';
import { type TreeState, TreeTally } from './trees.js';

/** Counts of one host in a snapshot: counters by id, those at zero left out. */
export interface CoverageState {
  readonly host: string;
  readonly firstUs: number;
  readonly lastUs: number;
  readonly events: number;
  readonly counts: Readonly<Record<string, number>>;
  /** Sources by their id in the model. */
  readonly health?: {
    readonly own: HealthRecordValues;
    readonly sources: readonly { readonly id: string; readonly values: HealthRecordValues }[];
    readonly recent: readonly number[];
  };
  readonly trees?: TreeState;
}

/** What a part of an engine counted, for the report over all parts. Plain data. */
export interface CoverageCounts {
  readonly hosts: readonly HostCounts[];
  readonly forgotten: number;
}

/** What is known of hosts beside their events. */
export interface HostAsides {
  losses(host: string): readonly HostLoss[];
  unready(host: string, timeUs: number): readonly Unready[];
}

interface HostRead {
  /** Index of the host in the kernel. */
  readonly index: number;
  readonly counts: HostCounts;
  readonly rules: Map<string, Alert['coverage']>;
}

/** Host records that stand for no host. */
const reservedHosts = 2;

export class CoverageTracker {
  readonly model: CoverageModel;
  /** Of the trees that the rules of the shipped model watch. */
  readonly #trees: TreeTally;
  /** What has been read since the counts changed, by host name; then by rule. */
  #read: Map<string, HostRead> | undefined;

  constructor(model: CoverageModel, rules: readonly Rule[]) {
    this.model = fitModel(model, rules);
    this.#trees = new TreeTally(model.rules.map(({ id }) => id));
  }

  /** A witness of a behaviour rule, before it is judged. */
  witnessed(rule: BehaviorRule, witness: Witness): void {
    this.#trees.take(rule, witness);
  }

  /** Events have come: what was read is out of date. */
  invalidate(): void {
    this.#read = undefined;
  }

  /** The report over one kernel. */
  report(kernel: Kernel, asides: HostAsides, stream: StreamCounts): CoverageReport {
    const { hosts, forgotten } = this.counts(kernel, asides);
    return buildCoverage(this.model, hosts, stream, forgotten);
  }

  /** What the report is made from. */
  counts(kernel: Kernel, asides: HostAsides): CoverageCounts {
    const hosts = [...this.#hosts(kernel)].map(([id, { index, counts }]) => {
      const health = kernel.health(index, this.model.counters.length);
      const trees = this.#trees.of(id);
      return {
        ...counts,
        ...(trees === undefined ? {} : { trees }),
        ...(health === undefined ? {} : { health }),
        losses: asides.losses(id),
        unready: asides.unready(id, counts.lastSeenUs),
      };
    });
    return { hosts, forgotten: kernel.coverageForgotten };
  }

  /**
   * The alert with how far its rule could see on its host when it was handed over; unchanged for a rule across hosts.
   */
  annotate(alert: Alert, kernel: Kernel): Alert {
    const host = alert.host === null ? undefined : this.#hosts(kernel).get(alert.host.id);
    if (host === undefined) return alert;
    let coverage = host.rules.get(alert.rule.id);
    if (coverage === undefined) {
      coverage = coverRule(this.model, host.counts, alert.rule.id);
      if (coverage === undefined) return alert;
      host.rules.set(alert.rule.id, coverage);
    }
    return { ...alert, coverage: coverage as Readonly<Record<string, CoverageStatus>> };
  }

  /** As {@link annotate}, of one host by its index, now. */
  coverageOf(kernel: Kernel, host: number, ruleId: string): Alert['coverage'] {
    const counts = this.#countsOf(kernel, host);
    return counts === undefined ? undefined : coverRule(this.model, counts, ruleId);
  }

  snapshot(kernel: Kernel): CoverageState[] {
    return [...this.#hosts(kernel).values()]
      .map(({ index, counts: { host, firstSeenUs, lastSeenUs, events, counts } }) => ({
        host: host.id,
        firstUs: firstSeenUs,
        lastUs: lastSeenUs,
        events,
        counts: Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
        ...this.#healthState(kernel.health(index, this.model.counters.length)),
        ...this.#treeState(host.id),
      }))
      .sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  /** Adds the counts of a snapshot for hosts that the kernel knows; counters that the model has no longer are dropped. */
  restore(states: readonly CoverageState[], kernel: Kernel): void {
    const indexes = new Map<string, number>();
    for (let host = reservedHosts; host < kernel.hostCount; host++) indexes.set(kernel.hostName(host), host);
    for (const state of states) {
      const index = indexes.get(state.host);
      if (index === undefined) continue;
      const before = kernel.coverage(index, this.model.counters.length);
      const counts = this.model.counters.map(({ id }, i) => (before?.counts[i] ?? 0) + (state.counts[id] ?? 0));
      kernel.setCoverage(index, {
        firstUs: Math.min(before?.firstUs ?? state.firstUs, state.firstUs),
        lastUs: Math.max(before?.lastUs ?? state.lastUs, state.lastUs),
        events: (before?.events ?? 0) + state.events,
        counts: Uint32Array.from(counts),
      });
      if (state.trees !== undefined) this.#trees.restore(state.host, state.trees);
      if (state.health !== undefined && before === undefined) {
        kernel.setHealth(index, this.model.counters.length, this.#healthOf(state.health));
      }
    }
    this.invalidate();
  }

  #healthState(health: HostHealth | undefined): Pick<CoverageState, 'health'> {
    if (health === undefined) return {};
    const sources = health.sources.flatMap(({ source, ...values }) => {
      const id = this.model.sources[source]?.id;
      return id === undefined ? [] : [{ id, values }];
    });
    return { health: { own: health.own, sources, recent: health.recent } };
  }

  #treeState(hostId: string): Pick<CoverageState, 'trees'> {
    const trees = this.#trees.snapshot(hostId);
    return trees === undefined ? {} : { trees };
  }

  /** Records of sources that the model knows no longer are dropped. */
  #healthOf({ own, sources, recent }: NonNullable<CoverageState['health']>): HostHealth {
    const known = sources.flatMap(({ id, values }) => {
      const source = this.model.sources.findIndex((one) => one.id === id);
      return source < 0 ? [] : [{ ...values, source }];
    });
    return { own, sources: known, recent };
  }

  #hosts(kernel: Kernel): Map<string, HostRead> {
    if (this.#read !== undefined) return this.#read;
    this.#read = new Map();
    for (let host = reservedHosts; host < kernel.hostCount; host++) {
      const counts = this.#countsOf(kernel, host);
      if (counts !== undefined) this.#read.set(counts.host.id, { index: host, counts, rules: new Map() });
    }
    return this.#read;
  }

  #countsOf(kernel: Kernel, host: number): HostCounts | undefined {
    const { counters } = this.model;
    const row = kernel.coverage(host, counters.length);
    if (row === undefined) return undefined;
    return {
      host: { id: kernel.hostName(host) },
      firstSeenUs: row.firstUs,
      lastSeenUs: row.lastUs,
      events: row.events,
      counts: Object.fromEntries(counters.map((counter, i) => [counter.id, row.counts[i] ?? 0])),
    };
  }
}
