/**
 * Command lines: splitting into arguments, into the commands of a shell string, and reading what an interpreter runs.
 * Knows no particular interpreter: `InterpreterSpec` does.
 */
import { globMatchesAny } from '../../core/glob.js';
import type { InterpreterSpec, RunMode } from '../../rule/behavior.js';

/** Arguments of a POSIX-like command line; `balanced` false when a quote stays open, and boundaries are doubtful. */
export function splitPosix(text: string): { readonly args: readonly string[]; readonly balanced: boolean } {
  const args: string[] = [];
  let current = '';
  let started = false;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote !== "'" && char === '\\' && i + 1 < text.length) {
      current += text[++i];
      started = true;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else current += char;
    } else if (char === "'" || char === '"') {
      quote = char;
      started = true;
    } else if (/\s/.test(char)) {
      if (started) args.push(current);
      current = '';
      started = false;
    } else {
      current += char;
      started = true;
    }
  }
  if (started) args.push(current);
  return { args, balanced: quote === '' };
}

/** Arguments as Windows' `CommandLineToArgvW` splits them. */
export function splitWindows(text: string): { readonly args: readonly string[]; readonly balanced: boolean } {
  const args: string[] = [];
  let current = '';
  let started = false;
  let quoted = false;
  for (let i = 0; i < text.length; ) {
    let slashes = 0;
    while (text[i + slashes] === '\\') slashes++;
    i += slashes;
    const char = text[i];
    if (char === '"') {
      current += '\\'.repeat(slashes >> 1);
      if (slashes % 2 === 1) current += '"';
      else if (quoted && text[i + 1] === '"') {
        current += '"';
        i++;
      } else quoted = !quoted;
      started = true;
    } else {
      current += '\\'.repeat(slashes);
      started ||= slashes > 0;
      if (char === undefined) break;
      if (!quoted && (char === ' ' || char === '\t')) {
        if (started) args.push(current);
        current = '';
        started = false;
      } else {
        current += char;
        started = true;
      }
    }
    i++;
  }
  if (started) args.push(current);
  return { args, balanced: !quoted };
}

/** Most commands taken from one shell string. */
const shellCommandsMax = 64;

/**
 * The simple commands of a shell string: split at `;`, `&&`, `||`, `|`, `&`, new lines, `$( )`, backquotes and
 * parentheses, also inside double quotes for substitutions. Redirections stay among the arguments.
 */
export function shellCommands(text: string): readonly (readonly string[])[] {
  const commands: string[][] = [];
  const outerQuotes: string[] = [];
  let words: string[] = [];
  let word = '';
  let started = false;
  let quote = '';
  let inBackquotes = false;
  const take = (part: string): void => {
    word += part;
    started = true;
  };
  const endWord = (): void => {
    if (started) words.push(word);
    word = '';
    started = false;
  };
  const endCommand = (): void => {
    endWord();
    if (words.length > 0 && commands.length < shellCommandsMax) commands.push(words);
    words = [];
  };
  const open = (): void => {
    endCommand();
    outerQuotes.push(quote);
    quote = '';
  };
  const close = (): void => {
    endCommand();
    quote = outerQuotes.pop() ?? '';
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (quote === "'") {
      if (char === "'") quote = '';
      else take(char);
    } else if (char === '\\' && i + 1 < text.length) {
      take(text[++i] as string);
    } else if (char === '`') {
      if (inBackquotes) close();
      else open();
      inBackquotes = !inBackquotes;
    } else if (char === '$' && text[i + 1] === '(') {
      i++;
      open();
    } else if (quote === '"') {
      if (char === '"') quote = '';
      else take(char);
    } else if (char === "'" || char === '"') {
      quote = char;
      started = true;
    } else if (char === '(') {
      open();
    } else if (char === ')') {
      close();
    } else if (char === '&' && (text[i - 1] === '>' || text[i + 1] === '>')) {
      take(char);
    } else if (char === ';' || char === '&' || char === '|' || char === '\n') {
      endCommand();
    } else if (/\s/.test(char)) {
      endWord();
    } else {
      take(char);
    }
  }
  endCommand();
  return commands;
}

/** `words` from the command's own name on: without assignments and the prefixes (`sudo`, `env`, …) before it. */
export function stripPrefixes(words: readonly string[], prefixes: readonly string[]): readonly string[] {
  let start = 0;
  let prefixed = false;
  for (; start < words.length; start++) {
    const word = words[start] as string;
    if (/^[A-Za-z_]\w*=/.test(word)) continue;
    if (prefixes.includes(word)) prefixed = true;
    else if (!(prefixed && word.startsWith('-'))) break;
  }
  return words.slice(start);
}

export interface InterpreterRun {
  readonly mode: RunMode;
  /** The script, the module, or the inline code. */
  readonly payload: string;
}

/**
 * What an interpreter runs, from its arguments after its own name: the first script, module, inline code or stream.
 * Within a cluster of short options the inline or module letter takes the rest of the cluster, or the next argument.
 */
export function parseInterpreterArgs(spec: InterpreterSpec, args: readonly string[]): InterpreterRun {
  let i = 0;
  while (i < args.length && globMatchesAny(spec.launcherOptions, args[i] as string)) i++;
  for (; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--') return script(spec, args[i + 1]);
    if (!arg.startsWith('-') || arg === '-') return script(spec, arg);
    if (arg.startsWith('--')) {
      if (spec.longValueOptions.includes(arg)) i++;
      continue;
    }
    for (let c = 1; c < arg.length; c++) {
      const letter = arg[c] as string;
      const rest = arg.slice(c + 1);
      if (letter === spec.inlineOption || letter === spec.moduleOption) {
        const payload = rest !== '' ? rest : (args[i + 1] ?? '');
        return { mode: letter === spec.inlineOption ? 'inline' : 'module', payload };
      }
      if (spec.valueOptions.includes(letter)) {
        if (rest === '') i++;
        break;
      }
    }
  }
  return { mode: 'interactive', payload: '' };
}

function script(spec: InterpreterSpec, argument: string | undefined): InterpreterRun {
  if (argument === undefined) return { mode: 'interactive', payload: '' };
  if (globMatchesAny(spec.streamScripts, argument)) return { mode: 'stdin', payload: argument };
  return { mode: 'script', payload: argument };
}

/** Shannon entropy of a text in bits per character; 0 for the empty text. */
export function entropyBits(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const total = [...text].length;
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return bits;
}
