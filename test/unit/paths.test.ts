/** Path normalisation, globs and digests. */
import { describe, expect, test } from 'vitest';
import { digest } from '../../src/core/digest.js';
import { globMatches } from '../../src/core/glob.js';
import { foldCase, generalisePath, joinPath, pathKey, pathPatternForms } from '../../src/core/paths.js';

describe('path keys', () => {
  test.each([
    ['macos', '/tmp/A.py', '/private/tmp/a.py'],
    ['macos', '/System/Volumes/Data/Users/x', '/users/x'],
    ['macos', 'file:///Library/LaunchAgents/a%20b.plist', '/library/launchagents/a b.plist'],
    ['macos', '/Users/jose\u0301/x', '/users/jos\u00e9/x'],
    ['macos', '/tmpfoo', '/tmpfoo'],
    ['linux', '/usr//bin/python3 (deleted)', '/usr/bin/python3'],
    ['linux', '/Tmp/A', '/Tmp/A'],
    ['windows', '\\\\?\\C:\\Users\\A', 'c:\\users\\a'],
    ['windows', '\\Device\\HarddiskVolume3\\Temp\\x', '?:\\temp\\x'],
    ['windows', 'HKEY_LOCAL_MACHINE\\Software', 'hklm\\software'],
  ] as const)('%s %j', (platform, path, key) => {
    expect(pathKey(path, platform)).toBe(key);
    expect(pathKey(key, platform)).toBe(key);
  });

  test('a case-sensitive host keeps case', () => {
    expect(pathKey('/Users/A', 'macos', false)).toBe('/Users/A');
  });

  test('folding is that of Unicode, not of ASCII', () => {
    expect(foldCase('\u017fTRA\u00dfE')).toBe(foldCase('strasse'));
  });
});

test('relative paths are joined to the working directory', () => {
  expect(joinPath('/a/b', '../c.py', 'linux')).toBe('/a/c.py');
  expect(joinPath('/a', '/c.py', 'linux')).toBe('/c.py');
  expect(joinPath(undefined, 'c.py', 'linux')).toBe('c.py');
  expect(joinPath('C:\\a', 'b.py', 'windows')).toBe('C:\\a\\b.py');
});

describe('globs', () => {
  test.each([
    ['*', '', true],
    ['a*c', 'abbbc', true],
    ['a*c', 'abb', false],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['*.plist', '/x/.plist', true],
    ['/Users/*/a', '/Users/x/y/a', true],
    ['', 'a', false],
  ])('%j over %j: %s', (pattern, text, expected) => {
    expect(globMatches(pattern, text)).toBe(expected);
  });

  test('a hostile pattern takes linear work in the text', () => {
    expect(globMatches(`${'*a'.repeat(40)}b`, 'a'.repeat(20_000))).toBe(false);
  });
});

test('home and aliased directories are written in every form', () => {
  expect(pathPatternForms('~/x', 'macos')).toEqual(['/Users/*/x', '/private/var/root/x', '/var/root/x']);
  expect(pathPatternForms('/private/tmp/*', 'macos')).toEqual(['/private/tmp/*', '/tmp/*']);
  expect(pathPatternForms('/tmp/*', 'linux')).toEqual(['/tmp/*']);
});

describe('generalised paths', () => {
  test.each([
    ['/Users/alice/proj/a.py', '~/proj/a.py'],
    [
      '/home/b/.ansible/tmp/ansible-tmp-1700000000.1-22-33/AnsiballZ_copy.py',
      '~/.ansible/tmp/ansible-tmp-*/AnsiballZ_copy.py',
    ],
    ['/private/var/folders/a/T/tmpab12cd34/x.py', '/private/var/folders/a/T/tmp*/x.py'],
    ['/opt/run/2026-01-02T10-11-12/x.py', '/opt/run/<ts>/x.py'],
    ['/opt/9f86d081884c7d65/x.py', '/opt/<hex>/x.py'],
    ['/opt/3f2504e0-4f89-11d3-9a0c-0305e82c3301/x', '/opt/<uuid>/x'],
  ])('%j', (path, expected) => {
    expect(generalisePath(path)).toBe(expected);
    expect(generalisePath(expected)).toBe(expected);
  });
});

test('a digest tells parts apart', () => {
  expect(digest('ab')).not.toBe(digest('a', 'b'));
  expect(digest('a', '')).not.toBe(digest('a'));
  expect(digest('a')).toMatch(/^[0-9a-f]{32}$/);
});
