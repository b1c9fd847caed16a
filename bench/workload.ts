/**
 * A fleet's endpoint events as Elastic Defend writes them: a third each of macOS, Linux and Windows hosts, process,
 * network and file events, skewed over hosts and programs, about a third of the command lines unique. Most processes are
 * started by what lasts, and one started program in a hundred is Python.
 */
import { createRandom, type Random } from './random.js';

export interface WorkloadOptions {
  readonly seed: number;
  readonly hosts: number;
  /** Milliseconds since the epoch of the first event. */
  readonly startMs?: number;
  /** Share of the started programs that are Python, from 0 to 1; one in a hundred unless told otherwise. */
  readonly pythonShare?: number;
}

/** When a workload starts unless told otherwise. */
export const workloadStartMs = Date.UTC(2026, 4, 1);

/** One event as a plain ECS document. */
export type WorkloadEvent = Record<string, unknown>;

interface Host {
  readonly os: 'macos' | 'linux' | 'windows';
  readonly id: string;
  readonly name: string;
  readonly ip: string;
  readonly agentId: string;
  readonly users: readonly string[];
  readonly processes: Process[];
}

interface Process {
  readonly entityId: string;
  readonly pid: number;
  readonly executable: string;
  readonly name: string;
  readonly commandLine: string;
  readonly user: string;
  readonly parent: Process | undefined;
}

/** What the processes of a fleet have in common. */
interface Usual {
  /** Command lines that recur, by program. */
  readonly arguments: Map<string, string[]>;
  readonly pythonShare: number;
}

/** By how often they start. */
const programs: Readonly<Record<Host['os'], readonly string[]>> = {
  macos: [
    '/bin/zsh',
    '/bin/bash',
    '/usr/bin/login',
    '/usr/libexec/xpcproxy',
    '/usr/bin/curl',
    '/usr/bin/git',
    '/bin/ls',
    '/usr/bin/grep',
    '/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/usr/bin/sw_vers',
    '/usr/sbin/system_profiler',
    '/opt/homebrew/bin/node',
    '/usr/local/jamf/bin/jamf',
    '/Applications/Visual Studio Code.app/Contents/MacOS/Electron',
    '/usr/libexec/mdworker_shared',
    '/usr/libexec/trustd',
    '/usr/sbin/cfprefsd',
    '/usr/bin/xcrun',
  ],
  linux: [
    '/usr/bin/bash',
    '/usr/bin/curl',
    '/usr/sbin/sshd',
    '/usr/bin/sed',
    '/usr/bin/grep',
    '/usr/bin/cat',
    '/usr/bin/ls',
    '/usr/bin/systemctl',
    '/usr/lib/systemd/systemd',
    '/usr/sbin/cron',
    '/usr/bin/node',
    '/usr/bin/java',
    '/usr/bin/git',
    '/usr/bin/docker',
    '/usr/bin/containerd-shim-runc-v2',
    '/usr/bin/dash',
    '/usr/bin/find',
    '/usr/bin/id',
    '/usr/bin/sudo',
    '/usr/bin/tar',
    '/usr/bin/rsync',
  ],
  windows: [
    'C:\\Windows\\System32\\svchost.exe',
    'C:\\Windows\\System32\\cmd.exe',
    'C:\\Windows\\explorer.exe',
    'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
    'C:\\Windows\\System32\\conhost.exe',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Windows\\System32\\rundll32.exe',
    'C:\\Windows\\System32\\wbem\\WmiPrvSE.exe',
    'C:\\Windows\\System32\\services.exe',
    'C:\\Windows\\System32\\taskhostw.exe',
    'C:\\Windows\\System32\\reg.exe',
    'C:\\Windows\\System32\\whoami.exe',
  ],
};

const pythons: Readonly<Record<Host['os'], string>> = {
  macos: '/Library/Frameworks/Python.framework/Versions/3.12/Resources/Python.app/Contents/MacOS/Python',
  linux: '/usr/bin/python3.11',
  windows: 'C:\\Program Files\\Python311\\python.exe',
};
const usualPythonShare = 0.01;

const words =
  'run start sync build deploy worker main server client index data cache temp backup report update install config check test scan collect import export train model queue metrics health proxy gateway auth billing order search render'.split(
    ' ',
  );
const flags = [
  '--config',
  '--verbose',
  '-c',
  '-m',
  '--output',
  '--input',
  '--host',
  '--port',
  '-k',
  '--json',
  '-l',
  '--user',
];
/** Processes of a host that never end; nine in ten others are started by one of them. */
const lasting = 4;
const ports = [443, 443, 443, 80, 53, 8080, 22, 445, 3389, 5432, 9200];

