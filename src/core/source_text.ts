import type { Diagnostic, DiagnosticSeverity, Span } from './diagnostic.js';

/** Longest source line shown in an excerpt, in UTF-16 code units; longer lines are cut around the place. */
const excerptWidthMax = 120;

/** Where a diagnostic points: 1-based line and column (UTF-16 code units) and the line with carets under it. */
export interface SourcePlace {
  readonly file?: string;
  readonly line: number;
  readonly column: number;
  readonly excerpt: string;
}

/** Turns a span of a rule's text into the place an author sees. A rule inside a larger file maps to that file. */
export interface SourceLocator {
  place(span: Span): SourcePlace;
}

/** A whole source file or rule text. Lines end at LF, CRLF or CR. Offsets beyond the text point at its end. */
export class SourceText implements SourceLocator {
  readonly text: string;
  readonly file: string | undefined;
  private starts: readonly number[] | undefined;

  constructor(text: string, file?: string) {
    this.text = text;
    this.file = file;
  }

  /** Looked for when first asked: most texts have no problem to show. */
  private get lineStarts(): readonly number[] {
    this.starts ??= lineStartsOf(this.text);
    return this.starts;
  }

  /** The 1-based line and column of an offset. */
  position(offset: number): { line: number; column: number } {
    const at = Math.max(0, Math.min(offset, this.text.length));
    const { lineStarts } = this;
    let low = 0;
    let high = lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((lineStarts[middle] as number) <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - (lineStarts[low] as number) + 1 };
  }

  /** The text of a 1-based line, without its line end. Empty beyond the last line. */
  line(line: number): string {
    const start = this.lineStarts[line - 1];
    if (start === undefined) return '';
    const end = this.lineStarts[line] ?? this.text.length;
    return this.text.slice(start, end).replace(/[\r\n]+$/, '');
  }

  place(span: Span): SourcePlace {
    const { line, column } = this.position(span.start);
    const place = { line, column, excerpt: excerptOf(this.line(line), column, span.end - span.start) };
    return this.file === undefined ? place : { file: this.file, ...place };
  }
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  const lineEnd = text.includes('\r') ? /\r\n?|\n/g : /\n/g;
  for (let found = lineEnd.exec(text); found !== null; found = lineEnd.exec(text)) starts.push(lineEnd.lastIndex);
  return starts;
}

/** A rule's text that lies inside a larger file: `toOuter` maps an offset of the rule's text to one of the file. */
export class EmbeddedText implements SourceLocator {
  private readonly outer: SourceText;
  private readonly toOuter: (offset: number) => number;

  constructor(outer: SourceText, toOuter: (offset: number) => number) {
    this.outer = outer;
    this.toOuter = toOuter;
  }

  place(span: Span): SourcePlace {
    const start = this.toOuter(span.start);
    return this.outer.place({ start, end: Math.max(start, this.toOuter(span.end)) });
  }
}

/** What a front end knows about a problem; {@link diagnosticAt} adds where it is. */
export interface Problem {
  readonly code: string;
  readonly severity?: DiagnosticSeverity;
  readonly message: string;
  readonly ruleId?: string;
  readonly expected?: readonly string[];
  readonly remedy?: string;
}

/** The diagnostic of a problem at a place. Severity is `error` where none is given. */
export function diagnosticAt(source: SourceLocator, span: Span, problem: Problem): Diagnostic {
  return { severity: 'error', ...problem, ...source.place(span) };
}

/** The line and a caret line under it. Tabs stay tabs in both, so that the carets line up in any viewer. */
function excerptOf(line: string, column: number, length: number): string {
  const at = column - 1;
  const from = line.length <= excerptWidthMax ? 0 : Math.max(0, Math.min(at - 40, line.length - excerptWidthMax));
  const shown = line.slice(from, from + excerptWidthMax);
  const head = from > 0 ? '…' : '';
  const tail = from + excerptWidthMax < line.length ? '…' : '';
  const carets = Math.max(1, Math.min(length, from + shown.length - at));
  const indent = shown.slice(0, at - from).replace(/[^\t]/g, ' ');
  return `${head}${shown}${tail}\n${head === '' ? '' : ' '}${indent}${'^'.repeat(carets)}`;
}
