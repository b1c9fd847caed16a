/**
 * macOS Endpoint Security messages as `eslogger` prints them. The class is the key below `event`, never the integer.
 * For `exec` the subject is `event.exec.target`; the top-level `process` is the same process before the call.
 */
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

export const eslogger: RecordSource = {
  kind: 'eslogger',
  title: 'macOS Endpoint Security (eslogger)',
  recognises: (record) =>
    typeof record['event'] === 'object' && branch(record, 'process', 'audit_token')['pid'] !== undefined,
  normalise: (record) => {
    const [[name, body] = ['unknown', {}]] = Object.entries(branch(record, 'event'));
    const mapped = mappings[name]?.(branch(body), record);
    if (mapped === null) return [];
    const [eventClass, fields] = mapped ?? (['other', { 'event.action': name }] as const);
    return [canonicalEvent('eslogger', eventClass, { ...common(record, eventClass), ...fields })];
  },
};

/** `null`: recognised and says nothing on its own, such as a close without modification. */
type Mapping = (body: SourceRecord, record: SourceRecord) => readonly [EventClass, CanonicalEvent] | null;

function common(record: SourceRecord, eventClass: EventClass): CanonicalEvent {
  return {
    '@timestamp': text(record['time']),
    'event.sequence': number(record['global_seq_num']),
    'host.os.type': 'macos',
    ...(eventClass === 'process_exec' ? {} : process(branch(record, 'process'))),
  };
}

/** Identity is pid and pidversion: the version grows at each exec, the pid stays. */
function process(es: SourceRecord, prefix = 'process'): CanonicalEvent {
  const token = branch(es, 'audit_token');
  const executable = text(branch(es, 'executable')['path']);
  const parent = branch(es, 'parent_audit_token');
  const fields: CanonicalEvent = {
    [`${prefix}.pid`]: number(token['pid']),
    [`${prefix}.executable`]: executable,
    [`${prefix}.name`]: baseName(executable),
    [`${prefix}.start`]: text(es['start_time']),
    [`${prefix}.code_signature.signing_id`]: text(es['signing_id']),
    [`${prefix}.code_signature.team_id`]: text(es['team_id']),
  };
  if (prefix !== 'process') return fields;
  return {
    ...fields,
    'x.process.pidversion': number(token['pidversion']),
    'process.parent.pid': number(parent['pid']) ?? number(es['ppid']),
    'x.process.original_ppid': number(es['original_ppid']),
    'process.tty': text(branch(es, 'tty')['path']),
    'user.id': text(token['euid']),
    'user.Ext.real.id': text(token['ruid']),
    'x.user.audit_id': text(token['auid']),
  };
}

/** A destination that exists already, or a folder and a new name. */
function destination(body: SourceRecord): string | undefined {
  const target = branch(body, 'destination');
  const existing = text(branch(target, 'existing_file')['path']);
  if (existing !== undefined) return existing;
  const created = branch(target, 'new_path');
  const folder = text(branch(created, 'dir')['path']);
  return folder === undefined ? undefined : `${folder.replace(/\/$/, '')}/${text(created['filename']) ?? ''}`;
}

function exec(body: SourceRecord, record: SourceRecord): readonly [EventClass, CanonicalEvent] {
  const args = Array.isArray(body['args']) ? body['args'].map(String) : [];
  return [
    'process_exec',
    {
      ...process(branch(body, 'target')),
      'process.args': args,
      'process.args_count': args.length,
      'process.command_line': args.join(' '),
      'process.working_directory': text(branch(body, 'cwd')['path']),
      'process.Ext.script.path': text(branch(body, 'script')['path']),
      'process.previous.executable': text(branch(record, 'process', 'executable')['path']),
    },
  ];
}

function fork(body: SourceRecord, record: SourceRecord): readonly [EventClass, CanonicalEvent] {
  const parent = branch(record, 'process', 'audit_token');
  return ['process_fork', { ...process(branch(body, 'child')), 'process.parent.pid': number(parent['pid']) }];
}

