/** `vedette exceptions`: what each approved exception hid on the events of files, and which ask for attention. */
import { parseArgs } from 'node:util';
import { formatTimeUs } from '../core/time.js';
import { createCorrelator } from '../correlator/correlator.js';
import { type Attention, attentionOf } from '../correlator/exception_report.js';
import type { ExceptionUse } from '../correlator/exceptions.js';
import { createSourceReader } from '../source/reader.js';
import { readExceptions } from './exception_file.js';
import { importExceptions } from './exceptions_import.js';
import { resolveInputs } from './input.js';
import { CommandError, type Io, paint, printable } from './io.js';
import { pushFiles, readLines, rulesFor, streamHelp, streamOptions } from './stream.js';

const help = `usage: vedette exceptions --exceptions FILE [OPTION]... [FILE|FOLDER|-]...
       vedette exceptions import FILE --owner WHO --expires DATE --rule ID... [OPTION]...

Checks the exceptions and tells what each hid on the events: how often, where and when, what came back after its expiry,
and which ask for their owner's attention. Without events it only checks. Exits with 1 when an
exception was refused. The second form turns an exception list of
Kibana into an exception file; its --help tells more.

  --exceptions FILE   the exceptions: YAML or JSON
${streamHelp}  --json              one exception a line on stdout, and nothing else there
`;

const options = {
  ...streamOptions,
  exceptions: { type: 'string' },
} as const;

/** Runs the command. Resolves to 0, or to 1 when an exception, or for `import` an item, was refused. */
export async function exceptions(args: string[], io: Io): Promise<number> {
  if (args[0] === 'import') return importExceptions(args.slice(1), io);
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  if (values.help) {
    io.stdout(help);
    return 0;
  }
  if (values.exceptions === undefined)
    throw new CommandError('no exceptions given; name their file with --exceptions FILE');
  const files = await resolveInputs(positionals);
  const rules = await rulesFor(values, io);
  const { exceptions: approved, hasRefused } = await readExceptions(values.exceptions, rules, io);
  const correlator = await createCorrelator({
    rules,
    exceptions: approved,
    lateness: values.lateness,
    memory: values.memory,
    ...(values.host === undefined ? {} : { defaultHost: values.host }),
  });
  const reader = createSourceReader(values.format);
  await pushFiles('exceptions', files, reader, (events) => void correlator.push(events), io);
  correlator.flush();
  const uses = correlator.exceptions();
  // By the newest event: a listing of old events tells what their owner would have been told then.
  const { newestUs } = correlator.stats();
  const attention = newestUs === null ? new Map<string, readonly Attention[]>() : attentionOf(uses, newestUs);
  for (const use of uses) {
    const asked = attention.get(use.exception.id) ?? [];
    io.stdout(values.json ? `${JSON.stringify(plainUse(use, asked))}\n` : render(use, asked, io));
  }
  if (!values.json) io.stdout(mostUsed(uses));
  if (files.length > 0) io.stderr(`${readLines(reader.tally).join('\n')}\n`);
  correlator.close();
  return hasRefused ? 1 : 0;
}

const mostShown = 5;

/** Those that hid most, where several hid anything. */
function mostUsed(uses: readonly ExceptionUse[]): string {
  const used = uses.filter(({ matched }) => matched > 0).sort((a, b) => b.matched - a.matched);
  if (uses.length < 2 || used.length === 0) return '';
  return `hid most: ${used
    .slice(0, mostShown)
    .map(({ exception, matched }) => `${printable(exception.id)} ${matched}`)
    .join(', ')}\n`;
}

/** Times as text, as everywhere outside. */
function plainUse(
  { exception, firstMatchedUs, lastMatchedUs, ...use }: ExceptionUse,
  attention: readonly Attention[],
): object {
  const { createdUs, approvedUs = null, validFromUs, expiresUs, reviewEveryUs, ...told } = exception;
  const time = (us: number | null): string | null => (us === null ? null : formatTimeUs(us));
  return {
    exception: {
      ...told,
      created: time(createdUs),
      approved: time(approvedUs),
      validFrom: time(validFromUs),
      expires: time(expiresUs),
      ...(reviewEveryUs === undefined ? {} : { reviewEverySeconds: reviewEveryUs / 1e6 }),
    },
    ...use,
    firstMatched: time(firstMatchedUs),
    lastMatched: time(lastMatchedUs),
    attention,
  };
}

function render(use: ExceptionUse, attention: readonly Attention[], io: Io): string {
  const { exception, matched, witnesses, matchedByHost, firstMatchedUs, lastMatchedUs, matchedAfterExpiry } = use;
  const day = (us: number): string =>
    formatTimeUs(us)
      .slice(0, 19)
      .replace(/T00:00:00$/, '');
  const lines = [
    `${paint(io, 'bold', printable(exception.id))}  ${printable(exception.title)}`,
    `  owner ${printable(exception.owner)}, from ${day(exception.validFromUs)} until ${day(exception.expiresUs)}, rules ${exception.scope.rules.map(printable).join(', ')}, up to ${exception.maxSeverity}`,
    `  hid ${matched} detections${witnesses > 0 ? ` (${witnesses} witnesses covered)` : ''}${
      firstMatchedUs === null || lastMatchedUs === null
        ? ''
        : `, first ${day(firstMatchedUs)}, last ${day(lastMatchedUs)}`
    }`,
  ];
  const hosts = Object.entries(matchedByHost).map(([host, count]) => `${printable(host)} ${count}`);
  if (use.launches > 0)
    lines.push(`  ${use.launchesCovered} of ${use.launches} launches meet what it says of a launch`);
  if (hosts.length > 0) lines.push(`  hosts ${hosts.slice(0, 10).join(', ')}${hosts.length > 10 ? ', …' : ''}`);
  if (matchedAfterExpiry > 0)
    lines.push(
      paint(
        io,
        'yellow',
        `  expired and still matching: ${matchedAfterExpiry} detections came back; renew it or remove the cause`,
      ),
    );
  for (const { kind, text } of attention)
    if (kind !== 'came_back')
      lines.push(paint(io, kind === 'never_matched' ? 'dim' : 'yellow', `  ${printable(text)}`));
  return `${lines.join('\n')}\n\n`;
}
