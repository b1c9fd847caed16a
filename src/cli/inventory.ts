/** `vedette inventory`: where Python runs, who starts it and from where, by host and interpreter. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { parse } from 'yaml';
import { formatTimeUs } from '../core/time.js';
import { startCorrelator } from '../correlator/correlator.js';
import { exceptionSet } from '../correlator/exceptions.js';
import {
  type Expectations,
  Inventory,
  type InventoryData,
  type InventoryRow,
  inventoryFields,
} from '../correlator/inventory/inventory.js';
import { viewsOf } from '../correlator/inventory/views.js';
import type { Exception } from '../rule/exception.js';
import { createSourceReader } from '../source/reader.js';
import { exceptionsFrom } from './exception_file.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io, paint, printable } from './io.js';
import { pushFiles, readLines, rulesFor, streamHelp, streamOptions } from './stream.js';

const help = `usage: vedette inventory [OPTION]... FILE|FOLDER|-...

Lists the interpreters that ran, by host: distribution, launches, users, launch contexts, parents, scripts, destinations
and autostart items. Secrets in command lines are masked. What is installed and never ran does not appear.

${streamHelp}  --expect FILE       what is declared: roles of hosts, what may run on hosts of a role, and who answers for hosts
                      (YAML or JSON: { roles: { 'db-*': db }, expect: { db: { python: false } }, owners: { 'db-*': dba } })
  --exceptions FILE   approved exceptions: each row names those that its launches meet
  --import FILE       an inventory exported before is added; may be repeated, and needs no events
  --export FILE       writes the whole inventory as JSON
  --json              one interpreter a line on stdout, and nothing else there
  --csv               one interpreter a line, for a spreadsheet
`;

const options = {
  ...streamOptions,
  csv: { type: 'boolean', default: false },
  expect: { type: 'string' },
  exceptions: { type: 'string' },
  import: { type: 'string', multiple: true, default: [] as string[] },
  export: { type: 'string' },
} as const;

/** Runs the command. Resolves to 0. */
export async function inventory(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (values.json && values.csv) throw new CommandError('give one of --json and --csv');
  if (positionals.length === 0 && values.import.length === 0)
    throw new CommandError('no event files given; name files, folders or - for standard input, or --import FILE');
  const files = await resolveInputs(positionals);
  const loaded = await rulesFor(values, io);
  const rules = loaded.filter(({ kind }) => kind === 'behavior');
  if (rules.length === 0) throw new CommandError('no behaviour rules: nothing says what a launch is');
  const approved = values.exceptions === undefined ? [] : await exceptionsFrom(values.exceptions, loaded, io);
  const expectations = values.expect === undefined ? undefined : await expectationsFrom(values.expect);
  const found = new Inventory(expectations, approved);
  for (const path of values.import) found.add((await readJson(path)) as InventoryData);
  const correlator = await startCorrelator(
    {
      rules,
      minSeverity: 'critical',
      lateness: values.lateness,
      memory: values.memory,
      ...(values.host === undefined ? {} : { defaultHost: values.host }),
    },
    {
      keptFields: [...inventoryFields, ...fieldsOf(approved)],
      onWitness: (rule, witness) => found.take(rule, witness),
    },
  );
  const reader = createSourceReader(values.format);
  await pushFiles('inventory', files, reader, (events) => void correlator.push(events), io);
  correlator.flush();
  correlator.close();
  if (values.export !== undefined) await writeJson(values.export, found.export());
  const rows = found.rows();
  if (values.csv) io.stdout(csvOf(rows));
  else if (values.json) for (const row of rows) io.stdout(`${JSON.stringify(plain(row))}\n`);
  else io.stdout(render(rows, io));
  if (files.length > 0) io.stderr(`${readLines(reader.tally).join('\n')}\n`);
  if (found.dropped > 0) io.stderr(`${found.dropped} launches of further interpreters had no room\n`);
  return 0;
}

/** Fields of launches that exceptions ask about; derived ones are kept by nobody and found all the same. */
const fieldsOf = (approved: readonly Exception[]): readonly string[] => exceptionSet(approved)?.fields ?? [];

