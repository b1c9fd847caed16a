/**
 * Prints what the shipped rules make of a fleet's days: `npm run fleet -- [--hosts N] [--days N] [--learn N] [--seed S]
 * [--json] [--events] [--no-baseline] [--no-exceptions] [--no-attacks]`. `--events` prints the events as NDJSON instead, for use elsewhere.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { CorrelatorOptions } from '../../src/correlator/options.js';
import { parseExceptions } from '../../src/language/exceptions.js';
import { type FleetOptions, fleetDays, fleetRoles } from './fleet.js';
import { msPerDay, people } from './host.js';
import { type FleetFigures, measureFleet } from './measure.js';

const { values } = parseArgs({
  options: {
    hosts: { type: 'string', default: '40' },
    days: { type: 'string', default: '7' },
    learn: { type: 'string', default: '14' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    events: { type: 'boolean', default: false },
    'no-baseline': { type: 'boolean', default: false },
    'no-exceptions': { type: 'boolean', default: false },
    'no-attacks': { type: 'boolean', default: false },
  },
});

function count(text: string, name: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= 100_000) return value;
  console.error(`--${name}: give a whole number from ${least} to 100000`);
  process.exit(2);
}

const options: FleetOptions = {
  hosts: count(values.hosts, 'hosts', 1),
  measuredDays: count(values.days, 'days', 1),
  learningDays: count(values.learn, 'learn', 0),
  seed: count(values.seed, 'seed', 0),
  attacks: !values['no-attacks'],
};

/** Hosts learn until the first measured day; an inventory tells their roles. */
function learning({ hosts, seed, learningDays }: FleetOptions): Partial<CorrelatorOptions> {
  const roles = fleetRoles(hosts, seed);
  return {
    baseline: {
      mode: 'learn',
      learnFor: learningDays * msPerDay,
      roles: {
        hosts: (name) => roles.get(name),
        users: (name) => (people.includes(name) ? 'person' : undefined),
      },
    },
  };
}

/** What the fleet's owners approved; the file lies beside the sources of this program. */
function approved(): Partial<CorrelatorOptions> {
  const file = new URL('../../../examples/fleet/exceptions.yml', import.meta.url).pathname;
  const { exceptions, problems } = parseExceptions(readFileSync(file, 'utf8'), file);
  const [fault] = problems;
  if (fault !== undefined) throw new Error(`${fault.file}:${fault.line}: ${fault.message}`);
  return { exceptions };
}

function text(figures: FleetFigures): string {
  const rows = Object.entries(figures.alerts).map(
    ([rule, counts]) =>
      `  ${rule.slice(0, 20).padEnd(22)}${Object.entries(counts)
        .map(([s, n]) => `${s} ${n}`)
        .join(', ')}`,
  );
  const { injected, found, missed } = figures.attacks;
  const reasons = new Map<string, number>();
  for (const one of figures.falseAlerts) {
    const reason = `${one.rule} ${one.severity} ${one.context} ${one.classes.join('+')} ${one.modifiers.join(',')} ${one.scriptId.slice(0, 80)}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  return [
    `hosts ${figures.hosts}, host-days ${figures.hostDays} (${figures.measuredHostDays} measured), events ${figures.events}, ${figures.seconds.toFixed(1)} s`,
    'alerts on measured days that no attack explains:',
    ...(rows.length > 0 ? rows : ['  none']),
    `medium or higher per 1,000 host-days: ${figures.falsePerThousand.toFixed(2)}`,
    ...[...reasons].sort((a, b) => b[1] - a[1]).map(([reason, times]) => `  ${times} x ${reason}`),
    `attacks found: ${found} of ${injected}`,
    ...missed.map((one) => `  missed: ${one.name} on ${one.host}, day ${one.day}`),
    ...(figures.baseline === undefined
      ? ['without a baseline']
      : [
          `baseline: ${figures.baseline.tuples} tuples, ${figures.baseline.heldBack} low or medium cases held back while learning`,
        ]),
    ...figures.exceptions.map(
      ({ id, owner, expires, hid, launches, covered }) =>
        `exception ${id} (${owner}, until ${expires.slice(0, 10)}): hid ${hid} detections, meets ${covered} of ${launches} launches`,
    ),
    ...(Object.keys(figures.losses).length > 0 ? [`losses: ${JSON.stringify(figures.losses)}`] : []),
  ].join('\n');
}

if (values.events) {
  for (const { events } of fleetDays(options)) {
    for (const event of events) process.stdout.write(`${JSON.stringify(event)}\n`);
  }
} else {
  const figures = await measureFleet(options, {
    ...(values['no-baseline'] ? {} : learning(options)),
    ...(values['no-exceptions'] ? {} : approved()),
  });
  console.log(values.json ? JSON.stringify(figures, null, 2) : text(figures));
}
