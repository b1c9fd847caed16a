/** Splitting command lines into arguments, for sources that give only one string. */

/** Arguments and whether quoting was balanced; unbalanced text cannot be trusted at argument boundaries. */
export interface SplitArguments {
  readonly args: string[];
  readonly isBalanced: boolean;
}

/** Windows rules (CommandLineToArgvW): backslashes are literal unless before a quote, `""` inside quotes is a quote. */
export function splitWindows(commandLine: string): SplitArguments {
  const args: string[] = [];
  let index = 0;
  let isBalanced = true;
  while (index < commandLine.length) {
    while (commandLine[index] === ' ' || commandLine[index] === '\t') index++;
    if (index >= commandLine.length) break;
    let argument = '';
    let inQuotes = false;
    while (index < commandLine.length && (inQuotes || (commandLine[index] !== ' ' && commandLine[index] !== '\t'))) {
      let slashes = 0;
      while (commandLine[index] === '\\') {
        slashes++;
        index++;
      }
      if (commandLine[index] !== '"') {
        argument += '\\'.repeat(slashes);
        if (slashes === 0) argument += commandLine[index++];
        continue;
      }
      argument += '\\'.repeat(slashes >> 1);
      index++;
      if (slashes % 2 === 1) argument += '"';
      else if (inQuotes && commandLine[index] === '"') {
        argument += '"';
        index++;
      } else inQuotes = !inQuotes;
    }
    isBalanced = isBalanced && !inQuotes;
    args.push(argument);
  }
  return { args, isBalanced };
}

/** POSIX shell quoting without expansions: single and double quotes and backslashes. */
export function splitPosix(commandLine: string): SplitArguments {
  const args: string[] = [];
  let argument = '';
  let isInArgument = false;
  let quote = '';
  for (let index = 0; index < commandLine.length; index++) {
    const character = commandLine[index] as string;
    if (quote !== '') {
      const isEscape = character === '\\' && quote === '"' && '"\\$`'.includes(commandLine[index + 1] ?? '\n');
      if (character === quote) quote = '';
      else argument += isEscape ? commandLine[++index] : character;
    } else if (character === "'" || character === '"') {
      quote = character;
      isInArgument = true;
    } else if (character === '\\' && index + 1 < commandLine.length) {
      argument += commandLine[++index];
      isInArgument = true;
    } else if (/\s/.test(character)) {
      if (isInArgument) args.push(argument);
      argument = '';
      isInArgument = false;
    } else {
      argument += character;
      isInArgument = true;
    }
  }
  if (isInArgument) args.push(argument);
  return { args, isBalanced: quote === '' };
}

/** The fields of a command line given as one string; `x.process.args_quality` says that the split was guessed. */
export function commandLineFields(commandLine: string | undefined, isWindows: boolean): Record<string, unknown> {
  if (commandLine === undefined) return {};
  const { args, isBalanced } = isWindows ? splitWindows(commandLine) : splitPosix(commandLine);
  return {
    'process.command_line': commandLine,
    'process.args': args,
    'process.args_count': args.length,
    'x.process.args_quality': isBalanced ? 'split' : 'unbalanced',
  };
}
