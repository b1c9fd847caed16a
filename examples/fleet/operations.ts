/** What runs without anybody at the keyboard: package managers, Ansible, Salt, CI, Munki, Jamf, Intune, schedules. */
import type { Process } from '../generator/endpoint.js';
import type { Day } from './day.js';

const system = '/usr/bin/python3.12';

/** The system's own package manager; where it installs units, it writes them. */
export function unattendedUpgrade(day: Day): void {
  const { endpoint } = day;
  const timeMs = day.at(6, day.random.between(0, 50));
  const run = day.python(timeMs, day.process('init'), ['/usr/bin/unattended-upgrade'], { path: system, user: 'root' });
  endpoint.spawn(timeMs + 100, run, ['/usr/bin/lsb_release', '-a']);
  endpoint.visit(timeMs + 600, run, 'security.ubuntu.com', '185.125.190.36', 80);
  if (day.chance(0.4)) {
    const dpkg = endpoint.spawn(timeMs + 5_000, run, ['/usr/bin/dpkg', '--unpack', 'x.deb']);
    endpoint.file(timeMs + 5_200, dpkg, '/usr/lib/systemd/system/cups.service');
    if (day.chance(0.2)) endpoint.file(timeMs + 5_300, dpkg, '/etc/pam.d/common-auth');
  }
  day.end(timeMs + 20_000, run);
  const news = day.python(day.at(7), day.process('cron'), ['/usr/bin/apt-listchanges', '--apt'], {
    path: system,
    user: 'root',
  });
  day.end(day.at(7, 1), news);
}

const modules = ['setup', 'copy', 'service', 'apt', 'template', 'file', 'command', 'user', 'cron'] as const;

/** A nightly playbook: every task is an interpreter of its own, most of them as root through sudo. */
export function ansibleRun(day: Day): void {
  const { endpoint, random } = day;
  const startMs = day.at(2, random.between(0, 40));
  const session = endpoint.spawn(startMs, day.process('sshd'), ['sshd: ansible@notty'], {
    path: '/usr/sbin/sshd',
    user: 'ansible',
  });
  const count = random.between(6, 14);
  for (let i = 0; i < count; i++) {
    const name = i === 0 ? 'setup' : random.pick(modules);
    ansibleTask(day, session, startMs + 2_000 + i * 4_000, name, day.chance(0.7));
  }
  endpoint.end(startMs + 120_000, session);
}

function ansibleTask(
  day: Day,
  session: Process,
  timeMs: number,
  name: (typeof modules)[number],
  isRoot: boolean,
): void {
  const { endpoint, random } = day;
  const stamp = `${Math.floor(timeMs / 1000)}.${random.between(1000, 9999)}-${random.between(1000, 9999)}-${random.hex(12)}`;
  const module = `/home/ansible/.ansible/tmp/ansible-tmp-${stamp}/AnsiballZ_${name}.py`;
  let parent = endpoint.spawn(timeMs, session, ['/bin/sh', '-c', `/usr/bin/python3 ${module} && sleep 0`], {
    path: '/usr/bin/dash',
  });
  const user = isRoot ? 'root' : 'ansible';
  if (isRoot) {
    const sudo = endpoint.spawn(timeMs + 40, parent, ['sudo', '-H', '-S', '-n', '-u', 'root', '/bin/sh', '-c', 'x'], {
      path: '/usr/bin/sudo',
      user,
    });
    parent = endpoint.spawn(timeMs + 60, sudo, ['/bin/sh', '-c', `/usr/bin/python3 ${module}`], {
      path: '/usr/bin/dash',
      user,
    });
  }
  const task = endpoint.spawn(timeMs + 90, parent, ['/usr/bin/python3', module], { path: system, user });
  if (name === 'setup') {
    for (const args of [
      ['/usr/bin/lsb_release', '-a'],
      ['/usr/sbin/ip', 'addr'],
      ['/usr/sbin/dmidecode', '-t', '1'],
      ['/usr/bin/lscpu'],
      ['/usr/bin/getent', 'passwd', user],
      ['/usr/bin/uname', '-a'],
    ])
      endpoint.spawn(timeMs + 200, task, args);
  }
  if (name === 'copy' || name === 'template')
    endpoint.file(
      timeMs + 300,
      task,
      random.pick([
        '/etc/cron.d/backup',
        '/etc/systemd/system/app.service',
        '/etc/nginx/nginx.conf',
        '/etc/profile.d/proxy.sh',
        '/etc/sudoers.d/ops',
      ]),
    );
  if (name === 'cron') {
    endpoint.spawn(timeMs + 200, task, ['/usr/bin/crontab', '-l']);
    endpoint.spawn(timeMs + 320, task, ['/usr/bin/crontab', '/tmp/crontabq7d1']);
  }
  if (name === 'service') {
    endpoint.spawn(timeMs + 200, task, ['/usr/bin/systemctl', 'show', 'nginx']);
    endpoint.spawn(timeMs + 300, task, ['/usr/bin/systemctl', 'enable', 'nginx']);
  }
  if (name === 'apt') {
    endpoint.visit(timeMs + 300, task, 'archive.ubuntu.com', '185.125.190.39', 80);
    const dpkg = endpoint.spawn(timeMs + 900, task, ['/usr/bin/apt-get', '-y', 'install', 'htop']);
    if (day.chance(0.2)) endpoint.file(timeMs + 1_200, dpkg, '/usr/lib/systemd/system/htop.service');
  }
  if (name === 'user') endpoint.spawn(timeMs + 300, task, ['/usr/sbin/usermod', '-aG', 'docker', 'deploy']);
  endpoint.end(timeMs + 3_000, task);
}

