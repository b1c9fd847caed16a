/** The `vedette` command line: chooses a command and turns its outcome into an exit code. */
import { VedetteError } from '../core/errors.js';
import { CommandError, type Io } from './io.js';

type Command = (args: string[], io: Io) => Promise<number>;

interface CommandEntry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const commands: Readonly<Record<string, CommandEntry>> = {
  scan: {
    summary: 'correlate the events of files and print the alerts',
    load: async () => (await import('./scan.js')).scan,
  },
  explain: {
    summary: 'tell why a rule fired on the events of files, or why it did not',
    load: async () => (await import('./explain.js')).explain,
  },
  coverage: {
    summary: 'tell whether the rules could have fired on the hosts of the events',
    load: async () => (await import('./coverage.js')).coverage,
  },
  exceptions: {
    summary: 'check approved exceptions and tell what they hid',
    load: async () => (await import('./exceptions.js')).exceptions,
  },
  inventory: {
    summary: 'list the interpreters that ran, who started them and what they ran',
    load: async () => (await import('./inventory.js')).inventory,
  },
  rules: {
    summary: 'check rule files: "vedette rules check PATH..."',
    load: async () => (await import('./rules.js')).rules,
  },
};

/**
 * Runs one command line. Resolves to the exit code: 0 done, 1 the command's own negative answer (`--fail-on` reached,
 * rules with problems), 2 usage or unreadable input, told in one line on stderr.
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    io.stdout(usage());
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    io.stderr(`vedette: no command "${name}"; commands: ${Object.keys(commands).join(', ')}\n`);
    return 2;
  }
  try {
    return await (await command.load())(rest, io);
  } catch (error) {
    const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
    if (!(error instanceof CommandError || error instanceof VedetteError || isUsage)) throw error;
    io.stderr(`vedette ${name}: ${(error as Error).message.split('\n')[0]}\n`);
    return 2;
  }
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'usage: vedette COMMAND [OPTION]... [FILE]...',
    '',
    ...lines,
    '',
    'vedette COMMAND --help tells the options of a command.',
    '',
  ].join('\n');
}
