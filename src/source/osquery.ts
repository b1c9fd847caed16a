/** osquery result lines: event tables decide by their columns, since packs give queries any name. */
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

export const osquery: RecordSource = {
  kind: 'osquery',
  title: 'osquery results (process_events, es_process_events, socket_events, file events, launchd)',
  recognises: (record) => typeof record['columns'] === 'object' && text(record['hostIdentifier']) !== undefined,
  normalise: (record) => {
    const columns = branch(record, 'columns');
    const eventClass = record['action'] === 'removed' ? 'other' : classOf(columns, text(record['name']) ?? '');
    const decorations = branch(record, 'decorations');
    return [
      canonicalEvent('osquery', eventClass, {
        ...(eventClass === 'other' ? { 'event.action': text(record['name']) } : {}),
        '@timestamp': number(columns['time']) ?? number(record['unixTime']),
        'host.id': text(decorations['host_uuid']) ?? text(record['hostIdentifier']),
        'host.name': text(decorations['hostname']) ?? text(record['hostIdentifier']),
        'host.os.type': platformOf(columns, decorations),
        ...processFields(columns, eventClass),
        ...objectFields(columns, eventClass),
      }),
    ];
  },
};

/** Columns that only tables of macOS have. */
const macosColumns = ['pidversion', 'signing_id', 'team_id', 'cdhash', 'platform_binary', 'codesigning_flags'];

/** A result line names no platform unless a decoration does: columns of its tables and the place of programs tell. */
function platformOf(columns: SourceRecord, decorations: SourceRecord): string | undefined {
  const named = text(decorations['platform'])?.toLowerCase();
  if (named !== undefined) return named === 'darwin' ? 'macos' : named === 'windows' ? 'windows' : 'linux';
  if (macosColumns.some((name) => columns[name] !== undefined)) return 'macos';
  const path = text(columns['path']) ?? text(columns['filename']) ?? text(columns['dest_filename']) ?? '';
  if (/^(?:\/private)?\/(?:Users|Library|System|Applications|Volumes|opt\/homebrew)\//.test(path)) return 'macos';
  if (/^[a-z]:\\/i.test(path)) return 'windows';
  return path.startsWith('/') ? 'linux' : undefined;
}

function classOf(columns: SourceRecord, query: string): EventClass {
  const operation = text(columns['event_type']) ?? text(columns['action']) ?? text(columns['operation']) ?? '';
  if (columns['remote_address'] !== undefined) return /^(connect|)$/.test(operation) ? 'net_connect' : 'net_accept';
  if (columns['dest_filename'] !== undefined || columns['filename'] !== undefined) return fileClass(operation);
  if (columns['cmdline'] !== undefined && (columns['parent'] !== undefined || columns['ppid'] !== undefined)) {
    if (/^(fork|exit)$/.test(operation)) return operation === 'fork' ? 'process_fork' : 'process_exit';
    return /processes/.test(query) ? 'process_snapshot' : 'process_exec';
  }
  if (columns['program_arguments'] !== undefined || columns['run_at_load'] !== undefined) return 'persistence_item';
  return 'other';
}

function fileClass(operation: string): EventClass {
  if (/rename/i.test(operation)) return 'file_rename';
  if (/unlink|delete/i.test(operation)) return 'file_delete';
  return /open|access/i.test(operation) ? 'file_read' : 'file_write';
}

function processFields(columns: SourceRecord, eventClass: EventClass): CanonicalEvent {
  if (eventClass === 'persistence_item' || eventClass === 'other') return {};
  const executable = text(columns['path']);
  return {
    'process.pid': number(columns['pid']),
    'x.process.pidversion': number(columns['pidversion']),
    'process.parent.pid': number(columns['parent']) ?? number(columns['ppid']),
    'x.process.original_ppid': number(columns['original_parent']),
    'process.executable': executable,
    'process.name': baseName(executable),
    ...commandLineFields(text(columns['cmdline']), executable?.includes('\\') === true),
    'process.working_directory': text(columns['cwd']),
    'user.id': text(columns['euid']) ?? text(columns['uid']),
    'user.name': text(columns['username']),
    'process.code_signature.signing_id': text(columns['signing_id']),
    'process.code_signature.team_id': text(columns['team_id']),
  };
}

function objectFields(columns: SourceRecord, eventClass: EventClass): CanonicalEvent {
  if (eventClass === 'net_connect' || eventClass === 'net_accept')
    return { 'destination.ip': text(columns['remote_address']), 'destination.port': number(columns['remote_port']) };
  if (eventClass === 'persistence_item')
    return {
      'file.path': text(columns['path']),
      'Persistence.path': text(columns['path']),
      'Persistence.name': text(columns['label']) ?? text(columns['name']),
      'Persistence.executable': text(columns['program']) ?? text(columns['program_arguments']),
    };
  const path = text(columns['dest_filename']) ?? text(columns['filename']);
  return fileFields(path);
}
