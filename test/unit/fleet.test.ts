import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attackKinds } from '../../examples/fleet/attacks.js';
import { fleetDays } from '../../examples/fleet/fleet.js';
import { firstDayMs, msPerDay, people } from '../../examples/fleet/host.js';
import { parseExceptions } from '../../src/language/exceptions.js';

const small = { hosts: 14, learningDays: 1, measuredDays: 1, seed: 5, attacks: true };

describe('the generated fleet', () => {
  test('is the same for a seed, and another for another', () => {
    const text = (seed: number) => JSON.stringify([...fleetDays({ ...small, seed })]);
    expect(text(5)).toBe(text(5));
    expect(text(5)).not.toBe(text(6));
  });

  test('gives a host the same day whatever the size of the fleet', () => {
    const day = (hosts: number) => [...fleetDays({ ...small, hosts })].filter(({ host }) => host.endsWith('-003'));
    expect(day(4)).toEqual(day(14));
  });

  test('gives the events of a host-day in order of time, with ids of their own', () => {
    for (const { events } of fleetDays(small)) {
      const times = events.map((event) => String(event['@timestamp']));
      expect(times).toEqual([...times].sort());
      expect(new Set(events.map((event) => (event.event as { id: string }).id)).size).toBe(events.length);
    }
  });

  test('attacks on measured days only, with every event of an attack among the events of its day', () => {
    for (const { attacks, events, isMeasured } of fleetDays(small)) {
      if (!isMeasured) expect(attacks).toEqual([]);
      const ids = new Set(events.map((event) => (event.event as { id: string }).id));
      for (const attack of attacks) expect(attack.eventIds.every((id) => ids.has(id))).toBe(true);
    }
  });

  test('has approved exceptions that are proper, for hosts, accounts and rules that it has', () => {
    const file = new URL('../../examples/fleet/exceptions.yml', import.meta.url);
    const { exceptions, problems } = parseExceptions(readFileSync(file, 'utf8'), file.pathname);
    expect(problems).toEqual([]);
    expect(exceptions.length).toBeGreaterThan(0);
    for (const { conditions, expiresUs } of exceptions) {
      const users = conditions.filter(({ field }) => field === 'root.user').flatMap(({ values }) => values);
      expect(users.filter((user) => !people.includes(user))).toEqual([]);
      expect(expiresUs / 1000 - firstDayMs).toBeLessThan(100 * msPerDay);
    }
  });

  test('injects every kind of attack in a fleet of 200 hosts', () => {
    const names = new Set<string>();
    for (const { attacks } of fleetDays({ ...small, hosts: 200, learningDays: 0 })) {
      for (const { name } of attacks) names.add(name);
    }
    expect([...names].sort()).toEqual(attackKinds.map(({ name }) => name).sort());
  });
});
