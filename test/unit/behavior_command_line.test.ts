/** Command lines: splitting, shell strings, and what an interpreter runs. */
import { describe, expect, test } from 'vitest';
import {
  entropyBits,
  parseInterpreterArgs,
  shellCommands,
  splitPosix,
  splitWindows,
  stripPrefixes,
} from '../../src/correlator/behavior/command_line.js';
import { shippedRule } from '../support/content.js';

const { interpreter } = shippedRule('AN0173').judgement;

describe('interpreter arguments', () => {
  test.each([
    [['-Ic', 'x'], 'inline', 'x'],
    [['-cimport os'], 'inline', 'import os'],
    [['-mvenv', 'x'], 'module', 'venv'],
    [['-m', 'pip', 'install', 'requests'], 'module', 'pip'],
    [['-W', 'ignore', '-c', 'y'], 'inline', 'y'],
    [['-Wignore', 'a.py', '-c', 'no'], 'script', 'a.py'],
    [['-X', 'utf8', '-OO', 'b.py'], 'script', 'b.py'],
    [['-bb', '--', '-c'], 'script', '-c'],
    [['-u', '/tmp/a b.py'], 'script', '/tmp/a b.py'],
    [['--check-hash-based-pycs', 'always', 'c.py'], 'script', 'c.py'],
    [['-'], 'stdin', '-'],
    [['/dev/fd/63'], 'stdin', '/dev/fd/63'],
    [['-i'], 'interactive', ''],
    [[], 'interactive', ''],
  ])('%j runs %s %j', (args, mode, payload) => {
    expect(parseInterpreterArgs(interpreter, args)).toEqual({ mode, payload });
  });
});

describe('splitting', () => {
  test.each([
    ['python3 a.py', ['python3', 'a.py'], true],
    ['python3 "a b.py" \'c d\'', ['python3', 'a b.py', 'c d'], true],
    ['a\\ b c', ['a b', 'c'], true],
    ['a "" b', ['a', '', 'b'], true],
    ['python3 -c "import os', ['python3', '-c', 'import os'], false],
  ])('POSIX %j', (text, args, balanced) => {
    expect(splitPosix(text)).toEqual({ args, balanced });
  });

  test.each([
    ['py.exe "C:\\a b\\c.py" x', ['py.exe', 'C:\\a b\\c.py', 'x'], true],
    ['a "b\\"c" d', ['a', 'b"c', 'd'], true],
    ['a\\\\b c', ['a\\\\b', 'c'], true],
    ['a "b\\\\" c', ['a', 'b\\', 'c'], true],
    ['a "b c', ['a', 'b c'], false],
  ])('Windows %j', (text, args, balanced) => {
    expect(splitWindows(text)).toEqual({ args, balanced });
  });
});

describe('shell strings', () => {
  test.each([
    ['curl -s http://x | bash', [['curl', '-s', 'http://x'], ['bash']]],
    ['a; b && c || d & e', [['a'], ['b'], ['c'], ['d'], ['e']]],
    ['echo "$(whoami) is $(id -u)"', [['echo', ''], ['whoami'], [' is '], ['id', '-u']]],
    ['x=`uname -a`', [['x='], ['uname', '-a']]],
    ["echo 'a; b'", [['echo', 'a; b']]],
    ['(cd /tmp; ls) 2>&1', [['cd', '/tmp'], ['ls'], ['2>&1']]],
    ['', []],
  ])('%j', (text, commands) => {
    expect(shellCommands(text)).toEqual(commands);
  });

  test.each([
    [['A=1', 'sudo', '-E', 'whoami'], ['whoami']],
    [['env', 'X=1', 'id'], ['id']],
    [['whoami'], ['whoami']],
    [['sudo'], []],
  ])('the command of %j', (words, command) => {
    expect(stripPrefixes(words, ['sudo', 'env'])).toEqual(command);
  });
});

test('entropy is in bits per character', () => {
  expect(entropyBits('')).toBe(0);
  expect(entropyBits('aaaa')).toBe(0);
  expect(entropyBits('abcd')).toBe(2);
});
