/**
 * What a command may touch of the process: streams, colour and terminal. Commands take it as an argument so that tests
 * run them in process.
 */
import { styleText } from 'node:util';

export interface Io {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** True when stderr is a terminal: only then is a progress line drawn. */
  readonly isInteractive: boolean;
  /** True when stdout takes colour. */
  readonly hasColour: boolean;
}

/** An error that ends a command with exit code 2 and one line on stderr. */
export class CommandError extends Error {}

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green' | 'cyan' | 'magenta';

/** Colours `text` where `io` takes colour, else returns it unchanged. */
export function paint(io: Io, style: Style, text: string): string {
  return io.hasColour ? styleText(style, text, { validateStream: false }) : text;
}

/**
 * Makes text from an event safe to print: control and bidirectional characters, which could move the cursor or
 * reverse what is read, become escapes.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to escape
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}

/** As {@link printable}, keeping tabs: carets under a source line stay in their place. */
export function printableLine(line: string): string {
  return line.split('\t').map(printable).join('\t');
}
