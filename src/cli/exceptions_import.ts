/** `vedette exceptions import`: exception lists of Kibana become an exception file with owner, reason and expiry. */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { renderDiagnostic } from '../core/diagnostics.js';
import { nearestName } from '../core/nearest_name.js';
import { importExceptionItems } from '../language/elastic/import_exceptions.js';
import { CommandError, type Io, printableLine } from './io.js';
import { rulesFor } from './stream.js';

const help = `usage: vedette exceptions import FILE --owner WHO --expires DATE --rule ID... [OPTION]...

Turns an exception list that Kibana exported into an exception file. Items that rest only on what a process chooses for
itself, or that say what a condition cannot, are refused by name; the others are written.

  --owner WHO         person or team that answers for the exceptions
  --expires DATE      end of the exceptions, at most 365 days ahead; an item's own sooner expiry stands
  --rule ID           rule that they apply to; may be repeated
  --reason TEXT       why; default: each item's own description
  --approver WHO      who approved the import; needed for --max-severity high and critical
  --ticket ID         where it was agreed
  --hosts GLOB        hosts that they apply to; may be repeated (default: all)
  --max-severity S    worst detection that they hide (default: medium)
  --created DATE      day of the import (default: today)
  --rules PATH        rule file or folder that has the rules; may be repeated (default: the shipped content)
  --out FILE          file to write, which must not be there yet (default: stdout)
`;

const options = {
  owner: { type: 'string' },
  expires: { type: 'string' },
  rule: { type: 'string', multiple: true, default: [] as string[] },
  reason: { type: 'string' },
  approver: { type: 'string' },
  ticket: { type: 'string' },
  hosts: { type: 'string', multiple: true, default: [] as string[] },
  'max-severity': { type: 'string' },
  created: { type: 'string' },
  rules: { type: 'string', multiple: true },
  out: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Runs the command. Resolves to 0, or 1 when an item was refused. */
export async function importExceptions(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  const [path, ...others] = positionals;
  if (path === undefined || others.length > 0) throw new CommandError('name one file that Kibana exported');
  const { owner, expires } = values;
  if (owner === undefined)
    throw new CommandError('no owner given; name who answers for the exceptions with --owner WHO');
  if (expires === undefined) throw new CommandError('no expiry given; say how long they hold with --expires DATE');
  if (values.rule.length === 0) throw new CommandError('no rule given; name what they apply to with --rule ID');
  await checkRules(values.rule, values.rules, io);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
  });
  const { entries, items, problems } = importExceptionItems(
    text,
    {
      owner,
      expires,
      rules: values.rule,
      hosts: values.hosts,
      created: values.created ?? new Date().toISOString().slice(0, 10),
      ...(values.reason === undefined ? {} : { reason: values.reason }),
      ...(values.approver === undefined ? {} : { approver: values.approver }),
      ...(values.ticket === undefined ? {} : { ticket: values.ticket }),
      ...(values['max-severity'] === undefined ? {} : { maxSeverity: values['max-severity'] }),
    },
    path,
  );
  for (const problem of problems) io.stderr(`${renderDiagnostic(problem).split('\n').map(printableLine).join('\n')}\n`);
  if (entries.length > 0) await write(stringify({ exceptions: entries }, { lineWidth: 0 }), values.out, io);
  io.stderr(
    `${entries.length} of ${items} items imported${entries.length < items ? '; the others hide nothing' : ''}\n`,
  );
  return entries.length === items && items > 0 ? 0 : 1;
}

async function checkRules(wanted: readonly string[], paths: readonly string[] | undefined, io: Io): Promise<void> {
  const known = (await rulesFor(paths === undefined ? {} : { rules: paths }, io)).map(({ id }) => id);
  const unknown = wanted.find((id) => !known.includes(id));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known) ?? known.slice(0, 8).join(', ');
  throw new CommandError(`--rule: there is no rule "${unknown}"; there is ${nearest}`);
}

async function write(text: string, path: string | undefined, io: Io): Promise<void> {
  if (path === undefined) {
    io.stdout(text);
    return;
  }
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(
      `${path}: ${error.code === 'EEXIST' ? 'is there already; name another file' : error.message}`,
    );
  });
}