/**
 * Generates events for ever, in time order, about 20 ms apart. The same options give the same events.
 */
export function* generateWorkload(options: WorkloadOptions): Generator<WorkloadEvent, never> {
  const random = createRandom(options.seed);
  const hosts = Array.from({ length: options.hosts }, (_, index) => createHost(random, index));
  const usual: Usual = { arguments: new Map(), pythonShare: options.pythonShare ?? usualPythonShare };
  let timeMs = options.startMs ?? workloadStartMs;
  for (let sequence = 0; ; sequence++) {
    timeMs += random.below(40);
    const host = hosts[random.skewed(hosts.length)] as Host;
    const draw = random.unit();
    const base = envelope(random, host, timeMs, sequence);
    if (host.processes.length < lasting || draw < 0.42) yield processEvent(random, host, base, usual);
    else if (draw < 0.7) yield networkEvent(random, host, base);
    else yield fileEvent(random, host, base);
  }
}

function createHost(random: Random, index: number): Host {
  const os = (['macos', 'linux', 'windows'] as const)[index % 3] as Host['os'];
  const names = {
    macos: `mac-${random.hex(6)}`,
    linux: `lnx-${random.hex(6)}.corp.example`,
    windows: `WIN-${random.hex(6)}`,
  };
  return {
    os,
    id: random.hex(32),
    name: names[os],
    ip: `10.${random.below(256)}.${random.below(256)}.${random.below(256)}`,
    agentId: random.hex(32),
    users: os === 'windows' ? ['SYSTEM', 'NETWORK SERVICE', `u${random.hex(5)}`] : ['root', `u${random.hex(5)}`],
    processes: [],
  };
}

function envelope(random: Random, host: Host, timeMs: number, sequence: number): WorkloadEvent {
  const family = { macos: 'macos', linux: 'ubuntu', windows: 'windows' }[host.os];
  return {
    '@timestamp': `${new Date(timeMs).toISOString().slice(0, -1)}${String(random.below(1000)).padStart(3, '0')}Z`,
    agent: { id: host.agentId, type: 'endpoint', version: '8.13.2' },
    ecs: { version: '8.10.0' },
    event: { id: random.hex(24), kind: 'event', module: 'endpoint', outcome: 'unknown', sequence },
    host: {
      architecture: 'x86_64',
      id: host.id,
      ip: ['127.0.0.1', '::1', host.ip],
      name: host.name,
      os: { family, name: family, platform: family, type: host.os, version: '14.5' },
    },
  };
}

function addEvent(base: WorkloadEvent, category: string, action: string, type: string): void {
  Object.assign(base.event as object, {
    category: [category],
    type: [type],
    action,
    dataset: `endpoint.events.${category}`,
  });
}

function processEvent(random: Random, host: Host, base: WorkloadEvent, usual: Usual): WorkloadEvent {
  if (host.processes.length > 20 && random.unit() < 0.4) {
    const [ended] = host.processes.splice(lasting + random.below(host.processes.length - lasting), 1);
    addEvent(base, 'process', 'end', 'end');
    return Object.assign(base, subject(ended as Process, true));
  }
  const isLasting = host.processes.length < lasting;
  const executable = programOf(random, host, isLasting, usual.pythonShare);
  const started: Process = {
    entityId: `${random.hex(42)}==`,
    pid: random.below(65536),
    executable,
    name: executable.slice(Math.max(executable.lastIndexOf('/'), executable.lastIndexOf('\\')) + 1),
    commandLine: commandLine(random, host, executable, usual.arguments),
    user: random.pick(host.users),
    parent: parentOf(random, host, isLasting),
  };
  host.processes.push(started);
  if (host.processes.length > 200) host.processes.splice(lasting, 50);
  addEvent(base, 'process', host.os === 'windows' ? 'start' : 'exec', 'start');
  return Object.assign(base, subject(started, true));
}

function programOf(random: Random, host: Host, isLasting: boolean, pythonShare: number): string {
  const choices = programs[host.os];
  if (isLasting) return choices[host.processes.length] as string;
  return random.unit() < pythonShare ? pythons[host.os] : (choices[random.skewed(choices.length)] as string);
}

function parentOf(random: Random, host: Host, isLasting: boolean): Process | undefined {
  const among = isLasting || random.unit() < 0.9 ? Math.min(lasting, host.processes.length) : host.processes.length;
  return host.processes[random.below(among)];
}