async function readJson(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new CommandError(`${path}: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable'}`);
  }
}

async function writeJson(path: string, data: InventoryData): Promise<void> {
  await writeFile(path, `${JSON.stringify(data, undefined, 1)}\n`).catch((error: Error) => {
    throw new CommandError(`${path}: ${error.message}`);
  });
}

/** @throws CommandError for a key that there is not, or a value of another type. */
async function expectationsFrom(path: string): Promise<Expectations> {
  const data = await readJson(path);
  const refuse = (what: string): never => {
    throw new CommandError(
      `${path}: ${what}; give { roles: { GLOB: ROLE }, expect: { ROLE: { python, distributions } }, owners: { GLOB: WHO } }`,
    );
  };
  const tableOf = (value: unknown, what: string): Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : refuse(`${what} is no mapping`);
  const { roles = {}, expect = {}, owners = {}, ...others } = tableOf(data, 'the file');
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) refuse(`there is no key "${unknown}"`);
  if (Object.values(tableOf(roles, 'roles')).some((role) => typeof role !== 'string')) refuse('a role is a text');
  if (Object.values(tableOf(owners, 'owners')).some((owner) => typeof owner !== 'string')) refuse('an owner is a text');
  for (const [role, declared] of Object.entries(tableOf(expect, 'expect'))) {
    const [key] = Object.keys(tableOf(declared, role)).filter(
      (name) => !['python', 'distributions', 'criticality'].includes(name),
    );
    if (key !== undefined) refuse(`${role}: there is no key "${key}"`);
  }
  return {
    roles: roles as Expectations['roles'],
    expect: expect as Expectations['expect'],
    owners: owners as Record<string, string>,
  };
}

function plain({ firstSeenUs, lastSeenUs, ...row }: InventoryRow): object {
  return { ...row, firstSeen: formatTimeUs(firstSeenUs), lastSeen: formatTimeUs(lastSeenUs) };
}

const unmanagedShown = 10;

function render(rows: readonly InventoryRow[], io: Io): string {
  if (rows.length === 0) return 'no interpreter ran\n';
  const hosts = [...new Set(rows.map(({ host }) => host))];
  const { unexpected, unmanagedAsRoot, contexts } = viewsOf(rows);
  const lines = [`${rows.length} interpreters on ${hosts.length} hosts; launches by context: ${top(contexts)}`];
  if (unexpected.length > 0)
    lines.push(paint(io, 'yellow', `not expected on ${unexpected.length}: ${unexpected.map(printable).join(', ')}`));
  for (const { host, interpreter } of unmanagedAsRoot.slice(0, unmanagedShown))
    lines.push(
      paint(io, 'yellow', `as an administrator, from no package: ${printable(interpreter)} on ${printable(host)}`),
    );
  if (unmanagedAsRoot.length > unmanagedShown) lines.push(`… and ${unmanagedAsRoot.length - unmanagedShown} more`);
  lines.push('');
  for (const host of hosts) {
    const own = rows.filter((row) => row.host === host);
    const owner = own.find((row) => row.owner !== null)?.owner;
    const answers = owner === undefined || owner === null ? '' : `, owner ${printable(owner)}`;
    lines.push(paint(io, 'bold', `host ${printable(host)}  ${own[0]?.platform ?? ''}${answers}`));
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
    ...optional('sha256 ', row.scriptHashes),
    ...optional('units  ', row.units),
    ...optional('jobs   ', row.jobs),
    ...optional('to     ', row.destinations),
    ...optional('starts ', row.persistence),
    ...optional('except ', row.exceptions),
    ...(row.expected === 'no'
      ? [paint(io, 'yellow', `    not expected on a host of role ${printable(row.role ?? '')}`)]
      : []),
  ];
}

const optional = (title: string, counts: Readonly<Record<string, number>>): string[] =>
  Object.keys(counts).length === 0 ? [] : [`    ${title} ${top(counts)}`];

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
  'scriptHashes',
  'hashes',
  'units',
  'jobs',
  'destinations',
  'persistence',
  'commands',
  'role',
  'expected',
  'owner',
  'exceptions',
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
