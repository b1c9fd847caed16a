import type { Diagnostic } from '../../core/diagnostic.js';
import { ruleTextMax } from '../../core/limits.js';
import { diagnosticAt, type SourceLocator, SourceText } from '../../core/source_text.js';
import type { Expr } from '../../rule/ir.js';
import { always, type FieldQueryOptions } from '../field_query.js';
import { lowerKuery } from './lower.js';
import { KueryParser } from './parser.js';

export interface KueryOptions extends FieldQueryOptions {
  /** Where the query's text lies, for places in diagnostics; by default the text is a file of its own. */
  readonly source?: SourceLocator;
  readonly file?: string;
}

/**
 * Reads a KQL query into a condition. `condition` is present when no problem is an error; an empty text matches every
 * event. Never throws for what the author wrote. At most 256 levels of nesting and 256 Ki characters.
 */
export function parseKuery(text: string, options: KueryOptions = {}): { condition?: Expr; problems: Diagnostic[] } {
  const source = options.source ?? new SourceText(text, options.file);
  if (text.length > ruleTextMax) {
    const message = `the query is longer than ${ruleTextMax} characters`;
    const problem = { code: 'RULE_TOO_LONG', message, remedy: 'Split the rule.' };
    return { problems: [diagnosticAt(source, { start: ruleTextMax, end: ruleTextMax + 1 }, problem)] };
  }
  const parser = new KueryParser(text, source);
  const node = parser.parse();
  const problems = [...parser.problems];
  if (node === undefined) return { problems };
  if (node === null) return { condition: always, problems };
  const condition = lowerKuery(node, options, (span, problem) => problems.push(diagnosticAt(source, span, problem)));
  return problems.some((problem) => problem.severity === 'error') ? { problems } : { condition, problems };
}
