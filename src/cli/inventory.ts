/** `vedette inventory`: where Python runs, who starts it and from where, by host and interpreter. */
import { parseArgs } from 'node:util';
import { formatTimeUs } from '../core/time.js';
import { startCorrelator } from '../correlator/correlator.js';
import { Inventory, type InventoryRow, inventoryFields } from '../correlator/inventory/inventory.js';
import { createSourceReader } from '../source/reader.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io, paint, printable } from './io.js';
import { pushFiles, rulesFor, streamHelp, streamOptions } from './stream.js';

const help = `usage: vedette inventory [OPTION]... FILE|FOLDER|-...

Lists the interpreters that ran, by host: distribution, launches, users, launch contexts, parents and scripts. Secrets in
command lines are masked. What is installed and never ran does not appear.

${streamHelp}  --json              one interpreter a line on stdout, and nothing else there
  --csv               one interpreter a line, for a spreadsheet
`;

const options = {
  ...streamOptions,
  csv: { type: 'boolean', default: false },
} as const;

/** Runs the command. Resolves to 0. */
export async function inventory(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (values.json && values.csv) throw new CommandError('give one of --json and --csv');
  if (positionals.length === 0)
    throw new CommandError('no event files given; name files, folders or - for standard input');
  const files = await resolveInputs(positionals);
  const rules = (await rulesFor(values, io)).filter(({ kind }) => kind === 'behavior');
  if (rules.length === 0) throw new CommandError('no behaviour rules: nothing says what a launch is');
  const found = new Inventory();
  const correlator = await startCorrelator(
    {
      rules,
      minSeverity: 'critical',
      lateness: values.lateness,
      memory: values.memory,
      ...(values.host === undefined ? {} : { defaultHost: values.host }),
    },
    { keptFields: inventoryFields, onWitness: (rule, witness) => found.take(rule, witness) },
  );
  await pushFiles('inventory', files, createSourceReader(values.format), (events) => void correlator.push(events), io);
  correlator.flush();
  correlator.close();
  const rows = found.rows();
  if (values.csv) io.stdout(csvOf(rows));
  else if (values.json) for (const row of rows) io.stdout(`${JSON.stringify(plain(row))}\n`);
  else io.stdout(render(rows, io));
  if (found.dropped > 0) io.stderr(`${found.dropped} launches of further interpreters had no room\n`);
  return 0;
}

function plain({ firstSeenUs, lastSeenUs, ...row }: InventoryRow): object {
  return { ...row, firstSeen: formatTimeUs(firstSeenUs), lastSeen: formatTimeUs(lastSeenUs) };
}

function render(rows: readonly InventoryRow[], io: Io): string {
  if (rows.length === 0) return 'no interpreter ran\n';
  const hosts = [...new Set(rows.map(({ host }) => host))];
  const lines = [`${rows.length} interpreters on ${hosts.length} hosts`, ''];
  for (const host of hosts) {
    const own = rows.filter((row) => row.host === host);
    lines.push(paint(io, 'bold', `host ${printable(host)}  ${own[0]?.platform ?? ''}`));
    for (const row of own) lines.push(...rowLines(row, io), '');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

function rowLines(row: InventoryRow, io: Io): string[] {
  const signer = row.signer === null ? '' : `, signed by ${printable(row.signer)}`;
  const version = row.version === null ? '' : ` ${row.version}`;
  const day = (us: number): string => formatTimeUs(us).slice(0, 19);
  return [
    `  ${paint(io, 'cyan', printable(row.interpreter))}  ${row.distribution}${version}${signer}`,
    `    ${row.launches} launches, ${day(row.firstSeenUs)} to ${day(row.lastSeenUs)}`,
    `    by      ${top(row.users)}`,
    `    context ${top(row.contexts)}`,
    `    from    ${top(row.parents)}`,
    `    runs    ${top(row.scripts)}`,
  ];
}

function top(counts: Readonly<Record<string, number>>): string {
  const entries = Object.entries(counts);
  const shown = entries.slice(0, 5).map(([name, count]) => `${printable(name)} ${count}`);
  return `${shown.join(', ')}${entries.length > shown.length ? ', …' : ''}`;
}

const columns = [
  'host',
  'platform',
  'interpreter',
  'distribution',
  'version',
  'tier',
  'signer',
  'firstSeen',
  'lastSeen',
  'launches',
  'users',
  'contexts',
  'parents',
  'scripts',
  'commands',
] as const;

function csvOf(rows: readonly InventoryRow[]): string {
  const lines = rows.map((row) => {
    const values = plain(row) as Readonly<Record<string, unknown>>;
    return columns.map((name) => csvCell(values[name])).join(',');
  });
  return `${[columns.join(','), ...lines].join('\r\n')}\r\n`;
}

/** A cell that a spreadsheet takes as text: a leading formula character is disarmed. */
function csvCell(value: unknown): string {
  const text = printable(cellText(value));
  const safe = /^[=+\-@]/.test(text) && typeof value !== 'number' ? `'${text}` : text;
  return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) return value.join(' | ');
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([name, count]) => `${name} (${count})`)
    .join('; ');
}
