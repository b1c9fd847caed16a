/**
 * ESXi text logs, plain or behind a syslog prefix: typed shell commands (`shell.log`), dispatched management commands
 * (`hostd.log`), logins (`auth.log`, sshd) and observations (`vobd.log`). Only typed lines are logged: what a script or
 * an interpreter starts is not.
 */
import { splitPosix } from './arguments.js';
import { baseName, type CanonicalEvent, canonicalEvent, type EventClass, type TextSource } from './source.js';

const time =
  '(?:<\\d+>)?(?:\\d )?(?<time>\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(?:\\.\\d+)?Z?|[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d)';
const level = '(?:\\s+\\w+\\(\\d+\\))?';
const host = '(?:\\s+(?<host>[A-Za-z0-9][\\w.-]*)(?=\\s+\\w+(?:\\[|:)))?';

const shellLine = new RegExp(
  `^${time}${level}${host}${level}\\s+(?:shell|ESXShell|bash|ash)\\[(?<world>\\d+)\\]:?\\s*(?:\\[(?<user>[^\\]]*)\\]:?|-->)\\s*(?<text>.*)$`,
);
const loginLine = new RegExp(
  `^${time}${level}${host}${level}\\s+(?:sshd|sshd-session)\\[(?<world>\\d+)\\]:?\\s*(?<text>.*)$`,
);
const managementLine = new RegExp(
  `^${time}${level}${host}.*?\\b(?:hostd|Hostd|vpxa|Vpxa)(?:\\[[\\w]+\\])?:?\\s*(?<text>.*)$`,
);
const observationLine = new RegExp(`^${time}${level}${host}.*?\\bvobd(?:\\[\\w+\\])?:?\\s*(?<text>.*)$`);

type Groups = Readonly<Record<string, string | undefined>>;

export const esxi: TextSource = {
  kind: 'esxi',
  title: 'VMware ESXi logs (shell.log, hostd.log, auth.log, vobd.log)',
  recognises: (line) => eventOf(line) !== undefined,
  createParser: () => {
    let year = yearUnknown;
    return {
      line: (line) => {
        const event = parseLine(line, year);
        year = /^\d{4}/.exec(String(event?.['@timestamp'] ?? ''))?.[0] ?? year;
        return event === undefined ? [] : [event];
      },
      end: () => [],
    };
  },
};

/** Times of RFC 3164 have no year: that of the line before counts, and this one where no line had any. */
const yearUnknown = '1970';
const months = 'JanFebMarAprMayJunJulAugSepOctNovDec';

function timestampOf(written: string, year: string): string {
  const match = /^([A-Z][a-z]{2}) ([ \d]\d) (\S+)$/.exec(written);
  if (match === null) return written.endsWith('Z') ? written : `${written}Z`;
  const [, name = '', day = '', clock = ''] = match;
  const month = String(months.indexOf(name) / 3 + 1).padStart(2, '0');
  return `${year}-${month}-${day.trim().padStart(2, '0')}T${clock}Z`;
}

function parseLine(line: string, year: string): CanonicalEvent | undefined {
  const event = eventOf(line);
  const written = event?.['@timestamp'];
  return typeof written === 'string' ? { ...event, '@timestamp': timestampOf(written, year) } : event;
}

function eventOf(line: string): CanonicalEvent | undefined {
  const shell = shellLine.exec(line)?.groups;
  if (shell !== undefined) return shellCommand(shell);
  const login = loginLine.exec(line)?.groups;
  if (login !== undefined) return loginEvent(login);
  const observation = observationLine.exec(line)?.groups;
  if (observation !== undefined)
    return build(observation, 'telemetry_health', { 'event.action': observationName(observation) });
  const management = managementLine.exec(line)?.groups;
  return management === undefined ? undefined : managementCommand(management);
}

function build(groups: Groups, eventClass: EventClass, fields: CanonicalEvent): CanonicalEvent {
  return canonicalEvent('esxi', eventClass, {
    '@timestamp': groups['time'],
    'host.name': groups['host'],
    'host.os.type': 'esxi',
    'x.session.id': groups['world'],
    ...fields,
  });
}

function shellCommand(groups: Groups): CanonicalEvent {
  const command = groups['text'] ?? '';
  const { args, isBalanced } = splitPosix(command);
  return build(groups, 'shell_command', {
    'user.name': groups['user'],
    'process.command_line': command,
    'process.args': args,
    'process.args_count': args.length,
    'process.name': baseName(args[0]),
    'x.process.args_quality': isBalanced ? 'split' : 'unbalanced',
  });
}

function loginEvent(groups: Groups): CanonicalEvent {
  const message = groups['text'] ?? '';
  const accepted = /^Accepted (\S+) for (\S+) from (\S+)/.exec(message);
  const opened = /session opened for (?:local )?user '?([\w.-]+)/.exec(message);
  const failed = /^Failed (\S+) for (?:invalid user )?(\S+) from (\S+)/.exec(message);
  const [, method, user, address] = accepted ?? failed ?? [];
  if (user === undefined && opened === null) return build(groups, 'other', { 'event.action': 'sshd' });
  return build(groups, 'auth_login', {
    'event.outcome': failed === null ? 'success' : 'failure',
    'user.name': user ?? opened?.[1],
    'source.ip': address,
    'x.auth.method': method ?? 'ssh',
  });
}

/** A dispatched command names its user; other lines of the daemon carry no action of a person. */
function managementCommand(groups: Groups): CanonicalEvent {
  const message = groups['text'] ?? '';
  const user = /\buser=([^\]\s:]+)/.exec(message)?.[1];
  const command = /\bDispatch(?:ing)?\s+(.*)$/.exec(message)?.[1];
  if (user !== undefined && command !== undefined)
    return build(groups, 'mgmt_command', { 'user.name': user, 'process.command_line': command });
  const login = /User (\S+?)@([\d.]+) logged in/.exec(message);
  if (login !== null)
    return build(groups, 'auth_login', {
      'event.outcome': 'success',
      'user.name': login[1],
      'source.ip': login[2],
      'x.auth.method': 'api',
    });
  return build(groups, 'other', { 'event.action': 'hostd' });
}

function observationName(groups: Groups): string {
  return /\[(?:esx|vob)\.[\w.]+\]/.exec(groups['text'] ?? '')?.[0].slice(1, -1) ?? 'vobd';
}
