import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildCoverage, type HostCounts } from '../../src/correlator/coverage/report.js';
import { parseCoverageModel } from '../../src/language/coverage.js';
import type { CoverageModel } from '../../src/rule/coverage.js';

const file = new URL('../../content/coverage/model.yml', import.meta.url);
const parsed = parseCoverageModel(readFileSync(file, 'utf8'), 'model.yml');
const model = parsed.model as CoverageModel;
const hour = 3_600_000_000;

function host(counts: Record<string, number>, id = 'h1'): HostCounts {
  return { host: { id }, firstSeenUs: 0, lastSeenUs: hour, events: 1000, counts: { 'platform:macos': 1, ...counts } };
}

function an0173(counts: Record<string, number>) {
  const { hosts } = buildCoverage(model, [host(counts)]);
  const rule = hosts[0]?.rules.find(({ rule }) => rule === 'AN0173');
  if (rule === undefined) throw new Error('AN0173 is missing');
  return rule;
}

const eslogger = {
  'source:eslogger': 500,
  'class:process_exec': 100,
  'class:process_fork': 5,
  'class:process_exit': 90,
  'class:file_write': 40,
  'class:module_load': 3,
  'field:process.command_line': 100,
  'field:process.parent': 100,
  'field:user': 100,
  activity: 30,
};

describe('the shipped coverage model', () => {
  test('parses without a problem', () => {
    expect(parsed.problems).toEqual([]);
  });

  test('names a gap with effect and remedy wherever it refers to one', () => {
    const codes = [
      ...Object.values(model.absent),
      ...model.fields.flatMap(({ gap }) => gap ?? []),
      ...model.sources.flatMap(({ cannot }) => Object.values(cannot).flatMap((gaps) => Object.values(gaps))),
    ];
    expect(codes.filter((code) => model.gaps[code] === undefined)).toEqual([]);
  });

  test('tells of a class that others show and interpreters never, once twenty of them ran', () => {
    const seen = { ...eslogger, 'class:net_connect': 50, 'field:network.process': 50 };
    expect(an0173({ ...seen, activity: 20 }).legs['NET']).toMatchObject({
      status: 'degraded',
      gaps: [{ code: 'G-FILTER' }],
    });
    expect(an0173({ ...seen, activity: 19 }).legs['NET']?.status).toBe('full');
    expect(an0173({ ...seen, activity: 20, 'actor:net_connect': 1 }).legs['NET']?.status).toBe('full');
  });

  test('refers only to classes and fields that it counts', () => {
    const requirements = model.rules.flatMap(({ base, legs }) => [base, ...Object.values(legs)]);
    const classes = requirements.flatMap(({ all, any, recommended }) => [...all, ...any, ...recommended]);
    expect(classes.filter((id) => !model.classes.includes(id))).toEqual([]);
    const fields = requirements.flatMap((requirement) => requirement.fields);
    expect(fields.filter((id) => model.fields.every((field) => field.id !== id))).toEqual([]);
  });

  test('reports a misspelt key at its place', () => {
    const { problems } = parseCoverageModel('version: 1\nclases: []\n', 'm.yml');
    expect(problems[0]).toMatchObject({
      code: 'RULE_KEY_UNKNOWN',
      line: 2,
      column: 1,
      remedy: 'Did you mean "classes"?',
    });
  });
});

describe('a host with Endpoint Security alone', () => {
  test('is blind for the network leg, names why, and sees persistence and enumeration in full', () => {
    const rule = an0173(eslogger);
    expect(rule.legs['NET']).toMatchObject({ status: 'blind', gaps: [{ code: 'G-ES-NO-IP' }] });
    expect(rule.legs['PERSIST']?.status).toBe('full');
    expect(rule.legs['ENUM']?.status).toBe('full');
    expect(rule.status).toBe('degraded');
  });

  test('stays blind for the network leg when Python never ran: the source cannot give it', () => {
    const rule = an0173({ ...eslogger, activity: 0 });
    expect(rule.legs['NET']?.status).toBe('blind');
    expect(rule.legs['PERSIST']?.status).toBe('full');
  });
});

describe('a class that was not seen', () => {
  test('is unknown while Python did not run, blind once it did', () => {
    const { 'class:file_write': _, ...withoutFiles } = eslogger;
    expect(an0173({ ...withoutFiles, activity: 0 }).legs['PERSIST']?.status).toBe('unknown');
    expect(an0173(withoutFiles).legs['PERSIST']?.status).toBe('blind');
  });

  test('is blind after a day of telemetry', () => {
    const counts = { 'platform:macos': 1, 'class:process_exec': 10 };
    const { hosts } = buildCoverage(model, [
      { host: { id: 'h' }, firstSeenUs: 0, lastSeenUs: 24 * hour, events: 1000, counts },
    ]);
    expect(hosts[0]?.rules.find(({ rule }) => rule === 'AN0173')?.legs['NET']?.status).toBe('blind');
  });
});

describe('a required field', () => {
  test.each([
    [100, 'full'],
    [95, 'full'],
    [94, 'degraded'],
    [50, 'degraded'],
    [49, 'blind'],
  ])('filled on %i of 100 events gives %s', (filled, status) => {
    expect(an0173({ ...eslogger, 'field:process.command_line': filled }).legs['ENUM']?.status).toBe(status);
  });
});

test('rules of other platforms do not apply, and the matrix counts hosts by status', () => {
  const report = buildCoverage(model, [host(eslogger, 'b'), host({ 'platform:macos': 0, 'platform:linux': 4 }, 'a')]);
  expect(report.hosts.map((entry) => [entry.host.id, entry.platform])).toEqual([
    ['a', 'linux'],
    ['b', 'macos'],
  ]);
  expect(report.matrix['AN0173']).toMatchObject({ degraded: 1, not_applicable: 1 });
  expect(report.matrix['AN0174']).toMatchObject({ not_applicable: 1 });
});
