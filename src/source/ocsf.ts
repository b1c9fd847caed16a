/** OCSF 1.x: process (1007), file (1001), module (1005), network (4001), DNS (4003), SSH and authentication, registry. */
import { commandLineFields } from './arguments.js';
import {
  baseName,
  branch,
  type CanonicalEvent,
  canonicalEvent,
  type EventClass,
  fileFields,
  number,
  type RecordSource,
  type SourceRecord,
  text,
} from './source.js';

export const ocsf: RecordSource = {
  kind: 'ocsf',
  title: 'OCSF 1.x',
  recognises: (record) => number(record['class_uid']) !== undefined && record['activity_id'] !== undefined,
  normalise: (record) => {
    const classId = number(record['class_uid']) ?? 0;
    const activityId = number(record['activity_id']) ?? 0;
    const eventClass = classes[classId]?.[activityId] ?? 'other';
    const isProcess = classId === 1007;
    const subject = isProcess && activityId === 1 ? branch(record, 'process') : branch(record, 'actor', 'process');
    const parent =
      isProcess && activityId === 1 ? branch(record, 'actor', 'process') : branch(subject, 'parent_process');
    return [
      canonicalEvent('ocsf', eventClass, {
        ...(eventClass === 'other' ? { 'event.action': `ocsf:${classId}:${activityId}` } : {}),
        ...hostFields(record),
        ...processFields(subject, parent, hostPlatform(record) === 'windows'),
        ...objectFields(record),
      }),
    ];
  },
};

/** Class, then activity, to canonical class. What is not listed is `other`. */
const classes: Readonly<Record<number, Readonly<Record<number, EventClass>>>> = {
  1001: { 1: 'file_write', 2: 'file_read', 3: 'file_write', 4: 'file_delete', 5: 'file_rename', 14: 'file_read' },
  1005: { 1: 'module_load' },
  1006: { 1: 'persistence_item' },
  1007: { 1: 'process_exec', 2: 'process_exit', 3: 'proc_access', 4: 'proc_access' },
  3002: { 1: 'auth_login' },
  4001: { 1: 'net_connect' },
  4003: { 1: 'dns_query' },
  4007: { 1: 'auth_login' },
  201002: { 1: 'registry_set', 3: 'registry_set' },
  201004: { 1: 'persistence_item' },
};

function hostPlatform(record: SourceRecord): string | undefined {
  const name = (
    text(branch(record, 'device', 'os')['type']) ??
    text(branch(record, 'device', 'os')['name']) ??
    ''
  ).toLowerCase();
  return ['windows', 'macos', 'linux', 'esxi'].find((platform) => name.includes(platform)) ?? (name || undefined);
}

function hostFields(record: SourceRecord): CanonicalEvent {
  const device = branch(record, 'device');
  return {
    // OCSF's time is epoch milliseconds.
    '@timestamp': number(record['time']) ?? text(record['time']),
    'event.id': text(branch(record, 'metadata')['uid']),
    'event.sequence': number(branch(record, 'metadata')['sequence']),
    'event.outcome': text(record['status'])?.toLowerCase(),
    'host.id': text(device['uid']) ?? text(device['os_machine_uuid']) ?? text(device['hostname']),
    'host.name': text(device['hostname']) ?? text(device['name']),
    'host.os.type': hostPlatform(record),
    'user.name': text(branch(record, 'actor', 'user')['name']) ?? text(branch(record, 'user')['name']),
    'user.id': text(branch(record, 'actor', 'user')['uid']),
  };
}

function processFields(process: SourceRecord, parent: SourceRecord, isWindows: boolean): CanonicalEvent {
  const executable = text(branch(process, 'file')['path']) ?? text(process['path']);
  const parentExecutable = text(branch(parent, 'file')['path']) ?? text(parent['path']);
  const user = branch(process, 'user');
  return {
    'process.entity_id': text(process['uid']) ?? text(process['cpid']),
    'process.pid': number(process['pid']),
    'process.start': process['created_time'],
    'process.executable': executable,
    'process.name': baseName(executable) ?? text(process['name']),
    ...commandLineFields(text(process['cmd_line']), isWindows),
    'process.working_directory': text(process['working_directory']),
    'process.parent.entity_id': text(parent['uid']) ?? text(parent['cpid']),
    'process.parent.pid': number(parent['pid']),
    'process.parent.executable': parentExecutable,
    'process.parent.name': baseName(parentExecutable) ?? text(parent['name']),
    'process.parent.command_line': text(parent['cmd_line']),
    ...(text(user['name']) === undefined ? {} : { 'user.name': text(user['name']), 'user.id': text(user['uid']) }),
  };
}

function objectFields(record: SourceRecord): CanonicalEvent {
  const renamed = text(branch(record, 'file_result')['path']);
  const path = renamed ?? text(branch(record, 'file')['path']);
  const destination = branch(record, 'dst_endpoint');
  const source = branch(record, 'src_endpoint');
  const key = text(branch(record, 'reg_value')['path']) ?? text(branch(record, 'reg_key')['path']);
  const value = text(branch(record, 'reg_value')['name']);
  return {
    ...fileFields(path),
    'file.Ext.original.path': renamed === undefined ? undefined : text(branch(record, 'file')['path']),
    'destination.ip': text(destination['ip']),
    'destination.port': number(destination['port']),
    'destination.domain': text(destination['hostname'])?.toLowerCase(),
    'source.ip': text(source['ip']),
    'source.port': number(source['port']),
    'dns.question.name': text(branch(record, 'query')['hostname'])?.toLowerCase().replace(/\.$/, ''),
    'dll.path': text(branch(record, 'module', 'file')['path']),
    'dll.name': baseName(text(branch(record, 'module', 'file')['path'])),
    'registry.path': key === undefined ? undefined : [key, value].filter(Boolean).join('\\'),
    'registry.value': value,
    'registry.data.strings': text(branch(record, 'reg_value')['data']),
    'Persistence.name': text(branch(record, 'job')['name']) ?? text(branch(record, 'win_service')['name']),
    'Persistence.executable':
      text(branch(record, 'job')['cmd_line']) ?? text(branch(record, 'win_service')['cmd_line']),
  };
}
