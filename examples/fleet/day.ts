/** One day on one host: a clock for the workloads, and the means of running an interpreter the way its platform does. */
import type { EndpointHost, ExecOptions, Process } from '../generator/endpoint.js';
import type { Random } from '../generator/random.js';
import { type FleetHost, firstDayMs, msPerDay, platformOf } from './host.js';

const minuteMs = 60_000;

export class Day {
  readonly endpoint: EndpointHost;
  readonly random: Random;
  readonly user: string;
  readonly platform: ReturnType<typeof platformOf>;
  readonly startMs: number;
  #shell: Process | undefined;

  constructor(
    readonly host: FleetHost,
    readonly number: number,
  ) {
    this.endpoint = host.endpoint;
    this.random = host.random;
    this.user = host.user;
    this.platform = platformOf(host.role);
    this.startMs = firstDayMs + number * msPerDay;
  }

  get isWorkday(): boolean {
    return this.number % 7 < 5;
  }

  process(name: string): Process {
    if (name === 'shell') {
      this.#shell ??= this.openShell();
      return this.#shell;
    }
    const found = this.host.processes[name];
    if (found === undefined) throw new Error(`${this.host.id} runs no ${name}`);
    return found;
  }

  /** A terminal and its shell, opened anew each day. */
  private openShell(): Process {
    const { endpoint, user, startMs } = this;
    const timeMs = startMs + 7 * 60 * minuteMs;
    const init = this.process('init');
    if (this.platform === 'windows') {
      const path = 'C:\\Program Files\\WindowsApps\\Microsoft.WindowsTerminal\\WindowsTerminal.exe';
      const terminal = endpoint.spawn(timeMs, init, [path], { user });
      return endpoint.spawn(timeMs + 900, terminal, ['C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe']);
    }
    if (this.platform === 'linux') {
      const isDesktop = this.host.role === 'linux-developer';
      const leader = isDesktop
        ? endpoint.spawn(timeMs, init, ['/usr/libexec/gnome-terminal-server'], { user })
        : endpoint.spawn(timeMs, this.process('sshd'), [`sshd: ${user}@pts/0`], { path: '/usr/sbin/sshd', user });
      return endpoint.spawn(timeMs + 900, leader, ['-bash'], { path: '/bin/bash', user });
    }
    const terminal = endpoint.spawn(timeMs, init, ['/usr/libexec/xpcproxy', 'com.apple.Terminal'], { user });
    endpoint.exec(timeMs + 100, terminal, ['/System/Applications/Utilities/Terminal.app/Contents/MacOS/Terminal']);
    const login = endpoint.spawn(timeMs + 900, terminal, ['/usr/bin/login', '-pf', user], { user: 'root' });
    return endpoint.spawn(timeMs + 1_000, login, ['-zsh'], { path: '/bin/zsh', user });
  }

  /** A time of day, in milliseconds since the epoch. */
  at(hour: number, minute = 0): number {
    return this.startMs + (hour * 60 + minute) * minuteMs + this.random.between(0, 59_000);
  }

  /** A time between two hours. */
  within(fromHour: number, toHour: number): number {
    return this.startMs + this.random.between(fromHour * 60 * minuteMs, toHour * 60 * minuteMs);
  }

  chance(probability: number): boolean {
    return this.random.next() < probability;
  }

  /** Below the home directory of the host's user. */
  home(...parts: readonly string[]): string {
    if (this.platform === 'windows') return ['C:\\Users', this.user, ...parts].join('\\');
    return [this.platform === 'macos' ? '/Users' : '/home', this.user, ...parts].join('/');
  }

  /** The interpreter that the user has installed. */
  get installed(): string {
    const { index } = this.host;
    if (this.platform === 'windows')
      return this.home('AppData', 'Local', 'Programs', 'Python', 'Python312', 'python.exe');
    if (this.platform === 'linux') return '/usr/bin/python3.12';
    return index % 3 === 0
      ? '/Library/Frameworks/Python.framework/Versions/3.12/Resources/Python.app/Contents/MacOS/Python'
      : '/opt/homebrew/Cellar/python@3.12/3.12.8/Frameworks/Python.framework/Versions/3.12/bin/python3.12';
  }

  /** Runs the interpreter with these arguments. */
  python(timeMs: number, parent: Process, args: readonly string[], options: ExecOptions = {}): Process {
    const path = options.path ?? this.installed;
    return this.endpoint.spawn(timeMs, parent, [path, ...args], { ...options, path });
  }

  /** A process ends some seconds later. */
  end(timeMs: number, process: Process): void {
    this.endpoint.end(timeMs + this.random.between(1_000, 20_000), process);
  }
}
