/** The documentation pages that are made from tables, so that they cannot drift from the code. */
import { readFileSync } from 'node:fs';
import { diagnosticRecords } from '../../src/core/diagnostics.js';
import { recordSources, textSources } from '../../src/source/reader.js';

const root = new URL('../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

interface SourceCase {
  readonly name: string;
  readonly kind: string;
  readonly expect: readonly Record<string, unknown>[];
}

/** Path below the repository to the page's text. */
export function renderPages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/limits.md', limitsPage()],
    ['docs/diagnostics.md', diagnosticsPage()],
    ['docs/sources.md', sourcesPage()],
  ]);
}

function page(title: string, intro: string, body: string): string {
  return `# ${title}\n\n<!-- Made by \`npm run docs\` from the tables; edit those. -->\n\n${intro}\n\n${body}\n`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Each constant of `limits.ts` with the sentence above it. */
function limitsPage(): string {
  const rows = [
    ...read('src/core/limits.ts').matchAll(/\/\*\* ((?:(?!\*\/).)*) \*\/\nexport const (\w+) = ([^;]+);/gs),
  ].map(([, text = '', name = '', value = '']) => [
    `\`${name}\``,
    value.replace(/\s+/g, ' '),
    text.replace(/\s*\n \* /g, ' '),
  ]);
  const intro =
    'Everything has a limit. What it costs to reach one is counted in `stats()` with the rule and host, or refused with an error that names it.';
  return page('Limits', intro, table(['limit', 'value', 'what it bounds'], rows));
}

function diagnosticsPage(): string {
  const rows = diagnosticRecords.map(({ code, title, cause, remedy }) => [`\`${code}\``, title, cause, remedy]);
  const intro = 'What a rule author can be told. A code never changes its meaning between releases.';
  return page('Diagnostics', intro, table(['code', 'title', 'cause', 'remedy'], rows));
}

/** For each source, the classes its cases give and the fields they fill. */
function sourcesPage(): string {
  const cases = JSON.parse(read('test/cases/sources/classes.json')) as SourceCase[];
  const sections = [...recordSources, ...textSources].map(({ kind, title }) => {
    const classes = new Map<string, Set<string>>();
    for (const event of cases.filter((one) => one.kind === kind).flatMap((one) => one.expect)) {
      const fields = classes.get(String(event['event.class'])) ?? new Set();
      for (const name of Object.keys(event)) if (name !== 'event.class' && name !== '@timestamp') fields.add(name);
      classes.set(String(event['event.class']), fields);
    }
    const rows = [...classes].sort().map(([name, fields]) => [
      `\`${name}\``,
      [...fields]
        .sort()
        .map((field) => `\`${field}\``)
        .join(', '),
    ]);
    const body =
      rows.length === 0
        ? 'Passes as it is, or maps through the table of Windows events.'
        : table(['class', 'fields that its cases check'], rows);
    return `## ${title}\n\n\`--format ${kind}\`\n\n${body}`;
  });
  const intro =
    'Telemetry sources and the canonical events they become: flat ECS with the values of Elastic Defend, plus `event.class` and `x.source.kind`. Documents that are plain ECS pass as bytes; the others are parsed and mapped once, in JavaScript, which costs about as much as `JSON.parse` twice. The rows show what `test/cases/sources/classes.json` checks.\n\n`--format auto` decides line by line. A line may also be an array of records, one line of an array that is written over several, or the hit of an export (`_source`). Byte order marks, line ends of Windows and empty lines are harmless. What no source recognises (cut records, binary bytes, records that are not what their kind promises, the beginning of a line of more than 16 MiB) is counted, with the first ten as examples: `scan` says so in its closing lines, `coverage` under `input` and G-PARSE.';
  return page('Sources', intro, sections.join('\n\n'));
}
