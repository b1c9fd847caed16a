import type { Diagnostic } from './diagnostic.js';

/** What one diagnostic code means, wherever it is told. The diagnostic itself says the particulars. */
export interface DiagnosticRecord {
  readonly code: string;
  /** A few words. */
  readonly title: string;
  /** Why the rule cannot be taken as written, or what is worth knowing about it. */
  readonly cause: string;
  /** What an author can do. */
  readonly remedy: string;
}

const record = (code: string, title: string, cause: string, remedy: string): DiagnosticRecord => ({
  code,
  title,
  cause,
  remedy,
});

/** Every code a rule author can be told, in alphabetical order. A code never changes its meaning. */
export const diagnosticRecords: readonly DiagnosticRecord[] = [
  record(
    'ADDRESS_SYNTAX',
    'not an IP address',
    'A value for a field of type ip is neither an address nor a CIDR block.',
    'Correct the address, or declare another type for the field.',
  ),
  record(
    'COMPILE_ARRAY_ITEM',
    'a position that no array has',
    'A condition names an element of an array by something other than one constant from 0 up, or elements of arrays within arrays.',
    'Write one constant position, or search the array.',
  ),
  record('COMPILE_DEPTH', 'too much nesting', 'A condition nests deeper than the stated limit.', 'Split the rule.'),
  record(
    'COMPILE_EXPRESSION',
    'too large an expression',
    'An expression reads more fields, or needs more values at once, than the expression machine holds.',
    'Split the expression.',
  ),
  record(
    'COMPILE_FIELD_PATTERN',
    'a field pattern where one field is read',
    'A name with * stands for several fields. Only a test of a value can be tried on each of them, and a program holds only so many such names.',
    'Name the field.',
  ),
  record(
    'COMPILE_KEY',
    'a group key of lineage',
    'A condition on process lineage has no value that events could be joined by.',
    'Join by fields.',
  ),
  record(
    'COMPILE_MARKS',
    'too many lineage conditions',
    'The rules together have more different conditions on process lineage than one engine holds.',
    'Load fewer such rules into one engine.',
  ),
  record(
    'COMPILE_NESTED',
    'an array condition inside another',
    'A condition on elements of one array stands inside a condition on elements of another, and is more than one test of one field of theirs.',
    'Test one field of the inner elements, or write array conditions side by side.',
  ),
  record(
    'COMPILE_STEP_FIELD',
    'a field of an earlier event',
    'A condition reads a field of the event of an earlier step where there is none: outside of a sequence, in a join, in a step of absence, or of a step that is not before it; or it reads one position of an array.',
    'Read a whole field, from a later step of an ordered sequence or its "until".',
  ),
  record(
    'DATE_RELATIVE',
    'a date that counts from now',
    'Rules run over event time, where the wall clock has no say; a replay must give the same answer.',
    'Write a fixed date, or leave the condition out.',
  ),
  record(
    'DATE_SYNTAX',
    'not a date',
    'A bound on a date field cannot be read.',
    'Write ISO 8601 or epoch milliseconds.',
  ),
  record(
    'EXCEPTION_LIST_MISSING',
    'an exception list is not at hand',
    'The rule refers to a list that is neither in its file nor passed as an option. It runs without those exceptions.',
    'Export the rule with its exception lists, or pass their items.',
  ),
  record('JSON_SYNTAX', 'not JSON', 'The file, or a line of it, is not valid JSON.', 'Correct the JSON.'),
  record(
    'KQL_ESCAPE',
    'an escape that KQL does not know',
    'In an unquoted value a backslash escapes special characters, keywords and blanks only.',
    'Double the backslash, or quote the value.',
  ),
  record('KQL_NULL', 'null as a value', 'No field has the value null.', 'Write `not field: *` for a missing field.'),
  record(
    'KQL_QUESTION_MARK',
    'a question mark in a wildcard',
    'Kibana escapes ? in KQL, so it matches itself only.',
    'Write * where any text may stand.',
  ),
  record('KQL_RANGE', 'a range without one bound', 'A range takes one literal bound.', 'Write the bound without *.'),
  record(
    'KQL_SYNTAX',
    'not KQL',
    'The query does not follow the grammar of KQL.',
    'Correct the query at the place shown.',
  ),
  record('KQL_UNTERMINATED', 'an open quote', 'A quoted value has no closing quote.', 'Close the quote.'),
  record(
    'QUERY_DSL',
    'not a query of the query DSL',
    'A filter holds a query whose parts are not those of its kind.',
    'Correct the query, or export the filter from Kibana again.',
  ),
  record(
    'REGEX_SYNTAX',
    'a regular expression that cannot be run',
    'The pattern is not valid, or uses operators that have no equivalent in linear-time matching.',
    'Rewrite the pattern.',
  ),
  record(
    'RULE_DUPLICATE',
    'two rules with one id',
    'State and alerts belong to a rule by its id, so ids are unique over all loaded files. The later rule is refused.',
    'Give one of the rules another id, or load it once.',
  ),
  record(
    'RULE_ID',
    'two rules with one id',
    'State and alerts belong to a rule by its id.',
    'Give each rule its own id.',
  ),
  record('RULE_KEY_MISSING', 'a key is missing', 'The rule form requires the key.', 'Add the key.'),
  record(
    'RULE_KEY_UNKNOWN',
    'a key that the rule form does not have',
    'A key that has no meaning would be ignored, and with it what the author wanted.',
    'Correct the spelling, or remove the key.',
  ),
  record(
    'RULE_LANGUAGE_UNKNOWN',
    'a text in no known rule language',
    'Neither the file name nor the content says which language the rules are in.',
    'Name the language, or use its file extension.',
  ),
  record(
    'RULE_REFERENCE',
    'a rule that is not loaded',
    'The rule hears of another rule that was not loaded or was refused.',
    'Load that rule too.',
  ),
  record('RULE_TOO_DEEP', 'too much nesting', 'A query nests deeper than the stated limit.', 'Flatten or split it.'),
  record('RULE_TOO_LONG', 'too long a text', 'A query is longer than the stated limit.', 'Split the rule.'),
  record(
    'RULE_TYPE',
    'a value of the wrong type',
    'The key takes a value of another type.',
    'Write the expected type.',
  ),
  record(
    'RULE_VALUE',
    'a value that is not allowed',
    'The key takes other values.',
    'Write one of the expected values.',
  ),
  record(
    'TIMESTAMP_OVERRIDE',
    'timestamp_override has no effect',
    'In event time, windows and history are over the time of the event, whenever it was ingested.',
    'Nothing, or choose the elastic_compat mode.',
  ),
  record('TOML_SYNTAX', 'not TOML', 'The file is not valid TOML.', 'Correct the TOML.'),
  record(
    'UNSUPPORTED_LANGUAGE',
    'a query language that is not supported',
    'The language needs Elasticsearch to run.',
    'Rewrite the rule in KQL or EQL.',
  ),
  record(
    'UNSUPPORTED_MODE',
    'a mode that the rule type does not have',
    'The rule type runs in event time only.',
    'Leave the mode out.',
  ),
  record(
    'UNSUPPORTED_QUERY',
    'a kind of filter that is not supported',
    'The query needs an index, a script or a relevance score.',
    'Write the filter with term-level and bool queries.',
  ),
  record(
    'UNSUPPORTED_RULE_TYPE',
    'a rule type that is not supported',
    'The rule type needs Elasticsearch to run.',
    'Rewrite the rule as one of the supported types.',
  ),
  record(
    'UNSUPPORTED_VALUE_LIST',
    'an exception by value list',
    'Value lists are kept in Elasticsearch, not in the rule.',
    'Write the values as a match_any entry.',
  ),
];

