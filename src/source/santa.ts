/** Santa's telemetry as JSON: one key names the event; `exec` carries the new image in `target`, arguments in base64. */
import { base64Text } from '../core/base64.js';
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

export const santa: RecordSource = {
  kind: 'santa',
  title: 'Santa telemetry (JSON)',
  recognises: (record) => subjectOf(record) !== undefined || wrapped(record) !== undefined,
  normalise: (record) => {
    const inner = wrapped(record);
    const message = inner?.body ?? record;
    const [eventClass, fields] = classify(inner?.name, message);
    const time = text(record['event_time']) ?? text(record['processed_time']);
    const host = text(record['machine_id']);
    return [
      canonicalEvent('santa', eventClass, {
        '@timestamp': time,
        'host.id': host,
        'host.os.type': 'macos',
        'event.id': text(record['event_id']),
        ...fields,
      }),
    ];
  },
};

/** The subject of a bare message, such as the recorded fixtures hold. */
function subjectOf(record: SourceRecord): SourceRecord | undefined {
  const instigator = branch(record, 'instigator');
  return branch(instigator, 'id')['pidversion'] === undefined ? undefined : instigator;
}

/** The message's name and body when the record is the whole Santa envelope or names its event. */
function wrapped(record: SourceRecord): { name: string; body: SourceRecord } | undefined {
  for (const [name, value] of Object.entries(record)) {
    const body = branch(value);
    if (name !== 'instigator' && subjectOf(body) !== undefined) return { name, body };
  }
  return undefined;
}

function classify(name: string | undefined, message: SourceRecord): readonly [EventClass, CanonicalEvent] {
  const instigator = processFields(branch(message, 'instigator'));
  if (message['args'] !== undefined || name === 'execution') return ['process_exec', execution(message)];
  if (message['child'] !== undefined) return ['process_fork', processFields(branch(message, 'child'))];
  if (message['exited'] !== undefined || message['signaled'] !== undefined) return ['process_exit', instigator];
  if (message['item_type'] !== undefined) return launchItem(message);
  const target = message['target'];
  const path = text(target) ?? text(branch(target)['path']);
  if (message['source'] !== undefined && message['target_existed'] !== undefined)
    return [
      'file_rename',
      { ...instigator, ...fileFields(path), 'file.Ext.original.path': text(branch(message, 'source')['path']) },
    ];
  if (message['modified'] === true)
    return ['file_write', { ...instigator, ...fileFields(path), 'x.file.op': 'modify' }];
  if (name === 'unlink') return ['file_delete', { ...instigator, ...fileFields(path) }];
  if (name === 'file_access') return ['file_read', { ...instigator, ...fileFields(path) }];
  return ['other', { ...instigator, ...fileFields(path), 'event.action': name ?? 'santa_event' }];
}

function processFields(santa: SourceRecord): CanonicalEvent {
  const executable = text(branch(santa, 'executable')['path']);
  return {
    'process.pid': number(branch(santa, 'id')['pid']),
    'x.process.pidversion': number(branch(santa, 'id')['pidversion']),
    'process.parent.pid': number(branch(santa, 'parent_id')['pid']),
    'x.process.original_ppid': number(santa['original_parent_pid']),
    'process.start': text(santa['start_time']),
    'process.executable': executable,
    'process.name': baseName(executable),
    'process.code_signature.signing_id': text(branch(santa, 'code_signature')['signing_id']),
    'process.code_signature.team_id': text(branch(santa, 'code_signature')['team_id']),
    'user.id': text(branch(santa, 'effective_user')['uid']),
    'user.name': text(branch(santa, 'effective_user')['name']),
    'user.Ext.real.id': text(branch(santa, 'real_user')['uid']),
  };
}

function execution(message: SourceRecord): CanonicalEvent {
  const args = Array.isArray(message['args']) ? message['args'].map((arg) => base64Text(String(arg))) : [];
  return {
    ...processFields(branch(message, 'target')),
    'process.args': args,
    'process.args_count': args.length,
    'process.command_line': args.join(' '),
    'process.working_directory': text(branch(message, 'working_directory')['path']),
    'process.Ext.script.path': text(branch(message, 'script')['path']),
    'process.previous.executable': text(branch(message, 'instigator', 'executable')['path']),
  };
}

function launchItem(message: SourceRecord): readonly [EventClass, CanonicalEvent] {
  const trigger = branch(message, 'trigger_process');
  const path = text(message['item_path']);
  const isAdded = message['action'] === 'ACTION_ADD';
  return [
    isAdded ? 'persistence_item' : 'other',
    {
      ...processFields(trigger),
      ...fileFields(path),
      'event.action': isAdded ? 'launch_daemon' : 'launch_item_remove',
      'Persistence.path': path,
      'Persistence.executable': text(message['executable_path']),
      'x.persistence.kind': text(message['item_type'])
        ?.replace(/^ITEM_TYPE_/, '')
        .toLowerCase(),
    },
  ];
}
