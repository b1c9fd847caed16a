/** Runs the shipped rules over a fleet's days and counts what they tell: true alerts, false alerts, attacks found. */
import { formatTimeUs } from '../../src/core/time.js';
import { createCorrelator } from '../../src/correlator/correlator.js';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import type { CorrelatorStats } from '../../src/correlator/stats.js';
import { shippedContent } from '../../src/engine/content.js';
import { loadRules } from '../../src/engine/load_rules.js';
import { type Severity, severities } from '../../src/rule/ir.js';
import { type FleetOptions, fleetDays, type InjectedAttack } from './fleet.js';

/** One false alert, as much as it takes to see why. */
export interface FalseAlert {
  readonly rule: string;
  readonly severity: Severity;
  readonly host: string;
  readonly context: string;
  readonly scriptId: string;
  readonly classes: readonly string[];
  readonly modifiers: readonly string[];
}

export interface FleetFigures {
  readonly hosts: number;
  readonly hostDays: number;
  readonly measuredHostDays: number;
  readonly events: number;
  readonly seconds: number;
  /** Alerts on measured days that hold no event of an attack, by rule and then severity. */
  readonly alerts: Readonly<Record<string, Readonly<Partial<Record<Severity, number>>>>>;
  /** False alerts of medium or higher per 1,000 measured host-days. */
  readonly falsePerThousand: number;
  readonly attacks: { readonly injected: number; readonly found: number; readonly missed: readonly InjectedAttack[] };
  /** Events or state that a bound cost, by reason. */
  readonly losses: Readonly<Record<string, number>>;
  /** Where a baseline was asked for. */
  readonly baseline?: NonNullable<CorrelatorStats['baseline']>;
  readonly falseAlerts: readonly FalseAlert[];
  /** What approved exceptions hid, over all days. */
  readonly exceptions: readonly {
    readonly id: string;
    readonly owner: string;
    readonly expires: string;
    readonly hid: number;
    readonly launches: number;
    readonly covered: number;
  }[];
}

interface Told {
  rule: string;
  severity: Severity;
  readonly isMeasured: boolean;
  isTrue: boolean;
  record: FalseAlert;
}

export async function measureFleet(
  options: FleetOptions,
  correlatorOptions: Partial<CorrelatorOptions> = {},
): Promise<FleetFigures> {
  const startedMs = Date.now();
  const { rules, problems } = await loadRules(shippedContent());
  const [fault] = problems.filter(({ severity }) => severity === 'error');
  if (fault !== undefined) throw new Error(`${fault.file}:${fault.line}: ${fault.message}`);
  const correlator = await createCorrelator({ rules, memory: '256MiB', ...correlatorOptions });
  const attackOf = new Map<string, InjectedAttack>();
  const attacks: InjectedAttack[] = [];
  const found = new Set<InjectedAttack>();
  const told = new Map<string, Told>();
  let hostDays = 0;
  let measuredHostDays = 0;
  let isMeasured = false;
  const take = (published: ReturnType<typeof correlator.push>): void => {
    for (const alert of published) {
      const severity = alert.rule.severity;
      const attack = alert.evidence
        .map((one) => ('eventId' in one ? attackOf.get(one.eventId) : undefined))
        .find((one) => one !== undefined);
      if (attack !== undefined && severities.indexOf(severity) >= severities.indexOf('medium')) found.add(attack);
      const record: FalseAlert = {
        rule: alert.rule.id,
        severity,
        host: alert.host?.id ?? '',
        context: alert.behavior?.session.context ?? '',
        scriptId: alert.behavior?.session.scriptId ?? '',
        classes: Object.keys(alert.behavior?.classes ?? {}),
        modifiers: alert.behavior?.modifiers ?? [],
      };
      const before = told.get(alert.id);
      if (before === undefined) {
        told.set(alert.id, { rule: alert.rule.id, severity, isMeasured, isTrue: attack !== undefined, record });
      } else {
        before.severity = severity;
        before.isTrue ||= attack !== undefined;
        before.record = record;
      }
    }
  };
  for (const day of fleetDays(options)) {
    hostDays++;
    isMeasured = day.isMeasured;
    if (day.isMeasured) measuredHostDays++;
    for (const attack of day.attacks) {
      attacks.push(attack);
      for (const id of attack.eventIds) attackOf.set(id, attack);
    }
    take(correlator.push(day.events));
  }
  take(correlator.flush());
  const stats = correlator.stats();
  const uses = correlator.exceptions();
  correlator.close();
  const wrong = [...told.values()].filter((one) => one.isMeasured && !one.isTrue);
  const counted = wrong.filter(({ severity }) => severities.indexOf(severity) >= severities.indexOf('medium'));
  return {
    hosts: options.hosts,
    hostDays,
    measuredHostDays,
    events: stats.events,
    seconds: (Date.now() - startedMs) / 1000,
    alerts: tally(wrong),
    falsePerThousand: (counted.length * 1000) / Math.max(1, measuredHostDays),
    attacks: { injected: attacks.length, found: found.size, missed: attacks.filter((one) => !found.has(one)) },
    losses: lossesOf(stats.losses),
    ...(stats.baseline === undefined ? {} : { baseline: stats.baseline }),
    falseAlerts: counted.map(({ record }) => record),
    exceptions: uses.map(({ exception: { id, owner, expiresUs }, matched, launches, launchesCovered }) => ({
      id,
      owner,
      expires: formatTimeUs(expiresUs),
      hid: matched,
      launches,
      covered: launchesCovered,
    })),
  };
}

function tally(wrong: readonly Told[]): Record<string, Partial<Record<Severity, number>>> {
  const alerts: Record<string, Partial<Record<Severity, number>>> = {};
  for (const { rule, severity } of wrong) {
    const row = alerts[rule] ?? {};
    row[severity] = (row[severity] ?? 0) + 1;
    alerts[rule] = row;
  }
  return Object.fromEntries(Object.entries(alerts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function lossesOf(losses: readonly { readonly reason: string; readonly count: number }[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { reason, count } of losses) sums[reason] = (sums[reason] ?? 0) + count;
  return sums;
}