/** Families of codes whose diagnostics all carry their own cause and remedy. */
const families: readonly DiagnosticRecord[] = [
  record('EQL_', 'EQL', 'The query is not EQL of its dialect.', 'Correct the query at the place shown.'),
  record(
    'BEHAVIOR_',
    'behaviour rule',
    'The behaviour rule is not of its form.',
    'Correct the rule at the place shown.',
  ),
  record('COMPILE_', 'cannot be compiled', 'The kernel cannot run the condition.', 'Write it as the remedy says.'),
  record('COVERAGE_', 'coverage file', 'The coverage file is not of its form.', 'Correct it at the place shown.'),
  record('EXCEPTION_', 'exceptions file', 'The exceptions file is not of its form.', 'Correct it at the place shown.'),
  record('SIGMA_', 'Sigma', 'The rule is not Sigma of the specification.', 'Correct the rule at the place shown.'),
];

/** The record of a code: its own, or that of its family. Undefined for a code that is never told. */
export function diagnosticRecord(code: string): DiagnosticRecord | undefined {
  return (
    diagnosticRecords.find((item) => item.code === code) ?? families.find((family) => code.startsWith(family.code))
  );
}

/** What an author writes as it stands is put in backquotes; what is said of it (`a value`, `the end`) is not. */
function quoted(expected: string): string {
  if (/\s/.test(expected)) return expected;
  return expected.includes('`') ? `"${expected}"` : `\`${expected}\``;
}

/** `x`, `x or y`, `x, y or z`. */
function alternatives(expected: readonly string[]): string {
  const names = expected.map(quoted);
  const last = names.at(-1) as string;
  return names.length === 1 ? last : `${names.slice(0, -1).join(', ')} or ${last}`;
}

/**
 * Prints a diagnostic over a few lines: place, severity, code and message; the source line with carets; what was
 * expected; what to do. No line end at the end.
 */
export function renderDiagnostic(diagnostic: Diagnostic): string {
  const { file, line, column, severity, code, message, ruleId, excerpt, expected, remedy } = diagnostic;
  const rule = ruleId === undefined ? '' : ` [${ruleId}]`;
  const lines = [`${file ?? '<text>'}:${line}:${column}: ${severity} ${code}: ${message}${rule}`];
  if (excerpt !== undefined) lines.push(...excerpt.split('\n').map((text) => `    ${text}`));
  if (expected !== undefined && expected.length > 0) lines.push(`  expected: ${alternatives(expected)}`);
  if (remedy !== undefined) lines.push(`  ${remedy}`);
  return lines.join('\n');
}
