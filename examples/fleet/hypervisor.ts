/** A hypervisor: the lines that administrators type, as the ESXi source turns them into ECS. */
import type { Day } from './day.js';
import type { Timed } from './fleet.js';

/** Writes lines of one shell session. */
export function typed(day: Day, into: Timed[], startMs: number, address: string, lines: readonly string[]): string[] {
  const { random, host } = day;
  const world = String(random.between(2_000_000, 2_999_999));
  const ids: string[] = [];
  const write = (timeMs: number, event: object, rest: object): void => {
    const id = `esx-${random.hex(12)}`;
    ids.push(id);
    const document = {
      '@timestamp': new Date(timeMs).toISOString(),
      ecs: { version: '8.10.0' },
      event: { kind: 'event', ...event, id, sequence: into.length },
      host: { id: host.id, name: host.id, os: { type: 'esxi', name: 'VMware ESXi', version: '8.0.3' } },
      user: { name: 'root' },
      x: { source: { kind: 'esxi' }, session: { id: world } },
      ...rest,
    };
    into.push({ timeMs, document });
  };
  const login = {
    class: 'auth_login',
    category: ['authentication'],
    type: ['start'],
    action: 'log_on',
    outcome: 'success',
  };
  write(startMs, login, { source: { ip: address } });
  for (const [step, line] of lines.entries()) {
    const args = line.split(' ');
    const process = { command_line: line, args, args_count: args.length, name: args[0]?.split('/').at(-1) };
    write(
      startMs + (step + 1) * 20_000,
      { class: 'shell_command', category: ['process'], type: ['start'], action: 'shell_command' },
      { process },
    );
  }
  return ids;
}

const visits: readonly (readonly string[])[] = [
  ['esxcli system version get', 'df -h', 'esxcli network nic list', 'exit'],
  ['esxcli storage filesystem list', 'ls /vmfs/volumes', 'tail /var/log/hostd.log'],
  ['python -V', 'esxcli software vib list'],
  ['/bin/python /usr/lib/vmware/hostd/bin/check.pyc', 'vim-cmd vmsvc/getallvms'],
  ['python /usr/lib/vmware/vsan/bin/vsan-health-status.pyc', 'esxcli vsan cluster get'],
];

/** An administrator looks after it, on some days. */
export function administration(day: Day, into: Timed[]): void {
  if (!day.isWorkday || day.chance(0.4)) return;
  typed(day, into, day.within(9, 16), '10.20.0.5', day.random.pick(visits));
}
