/** A day on a Linux web server: packages, Ansible and timers, and two attacks among them. */
import { EndpointHost } from './endpoint.js';
import { dayMs } from './macos.js';
import { Random } from './random.js';

const at = (hour: number, minute: number, second = 0): number => dayMs + ((hour * 60 + minute) * 60 + second) * 1000;

export function linuxDay(seed: number): readonly EndpointHost[] {
  const random = new Random(seed);
  const host = new EndpointHost(
    {
      id: '7f3c9a10e2b84c0d9a55d1f00aa10004',
      name: 'web-01',
      platform: 'linux',
      osName: 'Ubuntu',
      osVersion: '24.04',
      ip: '10.20.8.11',
      agentId: 'b17f3c9a-0004-4c60-9a55-0a1b2c3d4e04',
    },
    random,
  );
  const systemd = host.spawn(at(0, 0), undefined, ['/usr/lib/systemd/systemd']);
  const nginx = host.spawn(at(0, 0, 5), systemd, ['/usr/sbin/nginx', '-g', 'daemon off;'], { user: 'www-data' });
  const cron = host.spawn(at(0, 0, 6), systemd, ['/usr/sbin/cron', '-f']);
  const sshd = host.spawn(at(0, 0, 7), systemd, ['/usr/sbin/sshd', '-D']);
  services(host, random, systemd, nginx);

  const upgrade = host.spawn(at(6, 12), systemd, ['/usr/bin/python3', '/usr/bin/unattended-upgrade'], {
    path: '/usr/bin/python3.12',
  });
  host.visit(at(6, 12, 3), upgrade, 'security.ubuntu.com', '185.125.190.36', 80);
  const session = host.spawn(at(9, 0), sshd, ['sshd: ansible@notty'], { path: '/usr/sbin/sshd', user: 'ansible' });
  for (let i = 0; i < 10; i++) {
    const timeMs = at(9, 0, 2 + i * 3);
    const shell = host.spawn(timeMs, session, ['/bin/sh', '-c', '/usr/bin/python3 && sleep 0'], { user: 'ansible' });
    const task = host.spawn(
      timeMs + 200,
      shell,
      [
        '/usr/bin/python3',
        `/home/ansible/.ansible/tmp/ansible-tmp-${Math.floor(timeMs / 1000)}-${i}/AnsiballZ_${random.pick(['copy', 'setup', 'service'])}.py`,
      ],
      { path: '/usr/bin/python3.12', user: 'ansible' },
    );
    host.spawn(timeMs + 400, task, ['/usr/bin/uname', '-a']);
  }
  const job = host.spawn(at(10, 0), cron, ['/bin/sh', '-c', '/usr/bin/python3 /opt/tools/rotate.py'], { user: 'root' });
  const rotate = host.spawn(at(10, 0, 1), job, ['/usr/bin/python3', '/opt/tools/rotate.py'], {
    path: '/usr/bin/python3.12',
  });
  host.connect(at(10, 0, 2), rotate, '10.20.8.40', 5432);

  attackWebShell(host, nginx);
  attackCronExfiltration(host, cron);
  return [host];
}

type Spawned = ReturnType<EndpointHost['spawn']>;

function services(host: EndpointHost, random: Random, systemd: Spawned, nginx: Spawned): void {
  const app = host.spawn(at(0, 1), systemd, ['/srv/app/venv/bin/python', '-m', 'gunicorn', 'app:wsgi'], {
    path: '/usr/bin/python3.12',
    user: 'app',
  });
  for (let i = 0; i < 120; i++) {
    const timeMs = at(0, 5) + random.between(0, 23 * 3_600_000);
    if (random.next() < 0.5) host.connect(timeMs, app, '10.20.8.40', 5432);
    else host.file(timeMs, nginx, `/var/log/nginx/${random.pick(['access', 'error'])}.log.${i}`);
  }
}

/** Through the web server: a shell, an interpreter from /tmp, a connection out. */
function attackWebShell(host: EndpointHost, nginx: Spawned): void {
  const shell = host.spawn(at(3, 14), nginx, ['/bin/sh', '-c', 'python3 /tmp/.x/r.py']);
  const root = host.spawn(at(3, 14, 0) + 80, shell, ['python3', '/tmp/.x/r.py'], { path: '/usr/bin/python3.12' });
  host.connect(at(3, 14, 1), root, '203.0.113.8', 443);
  host.spawn(at(3, 14, 4), root, ['/usr/bin/id']);
  host.spawn(at(3, 14, 5), root, ['/usr/bin/uname', '-a']);
}

/** A user's crontab entry reads cloud keys and sends them away. */
function attackCronExfiltration(host: EndpointHost, cron: Spawned): void {
  const shell = host.spawn(at(17, 30), cron, ['/bin/sh', '-c', '/usr/bin/python3 /home/bob/.cache/.s/j.py'], {
    user: 'bob',
  });
  const root = host.spawn(at(17, 30, 0) + 60, shell, ['/usr/bin/python3', '/home/bob/.cache/.s/j.py'], {
    path: '/usr/bin/python3.12',
    user: 'bob',
  });
  host.file(at(17, 30, 1), root, '/home/bob/.aws/credentials', 'open');
  host.connect(at(17, 30, 3), root, '203.0.113.50', 443);
}
