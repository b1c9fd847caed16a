/** Every requirement on the analytics has a case, and every case that names one names one that there is. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadScenarios } from '../support/scenario.js';

interface Requirements {
  readonly scenarios: Readonly<Record<string, string>>;
  readonly decisions: Readonly<Record<string, string>>;
}

const file = new URL('./requirements.yml', import.meta.url);
const { scenarios, decisions } = parse(readFileSync(file, 'utf8')) as Requirements;
const numbers = { ...scenarios, ...decisions };
const cases = ['scenarios', 'variants'].flatMap((folder) =>
  loadScenarios(new URL(`./${folder}`, import.meta.url).pathname),
);
const shown = new Map<string, string[]>();
for (const { id, shows = [] } of cases)
  for (const number of shows.map(String)) shown.set(number, [...(shown.get(number) ?? []), id]);

describe('requirements', () => {
  test.each(Object.entries(numbers))('%s is shown by a case: %s', (number) => {
    expect(shown.get(number) ?? []).not.toEqual([]);
  });

  test('the numbers of scenarios have no hole', () => {
    const whole = new Set(Object.keys(scenarios).map((number) => Number.parseInt(number, 10)));
    expect([...whole].sort((a, b) => a - b)).toEqual(Array.from({ length: whole.size }, (_, i) => i + 1));
    const letters = Object.keys(scenarios).filter((number) => number.startsWith('30'));
    expect(letters).toEqual([...'abcdefghij'].map((letter) => `30${letter}`));
  });

  test('cases name numbers that there are', () => {
    expect([...shown.keys()].filter((number) => !(number in numbers))).toEqual([]);
  });

  test('no two cases have one id', () => {
    const ids = cases.map(({ id }) => id);
    expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  });
});
