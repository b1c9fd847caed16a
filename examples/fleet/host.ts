/** The hosts of the fleet: who uses them, what runs on them from the start, and what a workload needs to act on one. */
import { EndpointHost, type Platform, type Process } from '../generator/endpoint.js';
import { Random } from '../generator/random.js';

export const msPerDay = 86_400_000;
/** A Monday. */
export const firstDayMs = Date.UTC(2026, 1, 2);

export const roles = [
  'mac-developer',
  'mac-office',
  'linux-developer',
  'linux-server',
  'linux-ci',
  'linux-salt',
  'windows-developer',
  'windows-office',
  'esxi',
] as const;
export type Role = (typeof roles)[number];

/** Twenty hosts in these proportions; a larger fleet repeats them. */
const mix: readonly Role[] = [
  'mac-developer',
  'linux-server',
  'windows-developer',
  'mac-office',
  'linux-ci',
  'windows-office',
  'mac-developer',
  'linux-developer',
  'linux-salt',
  'mac-office',
  'windows-developer',
  'linux-server',
  'mac-developer',
  'esxi',
  'linux-ci',
  'windows-office',
  'mac-office',
  'linux-developer',
  'linux-salt',
  'mac-developer',
];

export const rolesInTurn = mix.length;

/** Accounts of people; an inventory knows them. */
export const people: readonly string[] = [
  'alice',
  'bob',
  'carol',
  'dana',
  'erik',
  'fatima',
  'goran',
  'hana',
  'ivan',
  'jun',
  'kemal',
  'lucia',
];

/** One host with its own source of chance, so that it acts alike in a fleet of any size. */
export interface FleetHost {
  readonly index: number;
  readonly id: string;
  readonly role: Role;
  readonly user: string;
  readonly random: Random;
  /** Absent on a hypervisor, which reports no processes. */
  readonly endpoint: EndpointHost;
  /** Processes that live as long as the host, by name. */
  readonly processes: Readonly<Record<string, Process>>;
}

const osOf: Readonly<Record<Platform, readonly [string, string]>> = {
  macos: ['macOS', '15.3'],
  linux: ['Ubuntu', '24.04'],
  windows: ['Windows', '11 (24H2)'],
};

export function platformOf(role: Role): Platform | 'esxi' {
  if (role.startsWith('mac')) return 'macos';
  if (role.startsWith('windows')) return 'windows';
  return role === 'esxi' ? 'esxi' : 'linux';
}

export function createHost(seed: number, index: number): FleetHost {
  const role = mix[index % mix.length] as Role;
  const random = new Random(seed * 1_000_003 + index * 7919 + 17);
  const user = people[index % people.length] as string;
  const name = `${role}-${String(index).padStart(3, '0')}`;
  const platform = platformOf(role);
  const [osName, osVersion] = osOf[platform === 'esxi' ? 'linux' : platform];
  const endpoint = new EndpointHost(
    {
      id: name,
      name,
      platform: platform === 'esxi' ? 'linux' : platform,
      osName,
      osVersion,
      ip: `10.20.${16 + (index >> 8)}.${index & 255}`,
      agentId: `${(0x10000000 + index).toString(16)}-0000-4c60-9a55-0a1b2c3d4e01`,
    },
    random,
  );
  const processes = platform === 'esxi' ? {} : boot(endpoint, platform, user);
  return { index, id: name, role, user, random, endpoint, processes };
}

function boot(host: EndpointHost, platform: Platform, user: string): Readonly<Record<string, Process>> {
  if (platform === 'macos') return bootMac(host, user);
  return platform === 'windows' ? bootWindows(host, user) : bootLinux(host, user);
}

function bootMac(host: EndpointHost, user: string) {
  const init = host.spawn(firstDayMs, undefined, ['/sbin/launchd']);
  const editor = host.spawn(firstDayMs + 4000, init, ['/Applications/Visual Studio Code.app/Contents/MacOS/Electron'], {
    user,
  });
  const helper = host.spawn(firstDayMs + 5000, editor, [
    '/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper (Plugin).app/Contents/MacOS/Code Helper (Plugin)',
  ]);
  const browser = host.spawn(firstDayMs + 6000, init, ['/Applications/Safari.app/Contents/MacOS/Safari'], { user });
  return { init, editor: helper, browser };
}

function bootLinux(host: EndpointHost, user: string) {
  const init = host.spawn(firstDayMs, undefined, ['/usr/lib/systemd/systemd']);
  const cron = host.spawn(firstDayMs + 1000, init, ['/usr/sbin/cron', '-f']);
  const sshd = host.spawn(firstDayMs + 1100, init, ['/usr/sbin/sshd', '-D']);
  const web = host.spawn(firstDayMs + 1200, init, ['/usr/sbin/nginx', '-g', 'daemon off;'], { user: 'www-data' });
  const runner = host.spawn(firstDayMs + 1300, init, ['/usr/bin/gitlab-runner', 'run'], { user: 'root' });
  const jenkins = host.spawn(firstDayMs + 1400, init, ['/usr/bin/java', '-jar', '/usr/share/java/jenkins.war'], {
    path: '/usr/lib/jvm/java-21-openjdk-amd64/bin/java',
    user: 'jenkins',
  });
  const editor = host.spawn(firstDayMs + 1800, init, ['/usr/share/code/code', '--type=utility'], { user });
  return { init, cron, sshd, web, runner, jenkins, editor, browser: editor };
}

function bootWindows(host: EndpointHost, user: string) {
  const services = host.spawn(firstDayMs, undefined, ['C:\\Windows\\System32\\services.exe'], { user: 'SYSTEM' });
  const scheduler = host.spawn(firstDayMs + 500, services, [
    'C:\\Windows\\System32\\svchost.exe',
    '-k',
    'netsvcs',
    '-p',
    '-s',
    'Schedule',
  ]);
  const agent = host.spawn(firstDayMs + 600, services, [
    'C:\\Program Files (x86)\\Microsoft Intune Management Extension\\Microsoft.Management.Services.IntuneWindowsAgent.exe',
  ]);
  const init = host.spawn(firstDayMs + 1000, undefined, ['C:\\Windows\\explorer.exe'], { user });
  const editor = host.spawn(firstDayMs + 1300, init, [
    `C:\\Users\\${user}\\AppData\\Local\\Programs\\Microsoft VS Code\\Code.exe`,
  ]);
  const browser = host.spawn(firstDayMs + 1400, init, [
    'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
  ]);
  return { init, services, scheduler, agent, editor, browser };
}