function networkEvent(random: Random, host: Host, base: WorkloadEvent): WorkloadEvent {
  const isStart = random.unit() < 0.5;
  addEvent(base, 'network', isStart ? 'connection_attempted' : 'disconnect_received', isStart ? 'start' : 'end');
  const ip =
    random.unit() < 0.6
      ? `10.0.${random.below(8)}.${random.below(64)}`
      : `${1 + random.below(220)}.${random.below(256)}.${random.below(256)}.${random.below(256)}`;
  return Object.assign(base, subject(random.pick(host.processes), false), {
    destination: { address: ip, ip, port: random.pick(ports) },
    network: { direction: 'egress', transport: 'tcp', type: 'ipv4' },
    source: { address: host.ip, ip: host.ip, port: 32768 + random.below(28000) },
  });
}

function fileEvent(random: Random, host: Host, base: WorkloadEvent): WorkloadEvent {
  const [action, type] = random.pick([
    ['creation', 'creation'],
    ['modification', 'change'],
    ['deletion', 'deletion'],
    ['rename', 'change'],
  ] as const);
  addEvent(base, 'file', action, type);
  const path = filePath(random, host);
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return Object.assign(base, subject(random.pick(host.processes), false), {
    file: { path, name, extension: name.includes('.') ? name.slice(name.lastIndexOf('.') + 1) : '' },
  });
}

function filePath(random: Random, host: Host): string {
  const isTemporary = random.unit() < 0.35;
  const word = random.pick(words);
  const leaf = `${random.pick(words)}${random.pick(['.log', '.db', '.json', '.plist'])}`;
  if (host.os === 'windows')
    return isTemporary ? `C:\\Windows\\Temp\\${random.hex(8)}.tmp` : `C:\\ProgramData\\${word}\\${leaf}`;
  if (isTemporary) return `/tmp/${random.hex(12)}`;
  return host.os === 'macos' ? `/Library/Application Support/${word}/${leaf}` : `/var/lib/${word}/${leaf}`;
}

function subject(process: Process, isWhole: boolean): WorkloadEvent {
  const { parent } = process;
  const fields: WorkloadEvent = {
    Ext: { ancestry: [parent?.entityId, parent?.parent?.entityId].filter((id) => id !== undefined) },
    entity_id: process.entityId,
    executable: process.executable,
    name: process.name,
    pid: process.pid,
  };
  if (parent !== undefined)
    fields.parent = isWhole
      ? { entity_id: parent.entityId, executable: parent.executable, name: parent.name, pid: parent.pid }
      : { entity_id: parent.entityId };
  if (isWhole) {
    fields.args = process.commandLine.split(' ');
    fields.args_count = (fields.args as string[]).length;
    fields.command_line = process.commandLine;
  }
  return { process: fields, user: { id: String(1000 + process.user.length), name: process.user } };
}

/** Three in ten command lines occur once; the others come from forty usual ones per program. */
function commandLine(random: Random, host: Host, executable: string, usual: Map<string, string[]>): string {
  const quoted = executable.includes(' ') ? `"${executable}"` : executable;
  const argument = (isUnique: boolean): string => {
    if (!isUnique) return `${random.pick(flags)} ${random.pick(words)}`;
    const folder = host.os === 'windows' ? 'C:\\ProgramData\\' : '/var/lib/';
    return `${random.pick(flags)} ${folder}${random.pick(words)}-${random.hex(10)}`;
  };
  const build = (isUnique: boolean, count: number): string =>
    [quoted, ...Array.from({ length: count }, () => argument(isUnique))].join(' ');
  if (random.unit() < 0.3) return build(true, 2 + random.below(4));
  let choices = usual.get(executable);
  if (choices === undefined) {
    choices = Array.from({ length: 40 }, () => build(false, 1 + random.below(5)));
    usual.set(executable, choices);
  }
  return choices[random.skewed(choices.length)] as string;
}

/** Every (host id, program) that a workload's processes can have: what its fleet is known to run. */
export function workloadPrograms(options: WorkloadOptions): { readonly hostId: string; readonly executable: string }[] {
  const random = createRandom(options.seed);
  const hosts = Array.from({ length: options.hosts }, (_, index) => createHost(random, index));
  return hosts.flatMap(({ id, os }) =>
    [...programs[os], pythons[os]].map((executable) => ({ hostId: id, executable })),
  );
}

/** The first `count` events of a workload. */
export function takeWorkload(options: WorkloadOptions, count: number): WorkloadEvent[] {
  const generator = generateWorkload(options);
  return Array.from({ length: count }, () => generator.next().value);
}

/** Events as NDJSON bytes, one line each. */
export function toNdjson(events: readonly WorkloadEvent[]): Uint8Array {
  return new TextEncoder().encode(`${events.map((event) => JSON.stringify(event)).join('\n')}\n`);
}
