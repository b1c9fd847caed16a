/** Runs the command line in process, on files of a folder that is removed after the tests. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../src/cli/main.js';

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `vedette ARGS`. */
export async function runCli(...args: readonly string[]): Promise<CliResult> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await main(args, {
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    isInteractive: false,
    hasColour: false,
  });
  return { code, stdout: out.join(''), stderr: err.join('') };
}

/** A folder for files of a test. */
export interface Workspace {
  /** Writes a file, creating its text from events where objects are given; returns its path. */
  file(name: string, content: string | readonly object[]): string;
  remove(): void;
}

export function createWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'vedette-'));
  return {
    file(name, content) {
      const path = join(folder, name);
      const text =
        typeof content === 'string' ? content : content.map((event) => `${JSON.stringify(event)}\n`).join('');
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
