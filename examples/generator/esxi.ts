/** An hour of a hypervisor's shell log, as the ESXi source turns it into ECS: an administrator, then an extortionist. */
import { dayMs } from './macos.js';
import { Random } from './random.js';

const at = (hour: number, minute: number, second = 0): number => dayMs + ((hour * 60 + minute) * 60 + second) * 1000;

type Entry = { readonly timeMs: number; readonly document: Record<string, unknown> };

class Hypervisor {
  readonly entries: Entry[] = [];

  constructor(private readonly random: Random) {}

  /** A command typed in the shell of session `world`. */
  command(timeMs: number, world: string, line: string): void {
    const args = line.split(' ');
    const process = { command_line: line, args, args_count: args.length, name: args[0]?.split('/').at(-1) };
    this.write(
      timeMs,
      world,
      { class: 'shell_command', category: ['process'], type: ['start'], action: 'shell_command' },
      { process },
    );
  }

  login(timeMs: number, world: string, address: string): void {
    const event = {
      class: 'auth_login',
      category: ['authentication'],
      type: ['start'],
      action: 'log_on',
      outcome: 'success',
    };
    this.write(timeMs, world, event, { source: { ip: address } });
  }

  private write(timeMs: number, world: string, event: object, rest: object): void {
    const document = {
      '@timestamp': new Date(timeMs).toISOString(),
      ecs: { version: '8.10.0' },
      event: { kind: 'event', ...event, id: `esx-${this.random.hex(10)}`, sequence: this.entries.length },
      host: { id: 'esx-07.example.net', name: 'esx-07', os: { type: 'esxi', name: 'VMware ESXi', version: '8.0.3' } },
      user: { name: 'root' },
      x: { source: { kind: 'esxi' }, session: { id: world } },
      ...rest,
    };
    this.entries.push({ timeMs, document });
  }
}

export function esxiDay(seed: number): readonly Entry[] {
  const host = new Hypervisor(new Random(seed));
  host.login(at(9, 0), '2101100', '10.20.0.5');
  for (const [minute, line] of ['esxcli system version get', 'df -h', 'python -V', 'exit'].entries()) {
    host.command(at(9, 1 + minute), '2101100', line);
  }
  host.login(at(2, 10), '2102345', '10.9.9.9');
  const lines = [
    'esxcli vm process list',
    'python3 /tmp/enc.py --dir /vmfs/volumes/ds1',
    'vim-cmd vmsvc/getallvms',
    'esxcli vm process kill --type=force --world-id=1',
  ];
  for (const [step, line] of lines.entries()) host.command(at(2, 12 + step), '2102345', line);
  return host.entries.sort((a, b) => a.timeMs - b.timeMs);
}
