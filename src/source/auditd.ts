/**
 * Linux audit records as text: raw `audit.log` lines and the one-line form of the OMS agent (`AUOMS_…`). Records of
 * one event share `audit(time:serial)`; a group ends when another serial of the same node begins.
 */
import {
  baseName,
  type CanonicalEvent,
  canonicalEvent,
  type EventClass,
  fileFields,
  number,
  type TextParser,
  type TextSource,
} from './source.js';

/** One record: its type and its `key=value` fields, as written. */
interface AuditRecord {
  readonly type: string;
  readonly fields: ReadonlyMap<string, string>;
}

const header = /type=(\w+) (?:msg=)?audit\((\d+(?:\.\d+)?):(\d+)\):?\s*(.*)$/s;

export const auditdText: TextSource = {
  kind: 'auditd',
  title: 'Linux audit (audit.log text)',
  recognises: (line) => header.test(line),
  createParser: createAuditParser,
};

/** Groups lines into events. Groups of several nodes may interleave; a node's groups come in order. */
export function createAuditParser(): TextParser {
  const open = new Map<string, { serial: string; time: string; records: AuditRecord[] }>();
  const close = (node: string): CanonicalEvent[] => {
    const group = open.get(node);
    open.delete(node);
    return group === undefined ? [] : [auditEvent(group.time, group.serial, node, group.records)];
  };
  return {
    line(line) {
      const [, type, time, serial, body] = header.exec(line) ?? [];
      if (type === undefined || time === undefined || serial === undefined) return [];
      const node = /^node=(\S+)/.exec(line)?.[1] ?? /\bnode=(\S+)/.exec(body ?? '')?.[1] ?? '';
      const previous = open.get(node);
      const done = previous !== undefined && previous.serial !== serial ? close(node) : [];
      const group = open.get(node) ?? { serial, time, records: [] };
      open.set(node, group);
      if (type === 'EOE') return [...done, ...close(node)];
      group.records.push({ type: type.replace(/^AUOMS_/, ''), fields: parseFields(body ?? '') });
      return done;
    },
    end: () => [...open.keys()].flatMap(close),
  };
}

/** A quoted value is literal; `msg='…'` holds further fields. */
function parseFields(body: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, name, quoted, nested, bare] of body.matchAll(/(\w[\w[\]-]*)=(?:"([^"]*)"|'([^']*)'|(\S*))/g)) {
    if (nested !== undefined) for (const [key, value] of parseFields(nested)) fields.set(key, value);
    else if (name !== undefined && !fields.has(name))
      fields.set(name, quoted !== undefined ? `"${quoted}` : (bare ?? ''));
  }
  return fields;
}

/** Decodes a value: after a quote it is literal, an unquoted even-length run of hex digits is encoded bytes. */
function decode(value: string | undefined): string | undefined {
  if (value === undefined || value === '(null)' || value === '(none)' || value === '?') return undefined;
  if (value.startsWith('"')) return value.slice(1);
  if (value.length >= 2 && value.length % 2 === 0 && /^[0-9A-Fa-f]+$/.test(value)) {
    const bytes = new Uint8Array(value.length / 2);
    for (let index = 0; index < bytes.length; index++)
      bytes[index] = Number.parseInt(value.slice(2 * index, 2 * index + 2), 16);
    return new TextDecoder().decode(bytes);
  }
  return value;
}

const systemCalls: Readonly<Record<string, string>> = {
  2: 'open',
  42: 'connect',
  43: 'accept',
  56: 'clone',
  57: 'fork',
  58: 'vfork',
  59: 'execve',
  76: 'truncate',
  82: 'rename',
  83: 'mkdir',
  85: 'creat',
  87: 'unlink',
  90: 'chmod',
  101: 'ptrace',
  231: 'exit_group',
  257: 'openat',
  263: 'unlinkat',
  264: 'renameat',
  288: 'accept4',
  311: 'process_vm_writev',
  316: 'renameat2',
  319: 'memfd_create',
  322: 'execveat',
  435: 'clone3',
  437: 'openat2',
};

function auditEvent(time: string, serial: string, node: string, records: readonly AuditRecord[]): CanonicalEvent {
  const find = (type: string): ReadonlyMap<string, string> | undefined =>
    records.find((record) => record.type === type)?.fields;
  const call = find('SYSCALL') ?? find('EXECVE') ?? new Map<string, string>();
  const name = systemCalls[call.get('syscall') ?? ''] ?? call.get('syscall') ?? '';
  const executed = find('EXECVE');
  const eventClass = executed !== undefined ? 'process_exec' : classOf(name, records);
  return canonicalEvent('auditd', eventClass, {
    '@timestamp': Number(time),
    'event.id': `${node}:${time}:${serial}`,
    'event.sequence': number(serial),
    'event.outcome':
      call.get('success') === undefined ? undefined : call.get('success') === 'yes' ? 'success' : 'failure',
    'host.name': node,
    'host.os.type': 'linux',
    ...(eventClass === 'other' ? { 'event.action': name || (records[0]?.type ?? 'audit').toLowerCase() } : {}),
    ...processFields(call),
    ...(executed === undefined ? {} : argumentFields(executed, find('PROCTITLE'))),
    'process.working_directory': decode((find('CWD') ?? call).get('cwd')),
    ...pathFields(records, decode((find('CWD') ?? call).get('cwd')), eventClass),
    ...socketFields(find('SOCKADDR')),
  });
}