/** A Salt minion: grains now and then, and a state that manages files of the system. */
export function saltMinion(day: Day): void {
  const { endpoint, random } = day;
  const python = '/opt/saltstack/salt/bin/python3.10';
  const minion = endpoint.spawn(day.at(0, 5), day.process('init'), [python, '/usr/bin/salt-minion'], { user: 'root' });
  for (let run = 0; run < 3; run++) {
    const timeMs = day.within(1 + run * 7, 7 + run * 7);
    const job = endpoint.spawn(timeMs, minion, [python, '/usr/bin/salt-minion', 'JobExecution']);
    endpoint.connect(timeMs + 50, job, '10.20.0.70', 4506);
    for (const args of [
      ['/usr/bin/lsb_release', '-a'],
      ['/usr/sbin/dmidecode', '-s', 'system-uuid'],
      ['/usr/bin/systemd-detect-virt'],
      ['/usr/bin/lspci', '-vmm'],
    ])
      endpoint.spawn(timeMs + 200, job, args);
    if (day.chance(0.6))
      endpoint.file(
        timeMs + 900,
        job,
        random.pick([
          '/etc/cron.d/salt-backup',
          '/etc/systemd/system/app.service',
          '/etc/ssh/sshd_config',
          '/etc/security/limits.conf',
        ]),
      );
    if (day.chance(0.3)) endpoint.spawn(timeMs + 1_200, job, ['/usr/bin/systemctl', 'enable', 'app.service']);
    if (day.chance(0.3)) {
      endpoint.visit(timeMs + 1_300, job, 'archive.ubuntu.com', '185.125.190.39', 80);
      endpoint.spawn(timeMs + 1_500, job, ['/usr/bin/apt-get', '-q', '-y', 'install', 'curl']);
    }
    endpoint.end(timeMs + 9_000, job);
  }
}

/** Pipelines: checkout, packages, tests, a deployment with keys from the environment. */
export function ciRunner(day: Day): void {
  const { endpoint, random } = day;
  const isJenkins = day.host.index % 3 === 0;
  const agent = day.process(isJenkins ? 'jenkins' : 'runner');
  const user = isJenkins ? 'jenkins' : 'gitlab-runner';
  const count = day.isWorkday ? random.between(6, 14) : 2;
  for (let i = 0; i < count; i++) {
    const timeMs = day.within(7, 22);
    const folder = isJenkins
      ? `/var/lib/jenkins/workspace/app-${random.between(1, 4)}`
      : `/home/gitlab-runner/builds/${random.hex(8)}/0/group/app`;
    const shell = endpoint.spawn(timeMs, agent, ['/bin/bash', '-xe', `/tmp/job${random.between(1, 99)}.sh`], {
      path: '/bin/bash',
      user,
      cwd: folder,
    });
    const python = `${folder}/.venv/bin/python`;
    const pip = endpoint.spawn(timeMs + 1_000, shell, [python, '-m', 'pip', 'install', '-e', '.'], {
      path: system,
      cwd: folder,
    });
    endpoint.spawn(timeMs + 1_100, pip, ['/usr/bin/lsb_release', '-a']);
    endpoint.visit(timeMs + 1_500, pip, 'files.pythonhosted.org', '151.101.64.223');
    endpoint.end(timeMs + 9_000, pip);
    const tests = endpoint.spawn(timeMs + 10_000, shell, [python, '-m', 'pytest', '--cov'], {
      path: system,
      cwd: folder,
    });
    endpoint.spawn(timeMs + 10_200, tests, ['/usr/bin/uname', '-p']);
    endpoint.spawn(timeMs + 10_300, tests, ['/usr/bin/git', 'rev-parse', 'HEAD']);
    endpoint.connect(timeMs + 10_500, tests, '172.17.0.2', 5432);
    if (day.chance(0.4)) endpoint.visit(timeMs + 11_000, tests, 'codecov.io', '198.51.100.150');
    if (day.chance(0.1)) endpoint.spawn(timeMs + 11_200, tests, ['/usr/bin/whoami']);
    endpoint.end(timeMs + 40_000, tests);
    if (day.chance(0.3)) {
      const deploy = endpoint.spawn(timeMs + 60_000, shell, [python, 'deploy/release.py'], {
        path: system,
        cwd: folder,
      });
      endpoint.visit(timeMs + 60_500, deploy, 's3.eu-central-1.amazonaws.com', '198.51.100.130');
      endpoint.connect(timeMs + 61_000, deploy, '10.20.0.90', 443);
      endpoint.end(timeMs + 70_000, deploy);
    }
    endpoint.end(timeMs + 80_000, shell);
  }
}