function write(path: string | undefined, op: 'create' | 'modify'): readonly [EventClass, CanonicalEvent] {
  const created = op === 'create' ? { 'event.type': 'creation', 'event.action': 'creation' } : {};
  return ['file_write', { ...fileFields(path), ...created, 'x.file.op': op }];
}

function launchItem(body: SourceRecord): readonly [EventClass, CanonicalEvent] {
  const item = branch(body, 'item');
  const kinds = ['user', 'app', 'login_item', 'agent', 'daemon'];
  const instigator = branch(body, 'instigator');
  const path = itemPath(text(item['item_url']), text(item['app_url']));
  return [
    'persistence_item',
    {
      ...(instigator['audit_token'] === undefined ? withoutSubject : process(instigator)),
      ...fileFields(path),
      'Persistence.path': path,
      'Persistence.executable': text(body['executable_path']),
      'x.persistence.kind': kinds[number(item['item_type']) ?? -1],
      'x.persistence.instigator': text(branch(instigator, 'executable')['path']),
    },
  ];
}

/** The message's own process is the item-tracking service, which did nothing of its own. */
const withoutSubject: CanonicalEvent = {
  'process.pid': undefined,
  'process.executable': undefined,
  'process.name': undefined,
  'x.process.pidversion': undefined,
};

/** Item URLs come percent-encoded, as absolute paths, or relative to their app's bundle. */
function itemPath(url: string | undefined, appUrl: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const decode = (value: string): string => {
    try {
      return decodeURIComponent(value.replace(/^file:\/\/(localhost)?/, ''));
    } catch {
      return value;
    }
  };
  const path = decode(url);
  return path.startsWith('/') || appUrl === undefined ? path : `${decode(appUrl).replace(/\/$/, '')}/${path}`;
}

const mappings: Readonly<Record<string, Mapping>> = {
  exec,
  fork,
  exit: (body) => ['process_exit', { 'process.exit_code': number(body['stat']) }],
  create: (body) => write(destination(body), 'create'),
  close: (body) => (body['modified'] === true ? write(text(branch(body, 'target')['path']), 'modify') : null),
  write: (body) => write(text(branch(body, 'target')['path']), 'modify'),
  truncate: (body) => write(text(branch(body, 'target')['path']), 'modify'),
  clone: (body) =>
    write(`${text(branch(body, 'target_dir')['path']) ?? ''}/${text(body['target_name']) ?? ''}`, 'create'),
  copyfile: (body) =>
    write(`${text(branch(body, 'target_dir')['path']) ?? ''}/${text(body['target_name']) ?? ''}`, 'create'),
  link: (body) =>
    write(`${text(branch(body, 'target_dir')['path']) ?? ''}/${text(body['target_filename']) ?? ''}`, 'create'),
  rename: (body) => [
    'file_rename',
    { ...fileFields(destination(body)), 'file.Ext.original.path': text(branch(body, 'source')['path']) },
  ],
  unlink: (body) => ['file_delete', fileFields(text(branch(body, 'target')['path']))],
  open: (body) => ['file_read', fileFields(text(branch(body, 'file')['path']))],
  mmap: (body) => {
    const path = text(branch(body, 'source')['path']);
    return ['module_load', { 'dll.path': path, 'dll.name': baseName(path) }];
  },
  get_task: (body) => [
    'proc_access',
    { ...process(branch(body, 'target'), 'Target.process'), 'event.action': 'get_task' },
  ],
  remote_thread_create: (body) => [
    'proc_access',
    { ...process(branch(body, 'target'), 'Target.process'), 'event.action': 'remote_thread' },
  ],
  btm_launch_item_add: launchItem,
  openssh_login: (body) => [
    'auth_login',
    {
      'event.outcome': body['success'] === true ? 'success' : 'failure',
      'user.name': text(body['username']),
      'source.ip': text(body['source_address']),
      'x.auth.method': 'ssh',
    },
  ],
};