function classOf(call: string, records: readonly AuditRecord[]): EventClass {
  if (/^(clone3?|fork|vfork)$/.test(call)) return 'process_fork';
  if (/^exit/.test(call)) return 'process_exit';
  if (call === 'connect') return 'net_connect';
  if (/^accept/.test(call)) return 'net_accept';
  if (/^rename/.test(call)) return 'file_rename';
  if (/^unlink/.test(call)) return 'file_delete';
  if (/^(ptrace|process_vm_writev|memfd_create)$/.test(call)) return 'proc_access';
  if (/^(open|creat|truncate)/.test(call))
    return call === 'creat' || records.some(({ fields }) => fields.get('nametype') === 'CREATE')
      ? 'file_write'
      : 'file_read';
  return records.some(({ type }) => type === 'USER_LOGIN' || type === 'USER_START') ? 'auth_login' : 'other';
}

function processFields(call: ReadonlyMap<string, string>): CanonicalEvent {
  const executable = decode(call.get('exe'));
  const auditId = call.get('auid');
  return {
    'process.pid': number(call.get('pid')),
    'process.parent.pid': number(call.get('ppid')),
    'process.executable': executable,
    'process.name': baseName(executable),
    'process.tty': decode(call.get('tty')),
    'user.id': call.get('euid') ?? call.get('uid'),
    'user.name': call.get('effective_user') ?? call.get('user'),
    'user.Ext.real.id': call.get('uid'),
    // 4294967295 is the kernel's -1: the audit id was never set.
    'x.user.audit_id': auditId === '4294967295' || auditId === '-1' ? 'unset' : auditId,
    'x.session.id': call.get('ses'),
  };
}

/** Arguments in numeric order; long ones come in parts (`a1[0]`, `a1[1]`). The title is the fallback. */
function argumentFields(
  executed: ReadonlyMap<string, string>,
  title: ReadonlyMap<string, string> | undefined,
): CanonicalEvent {
  const args: string[] = [];
  for (let index = 0; executed.has(`a${index}`) || executed.has(`a${index}[0]`); index++) {
    let value = executed.get(`a${index}`);
    for (let part = 0; executed.has(`a${index}[${part}]`); part++)
      value = (value ?? '') + executed.get(`a${index}[${part}]`);
    args.push(decode(value) ?? '');
  }
  const isNative = executed.has('argc');
  const titleText = decode(title?.get('proctitle') ?? executed.get('proctitle'))?.replace(/\0/g, ' ');
  const commandLine = isNative ? args.join(' ') : (executed.get('cmdline') ?? titleText);
  return {
    'process.args': isNative ? args : undefined,
    'process.args_count': isNative ? args.length : undefined,
    'process.command_line': commandLine,
  };
}

function pathFields(
  records: readonly AuditRecord[],
  folder: string | undefined,
  eventClass: EventClass,
): CanonicalEvent {
  if (eventClass === 'process_exec') return {};
  const paths = records.filter(({ type }) => type === 'PATH').map(({ fields }) => fields);
  const wanted = { file_write: 'CREATE', file_rename: 'CREATE', file_delete: 'DELETE' }[eventClass as string];
  const chosen = paths.find((path) => path.get('nametype') === wanted) ?? paths.at(-1);
  const name = decode(chosen?.get('name'));
  if (name === undefined) return {};
  const path = name.startsWith('/') || folder === undefined ? name : `${folder.replace(/\/$/, '')}/${name}`;
  const isCreated = chosen?.get('nametype') === 'CREATE' && eventClass === 'file_write';
  return {
    ...fileFields(path),
    ...(isCreated ? { 'x.file.op': 'create', 'event.type': 'creation', 'event.action': 'creation' } : {}),
  };
}

/** `saddr` is the raw socket address: family in host order, port and address in network order. */
function socketFields(record: ReadonlyMap<string, string> | undefined): CanonicalEvent {
  const raw = record?.get('saddr');
  if (raw === undefined || !/^[0-9A-Fa-f]{16,}$/.test(raw)) return {};
  const byte = (index: number): number => Number.parseInt(raw.slice(2 * index, 2 * index + 2), 16);
  const family = byte(0);
  const port = byte(2) * 256 + byte(3);
  if (family === 2)
    return {
      'destination.ip': [4, 5, 6, 7].map(byte).join('.'),
      'destination.port': port,
      'network.direction': 'egress',
    };
  if (family !== 10 || raw.length < 48) return {};
  const groups = Array.from({ length: 8 }, (_, index) =>
    (byte(8 + 2 * index) * 256 + byte(9 + 2 * index)).toString(16),
  );
  return { 'destination.ip': groups.join(':'), 'destination.port': port, 'network.direction': 'egress' };
}