/** Jobs of cron: rotation, a backup to the cloud, a certificate client. */
export function schedules(day: Day): void {
  const { endpoint } = day;
  job(day, day.at(3), '/opt/tools/rotate.py', (run, timeMs) => endpoint.connect(timeMs, run, '10.20.8.40', 5432));
  job(day, day.at(4), '/opt/tools/backup.py', (run, timeMs) => {
    endpoint.connect(timeMs, run, '10.20.8.40', 5432);
    endpoint.visit(timeMs + 400, run, 'backup.s3.amazonaws.com', '198.51.100.133');
  });
  for (const hour of [1, 13]) {
    job(day, day.at(hour), '/usr/bin/certbot', (run, timeMs) =>
      endpoint.visit(timeMs, run, 'acme-v02.api.letsencrypt.org', '198.51.100.160'),
    );
  }
  job(day, day.at(5), '/opt/tools/metrics.py', (run, timeMs) => {
    for (const args of [['/usr/bin/df', '-h'], ['/usr/bin/uptime'], ['/usr/bin/free', '-m'], ['/usr/bin/ss', '-s']])
      endpoint.spawn(timeMs, run, args);
    endpoint.connect(timeMs + 200, run, '10.20.0.95', 9091);
  });
}

function job(day: Day, timeMs: number, script: string, act: (run: Process, timeMs: number) => void): void {
  const { endpoint } = day;
  const shell = endpoint.spawn(timeMs, day.process('cron'), ['/bin/sh', '-c', `/usr/bin/python3 ${script}`], {
    path: '/usr/bin/dash',
    user: 'root',
  });
  const run = endpoint.spawn(timeMs + 60, shell, ['/usr/bin/python3', script], { path: system });
  act(run, timeMs + 500);
  endpoint.end(timeMs + 5_000, run);
}

/** A web application behind the server, and the server's own work. */
export function webApplication(day: Day): void {
  const { endpoint, random } = day;
  const app = endpoint.spawn(
    day.at(0, 10),
    day.process('init'),
    ['/srv/app/venv/bin/python', '-m', 'gunicorn', 'app:wsgi'],
    {
      path: system,
      user: 'app',
    },
  );
  for (let i = 0; i < 20; i++) endpoint.connect(day.within(1, 23), app, '10.20.8.40', 5432);
  for (let i = 0; i < 4; i++) endpoint.visit(day.within(1, 23), app, 'api.stripe.com', '198.51.100.101');
  for (let i = 0; i < 10; i++)
    endpoint.file(day.within(1, 23), day.process('web'), `/var/log/nginx/access.log.${random.between(1, 9)}`);
}

