/** Messages of macOS Endpoint Security as `eslogger` prints them: what the sources read of them, and no more. */

interface Process {
  readonly pid: number;
  readonly version: number;
  readonly path: string;
  readonly parent?: number;
}

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 5, 9, 0, seconds)).toISOString();

const processOf = ({ pid, version, path, parent = 1 }: Process) => ({
  audit_token: { pid, pidversion: version, euid: 501, ruid: 501, auid: 501 },
  parent_audit_token: { pid: parent, pidversion: 1 },
  ppid: parent,
  original_ppid: parent,
  start_time: at(0),
  executable: { path },
  signing_id: 'com.example.tool',
  team_id: null,
});

export const message = (seconds: number, process: Process, event: object) => ({
  time: at(seconds),
  global_seq_num: seconds,
  process: processOf(process),
  event,
});

export const exec = (seconds: number, before: Process, after: Process, args: readonly string[]) =>
  message(seconds, before, { exec: { target: processOf(after), args, cwd: { path: '/Users/ada' } } });

export const exit = (seconds: number, process: Process) => message(seconds, process, { exit: { stat: 0 } });

export const create = (seconds: number, process: Process, dir: string, filename: string) =>
  message(seconds, process, { create: { destination: { new_path: { dir: { path: dir }, filename } } } });

export const fork = (seconds: number, process: Process, child: Process) =>
  message(seconds, process, { fork: { child: processOf(child) } });

const shell = { pid: 400, version: 10, path: '/bin/zsh' };
const python = { pid: 500, version: 20, path: '/opt/homebrew/bin/python3', parent: 400 };

/** A Python program that runs a command and writes a file; Endpoint Security knows no connections. */
export const pythonSession: readonly object[] = [
  exec(0, { ...shell, version: 9, path: '/usr/bin/login' }, shell, ['-zsh']),
  fork(1, shell, { ...python, version: 19, path: shell.path }),
  exec(2, { ...python, version: 19, path: shell.path }, python, ['python3', '/Users/ada/agent.py']),
  fork(3, python, { pid: 501, version: 21, path: python.path, parent: 500 }),
  exec(
    4,
    { pid: 501, version: 21, path: python.path, parent: 500 },
    { pid: 501, version: 22, path: '/usr/bin/sw_vers', parent: 500 },
    ['sw_vers', '-productVersion'],
  ),
  exit(5, { pid: 501, version: 22, path: '/usr/bin/sw_vers', parent: 500 }),
  create(6, python, '/Users/ada/Library/Caches', 'notes.txt'),
  exit(7, python),
];
