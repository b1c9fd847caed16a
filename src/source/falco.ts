/**
 * Falco's JSON output. Only the fields that a rule's output names exist, so a companion rule set with a fixed output
 * is needed for correlation; the class comes from `evt.type`.
 */
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

export const falco: RecordSource = {
  kind: 'falco',
  title: 'Falco (JSON output)',
  recognises: (record) => typeof record['output_fields'] === 'object' && text(record['rule']) !== undefined,
  normalise: (record) => {
    const fields = branch(record, 'output_fields');
    const host = text(record['hostname']) ?? text(fields['evt.hostname']);
    return [
      canonicalEvent('falco', classOf(fields), {
        ...processFields(fields),
        ...objectFields(fields),
        '@timestamp': eventTime(fields['evt.time']) ?? text(record['time']),
        'event.action': text(fields['evt.type']) ?? text(record['rule']),
        'host.id': host,
        'host.name': host,
        'host.os.type': 'linux',
        'container.id': text(fields['container.id']),
      }),
    ];
  },
};

/** Nanoseconds since the epoch exceed what a JSON number keeps exactly; microseconds are what is used. */
function eventTime(value: unknown): number | string | undefined {
  const nanoseconds = number(value);
  return nanoseconds === undefined ? text(value) : Math.floor(nanoseconds / 1000);
}

function classOf(fields: SourceRecord): EventClass {
  const call = text(fields['evt.type']) ?? '';
  if (/^execve(at)?$/.test(call)) return 'process_exec';
  if (/^(clone3?|fork|vfork)$/.test(call)) return 'process_fork';
  if (call === 'procexit') return 'process_exit';
  if (call === 'connect' || call === 'sendto') return 'net_connect';
  if (/^accept4?$/.test(call)) return 'net_accept';
  if (/^open(at2?)?$|^creat$/.test(call))
    return /O_(WRONLY|RDWR|CREAT|TRUNC)/.test(text(fields['evt.arg.flags']) ?? text(fields['evt.args']) ?? '')
      ? 'file_write'
      : 'file_read';
  if (/^rename(at2?)?$/.test(call)) return 'file_rename';
  if (/^unlink(at)?$/.test(call)) return 'file_delete';
  return call === 'ptrace' ? 'proc_access' : 'other';
}

function processFields(fields: SourceRecord): CanonicalEvent {
  const executable = text(fields['proc.exepath']);
  const commandLine = text(fields['proc.cmdline']);
  const parentExecutable = text(fields['proc.pexepath']);
  const args = commandLine === undefined ? undefined : splitPosix(commandLine).args;
  return {
    'process.pid': number(fields['proc.pid']),
    'process.start': eventTime(fields['proc.pid.ts']),
    'process.executable': executable,
    // The kernel's own name is cut at 15 characters and is the script's for a direct script call.
    'process.name': baseName(executable) ?? text(fields['proc.name']),
    'process.command_line': commandLine,
    'process.args': args,
    'process.args_count': args?.length,
    'x.process.args_quality': args === undefined ? undefined : 'split',
    'process.working_directory': text(fields['proc.cwd']),
    'process.tty': text(fields['proc.tty']),
    'process.parent.pid': number(fields['proc.ppid']),
    'process.parent.executable': parentExecutable,
    'process.parent.name': baseName(parentExecutable) ?? text(fields['proc.pname']),
    'process.parent.command_line': text(fields['proc.pcmdline']),
    'user.id': text(fields['user.uid']),
    'user.name': text(fields['user.name']),
    'x.user.audit_id': fields['user.loginuid'] === -1 ? 'unset' : text(fields['user.loginuid']),
  };
}

function objectFields(fields: SourceRecord): CanonicalEvent {
  const isSocket = /^(connect|sendto|accept4?)$/.test(text(fields['evt.type']) ?? '');
  const path = text(fields['fs.path.name']) ?? text(fields['fd.name']);
  if (!isSocket) return fileFields(path);
  return {
    'destination.ip': text(fields['fd.rip']) ?? text(fields['fd.sip']),
    'destination.port': number(fields['fd.rport']) ?? number(fields['fd.sport']),
    'destination.domain': text(fields['fd.rip.name']) ?? text(fields['fd.sip.name']),
    'network.transport': text(fields['fd.l4proto']),
  };
}