/** Jamf's inventory and policies, and Munki: Python as root on every Mac. */
export function macManagement(day: Day): void {
  const { endpoint, random } = day;
  const timeMs = day.at(12, random.between(0, 50));
  const jamf = endpoint.spawn(
    timeMs,
    day.process('init'),
    ['/usr/local/jamf/bin/jamf', 'policy', '-event', 'inventory'],
    { user: 'root' },
  );
  const managed = '/Library/ManagedFrameworks/Python/Python3.framework/Versions/3.11/bin/python3.11';
  const shell = endpoint.spawn(timeMs + 500, jamf, ['/bin/sh', '-c', '/Library/Application Support/JAMF/tmp/run'], {
    path: '/bin/sh',
  });
  const inventory = endpoint.spawn(timeMs + 700, shell, [
    managed,
    `/Library/Application Support/JAMF/tmp/${random.hex(8)}.py`,
  ]);
  for (const args of [
    ['/usr/sbin/system_profiler', 'SPHardwareDataType'],
    ['/usr/bin/csrutil', 'status'],
    ['/usr/bin/fdesetup', 'status'],
    ['/usr/bin/profiles', 'list'],
    ['/usr/bin/dscl', '.', '-list', '/Users'],
  ])
    endpoint.spawn(timeMs + 1_000, inventory, args);
  endpoint.visit(timeMs + 3_000, inventory, 'company.jamfcloud.com', '198.51.100.170');
  endpoint.end(timeMs + 6_000, inventory);
  for (const hour of [9, 15]) {
    const startMs = day.at(hour, random.between(0, 50));
    const munki = endpoint.spawn(
      startMs,
      day.process('init'),
      ['/usr/libexec/xpcproxy', 'com.googlecode.munki.managedsoftwareupdate-check'],
      { user: 'root' },
    );
    endpoint.exec(startMs + 100, munki, [
      '/usr/local/munki/munki-python',
      '/usr/local/munki/managedsoftwareupdate',
      '--auto',
    ]);
    endpoint.spawn(startMs + 500, munki, ['/usr/sbin/system_profiler', 'SPHardwareDataType', '-xml']);
    endpoint.spawn(startMs + 700, munki, ['/usr/sbin/sysctl', '-n', 'hw.memsize']);
    endpoint.visit(startMs + 2_000, munki, 'munki.example.net', '198.51.100.171');
    if (day.chance(0.15)) {
      endpoint.spawn(startMs + 9_000, munki, ['/usr/sbin/installer', '-pkg', '/private/tmp/x.pkg', '-target', '/']);
      const installd = endpoint.spawn(
        startMs + 9_200,
        day.process('init'),
        ['/System/Library/PrivateFrameworks/PackageKit.framework/Resources/installd'],
        { user: 'root' },
      );
      endpoint.file(startMs + 9_900, installd, '/Library/LaunchDaemons/com.vendor.updater.plist');
      endpoint.launchItem(startMs + 10_000, installd, '/Library/LaunchDaemons/com.vendor.updater.plist', [
        '/Library/Vendor/updater',
      ]);
    }
    endpoint.end(startMs + 30_000, munki);
  }
}

/** Intune's remediation scripts, and a scheduled script of the company. */
export function windowsManagement(day: Day): void {
  const { endpoint, random } = day;
  const timeMs = day.at(11, random.between(0, 50));
  const python = 'C:\\Program Files\\Python312\\python.exe';
  const run = endpoint.spawn(
    timeMs,
    day.process('agent'),
    [python, 'C:\\ProgramData\\Company\\inventory\\collect.pyz'],
    { user: 'SYSTEM', originalFileName: 'python.exe' },
  );
  for (const args of [
    ['C:\\Windows\\System32\\systeminfo.exe'],
    ['C:\\Windows\\System32\\whoami.exe', '/all'],
    ['C:\\Windows\\System32\\ipconfig.exe', '/all'],
  ])
    endpoint.spawn(timeMs + 500, run, args);
  endpoint.visit(timeMs + 2_000, run, 'manage.example.net', '198.51.100.180');
  endpoint.end(timeMs + 5_000, run);
  const taskMs = day.at(13, random.between(0, 50));
  const task = endpoint.spawn(taskMs, day.process('scheduler'), [python, 'C:\\Program Files\\Company\\sync\\sync.py'], {
    user: 'SYSTEM',
    originalFileName: 'python.exe',
  });
  endpoint.visit(taskMs + 500, task, 'api.example.org', '198.51.100.181');
  endpoint.end(taskMs + 4_000, task);
}

/** What every desktop does: a browser and files. */
export function office(day: Day): void {
  const { endpoint, random } = day;
  if (!day.isWorkday) return;
  const browser = day.process('browser');
  for (let i = 0; i < 12; i++)
    endpoint.visit(day.within(8, 18), browser, random.pick(['www.example.com', 'mail.example.com']), '198.51.100.40');
  for (let i = 0; i < 6; i++)
    endpoint.file(day.within(8, 18), browser, day.home('Documents', `note_${random.hex(6)}.txt`));
  if (day.platform !== 'windows' || !day.chance(0.2)) return;
  // A vendor's program that was frozen with its interpreter.
  const timeMs = day.within(9, 17);
  const app = endpoint.spawn(timeMs, day.process('init'), ['C:\\Program Files\\Vendor\\Reporter\\reporter.exe']);
  endpoint.library(timeMs + 60, app, 'C:\\Program Files\\Vendor\\Reporter\\python311.dll');
  endpoint.visit(timeMs + 400, app, 'reports.vendor.example', '198.51.100.182');
  endpoint.end(timeMs + 60_000, app);
}
