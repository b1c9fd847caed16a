import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderPages } from '../support/pages.js';

const isUpdate = process.env['UPDATE_DOCS'] === '1';

describe('pages made from tables are current (npm run docs makes them)', () => {
  test.each([...renderPages()])('%s', (path, text) => {
    const file = new URL(`../../${path}`, import.meta.url);
    if (isUpdate) writeFileSync(file, text);
    expect(existsSync(file) && readFileSync(file, 'utf8')).toBe(text);
  });
});
