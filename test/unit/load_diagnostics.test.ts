import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { diagnosticRecord, diagnosticRecords, renderDiagnostic } from '../../src/core/diagnostics.js';
import { parseRules } from '../../src/language/load.js';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const folders = ['language', 'compiler'];
const notDiagnostics = /^(?:QUOTE_|PROGRAM_|USAGE_)/;

describe('diagnostic codes', () => {
  it('are all explained, once each and in order', () => {
    const codes = diagnosticRecords.map((record) => record.code);
    expect(codes).toEqual([...new Set(codes)].sort());
    const files = folders.flatMap((folder) =>
      readdirSync(join(sources, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts'))
        .map((file) => join(sources, folder, file)),
    );
    const used = files.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/'([A-Z]+(?:_[A-Z]+)+)'/g)].map((match) => match[1] as string),
    );
    expect(used.length).toBeGreaterThan(50);
    expect(
      [...new Set(used)].filter((code) => !notDiagnostics.test(code) && diagnosticRecord(code) === undefined),
    ).toEqual([]);
    const told = new Set(used);
    expect(codes.filter((code) => !told.has(code))).toEqual([]);
  });
});

describe('a printed diagnostic', () => {
  it('has the place, the line with carets, what was expected and what to do', () => {
    const { problems } = parseRules('a: b and\n  c: )', { file: 'x.kql' });
    expect(problems.map(renderDiagnostic)).toEqual([
      [
        'x.kql:2:6: error KQL_SYNTAX: ")" cannot stand here',
        '      c: )',
        '         ^',
        '  expected: a value, `(` or `{`',
        '  Write \\) or quote the value if the character belongs to it.',
      ].join('\n'),
    ]);
  });
});
