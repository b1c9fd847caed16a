/** Tetragon's JSON: `process_exec`, `process_exit`, `process_kprobe` and others, one key names the event. */
import { splitPosix } from './arguments.js';
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

const eventKeys = [
  'process_exec',
  'process_exit',
  'process_kprobe',
  'process_tracepoint',
  'process_lsm',
  'process_loader',
];

export const tetragon: RecordSource = {
  kind: 'tetragon',
  title: 'Tetragon (JSON export)',
  recognises: (record) => eventKeys.some((key) => branch(record, key, 'process')['exec_id'] !== undefined),
  normalise: (record) => {
    const key = eventKeys.find((name) => record[name] !== undefined) as string;
    const body = branch(record, key);
    const [eventClass, fields] = classify(key, body);
    return [
      canonicalEvent('tetragon', eventClass, {
        '@timestamp': text(record['time']) ?? text(branch(body, 'process')['start_time']),
        'host.id': text(record['node_name']),
        'host.name': text(record['node_name']),
        'host.os.type': 'linux',
        ...processFields(branch(body, 'process'), branch(body, 'parent')),
        ...fields,
      }),
    ];
  },
};

function processFields(process: SourceRecord, parent: SourceRecord): CanonicalEvent {
  const executable = text(process['binary']);
  const parentExecutable = text(parent['binary']);
  const argumentText = text(process['arguments']);
  const args = executable === undefined ? [] : [executable, ...splitPosix(argumentText ?? '').args];
  const flags = text(process['flags'])?.split(' ') ?? [];
  return {
    'process.entity_id': text(process['exec_id']),
    'process.pid': number(process['pid']),
    'process.start': text(process['start_time']),
    'process.executable': executable,
    'process.name': baseName(executable),
    'process.args': args,
    'process.args_count': args.length,
    'process.command_line': executable === undefined ? undefined : [executable, argumentText].filter(Boolean).join(' '),
    'x.process.args_quality': 'split',
    'x.process.command_line_truncated': flags.includes('truncArgs') || undefined,
    'process.working_directory': text(process['cwd']),
    'process.parent.entity_id': text(process['parent_exec_id']) ?? text(parent['exec_id']),
    'process.parent.pid': number(parent['pid']),
    'process.parent.executable': parentExecutable,
    'process.parent.name': baseName(parentExecutable),
    'user.id': text(process['uid']),
    'x.user.audit_id': process['auid'] === 4294967295 ? 'unset' : text(process['auid']),
    'container.id': text(branch(process, 'pod', 'container')['id']),
  };
}

/** A new image without `clone` replaced the old one in place: same pid, same incarnation. */
function execFields(process: SourceRecord): CanonicalEvent {
  const isInPlace = !(text(process['flags']) ?? '').split(' ').includes('clone');
  return { 'x.process.in_place': isInPlace || undefined };
}

function classify(key: string, body: SourceRecord): readonly [EventClass, CanonicalEvent] {
  if (key === 'process_exec') return ['process_exec', execFields(branch(body, 'process'))];
  if (key === 'process_exit') return ['process_exit', { 'process.exit_code': number(body['status']) }];
  if (key === 'process_loader')
    return ['module_load', { 'dll.path': text(body['path']), 'dll.name': baseName(text(body['path'])) }];
  const call = text(body['function_name']) ?? text(body['event']) ?? key;
  const args = Array.isArray(body['args']) ? body['args'].map((arg) => branch(arg)) : [];
  const socket = args.map((arg) => branch(arg, 'sock_arg')).find((arg) => arg['daddr'] !== undefined);
  if (call === 'tcp_connect' && socket !== undefined)
    return [
      'net_connect',
      {
        'destination.ip': text(socket['daddr']),
        'destination.port': number(socket['dport']),
        'source.ip': text(socket['saddr']),
        'source.port': number(socket['sport']),
        'network.transport': text(socket['protocol'])
          ?.replace(/^IPPROTO_/, '')
          .toLowerCase(),
        'network.direction': 'egress',
      },
    ];
  const path = args
    .map((arg) => text(branch(arg, 'file_arg')['path']) ?? text(branch(arg, 'path_arg')['path']))
    .find(Boolean);
  if (path !== undefined) return [fileClass(call, args), fileFields(path)];
  if (call.includes('ptrace')) return ['proc_access', { 'event.action': 'ptrace' }];
  return ['other', { 'event.action': call }];
}

const mayWrite = 2;

function fileClass(call: string, args: readonly SourceRecord[]): EventClass {
  if (call.includes('unlink')) return 'file_delete';
  if (call.includes('rename')) return 'file_rename';
  const mask = args.map((arg) => number(arg['int_arg'])).find((value) => value !== undefined);
  return mask !== undefined && (mask & mayWrite) !== 0 ? 'file_write' : 'file_read';
}
