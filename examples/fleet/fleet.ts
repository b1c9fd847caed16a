/**
 * Days of a fleet: benign work on every host, attacks on some, and which events belong to which attack. Seeded and
 * streaming: a host's events of one day exist at a time, and a host acts alike in a fleet of any size.
 */
import { type AttackKind, attackKinds } from './attacks.js';
import { Day } from './day.js';
import { developerDay } from './developer.js';
import { createHost, type FleetHost, platformOf, type Role, rolesInTurn } from './host.js';
import { administration, typed } from './hypervisor.js';
import * as operations from './operations.js';

export interface FleetOptions {
  readonly hosts: number;
  /** Days before the first measured one. */
  readonly learningDays: number;
  readonly measuredDays: number;
  readonly seed: number;
  /** Attacks on the measured days, spread over the hosts; the kinds of a platform take turns. */
  readonly attacks: boolean;
}

export type Timed = { readonly timeMs: number; readonly document: Readonly<Record<string, unknown>> };

export interface InjectedAttack {
  readonly name: string;
  readonly rule: string;
  readonly host: string;
  readonly day: number;
  /** `event.id` of its events. */
  readonly eventIds: readonly string[];
}

export interface HostDay {
  readonly host: string;
  readonly role: Role;
  readonly day: number;
  readonly isMeasured: boolean;
  /** ECS documents in order of time. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
  readonly attacks: readonly InjectedAttack[];
}

/** Every host's every day, day by day. */
export function* fleetDays(options: FleetOptions): Generator<HostDay> {
  const hosts = Array.from({ length: options.hosts }, (_, index) => createHost(options.seed, index));
  for (let number = 0; number < options.learningDays + options.measuredDays; number++) {
    for (const host of hosts) yield hostDay(host, number, options);
  }
}

/** The role of each host by its name, as an inventory would tell it. */
export function fleetRoles(hosts: number, seed: number): ReadonlyMap<string, Role> {
  return new Map(
    Array.from({ length: hosts }, (_, index) => createHost(seed, index)).map(({ id, role }) => [id, role]),
  );
}

function hostDay(host: FleetHost, number: number, options: FleetOptions): HostDay {
  const day = new Day(host, number);
  const { documents } = host.endpoint;
  const entries: Timed[] = [];
  work(day, entries);
  entries.push(...documents.splice(0));
  const attacks = attacksOn(host, number, options).map((kind): InjectedAttack => {
    const mine: Timed[] = [];
    const timeMs = day.at(10 + (host.index % 6), 20);
    if (kind.lines !== undefined) typed(day, mine, timeMs, '10.9.9.9', kind.lines);
    kind.act?.(day, timeMs);
    mine.push(...documents.splice(0));
    entries.push(...mine);
    const eventIds = mine.map(({ document }) => String((document.event as { id: string }).id));
    return { name: kind.name, rule: kind.rule, host: host.id, day: number, eventIds };
  });
  // A process of yesterday may end today; what would lie beyond midnight belongs to this day's file all the same.
  entries.sort((a, b) => a.timeMs - b.timeMs);
  const isMeasured = number >= options.learningDays;
  const events = entries.map(({ document }) => document);
  return { host: host.id, role: host.role, day: number, isMeasured, events, attacks };
}

/** Every second host is attacked once, on one of the measured days; the kinds of its platform take turns. */
function attacksOn(host: FleetHost, number: number, options: FleetOptions): readonly AttackKind[] {
  const round = Math.floor(host.index / rolesInTurn);
  if (!options.attacks || (host.index + round) % 2 === 1) return [];
  const turn = host.index >> 1;
  if (number !== options.learningDays + (turn % options.measuredDays)) return [];
  const platform = platformOf(host.role);
  const kinds = attackKinds.filter((kind) => kind.platform === platform);
  const chosen = kinds[(turn + (round >> 1)) % kinds.length];
  return chosen === undefined ? [] : [chosen];
}

function work(day: Day, entries: Timed[]): void {
  switch (day.host.role) {
    case 'mac-developer':
      developerDay(day);
      operations.office(day);
      operations.macManagement(day);
      break;
    case 'mac-office':
      operations.office(day);
      operations.macManagement(day);
      break;
    case 'linux-developer':
      developerDay(day);
      operations.unattendedUpgrade(day);
      break;
    case 'linux-server':
      operations.webApplication(day);
      operations.schedules(day);
      operations.ansibleRun(day);
      operations.unattendedUpgrade(day);
      break;
    case 'linux-ci':
      operations.ciRunner(day);
      operations.unattendedUpgrade(day);
      break;
    case 'linux-salt':
      operations.saltMinion(day);
      operations.schedules(day);
      break;
    case 'windows-developer':
      developerDay(day);
      operations.office(day);
      operations.windowsManagement(day);
      break;
    case 'windows-office':
      operations.office(day);
      operations.windowsManagement(day);
      break;
    case 'esxi':
      administration(day, entries);
  }
}
