/**
 * One host as Elastic Defend reports it: processes with entity ids and ancestry, and the documents of what they do.
 * Every method writes one document and moves nothing but the sequence number; times are given by the caller.
 */
import type { Random } from './random.js';

export type Platform = 'macos' | 'linux' | 'windows';

export interface HostSpec {
  readonly id: string;
  readonly name: string;
  readonly platform: Platform;
  readonly osName: string;
  readonly osVersion: string;
  readonly ip: string;
  readonly agentId: string;
}

/** A running process. `ancestry` holds entity ids, nearest first. */
export interface Process {
  readonly entityId: string;
  readonly pid: number;
  executable: string;
  args: readonly string[];
  readonly user: string;
  readonly parent: Process | undefined;
}

export type Document = Record<string, unknown>;

export interface ExecOptions {
  readonly user?: string;
  readonly path?: string;
  readonly cwd?: string;
  readonly signer?: string;
  readonly originalFileName?: string;
  readonly more?: Readonly<Record<string, unknown>>;
}

const actions: Readonly<Record<Platform, { readonly exec: string; readonly write: string; readonly connect: string }>> =
  {
    macos: { exec: 'exec', write: 'modification', connect: 'connection_attempted' },
    linux: { exec: 'exec', write: 'creation', connect: 'connection_attempted' },
    windows: { exec: 'start', write: 'creation', connect: 'connection_attempted' },
  };

export class EndpointHost {
  readonly documents: { readonly timeMs: number; readonly document: Document }[] = [];
  private sequence = 0;
  private nextPid = 400;

  constructor(
    readonly spec: HostSpec,
    private readonly random: Random,
  ) {}

  /** A new process. */
  spawn(timeMs: number, parent: Process | undefined, args: readonly string[], options: ExecOptions = {}): Process {
    this.nextPid += this.random.between(1, 9);
    const process: Process = {
      entityId: Buffer.from(`${this.spec.agentId.slice(0, 8)}-${this.nextPid}-${Math.floor(timeMs / 1000)}`).toString(
        'base64',
      ),
      pid: this.nextPid,
      executable: options.path ?? args[0] ?? '',
      args,
      user: options.user ?? parent?.user ?? 'root',
      parent,
    };
    this.started(timeMs, process, options);
    return process;
  }

  /** The process replaces its image. */
  exec(timeMs: number, process: Process, args: readonly string[], options: ExecOptions = {}): void {
    process.executable = options.path ?? args[0] ?? '';
    process.args = args;
    this.started(timeMs, process, options);
  }

  private started(timeMs: number, process: Process, options: ExecOptions): void {
    this.write(timeMs, process, {
      event: { category: ['process'], type: ['start'], action: actions[this.spec.platform].exec },
      dataset: 'endpoint.events.process',
      process: {
        args: process.args,
        args_count: process.args.length,
        command_line: process.args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)).join(' '),
        ...(options.cwd === undefined ? {} : { working_directory: options.cwd }),
        hash: { sha256: this.random.hex(64) },
        ...(process.parent === undefined ? {} : { parent: parentOf(process.parent) }),
        ...(options.signer === undefined
          ? {}
          : { code_signature: { exists: true, trusted: true, status: 'trusted', subject_name: options.signer } }),
        ...(options.originalFileName === undefined ? {} : { pe: { original_file_name: options.originalFileName } }),
      },
      ...options.more,
    });
  }

  end(timeMs: number, process: Process, exitCode = 0): void {
    this.write(timeMs, process, {
      event: { category: ['process'], type: ['end'], action: 'end' },
      dataset: 'endpoint.events.process',
      process: { args: process.args, command_line: process.args.join(' '), exit_code: exitCode },
    });
  }

  file(
    timeMs: number,
    process: Process,
    path: string,
    action: 'write' | 'rename' | 'deletion' | 'open' = 'write',
    from?: string,
  ): void {
    const name = path.split(/[\\/]/).at(-1) ?? '';
    const dot = name.lastIndexOf('.');
    const isCreation = action === 'write' && this.spec.platform !== 'macos';
    const type = { write: isCreation ? 'creation' : 'change', rename: 'change', deletion: 'deletion', open: 'access' }[
      action
    ];
    this.write(timeMs, process, {
      event: {
        category: ['file'],
        type: [type],
        action: action === 'write' ? actions[this.spec.platform].write : action,
      },
      dataset: 'endpoint.events.file',
      file: {
        path,
        name,
        ...(dot > 0 ? { extension: name.slice(dot + 1) } : {}),
        ...(from === undefined ? {} : { Ext: { original: { path: from } } }),
      },
    });
  }

  lookup(timeMs: number, process: Process, name: string, addresses: readonly string[]): void {
    this.write(timeMs, process, {
      event: { category: ['network'], type: ['protocol', 'info'], action: 'lookup_result' },
      dataset: 'endpoint.events.network',
      dns: { question: { name, type: 'A' }, resolved_ip: addresses },
    });
  }

  connect(timeMs: number, process: Process, ip: string, port: number, domain?: string): void {
    this.write(timeMs, process, {
      event: { category: ['network'], type: ['start'], action: actions[this.spec.platform].connect },
      dataset: 'endpoint.events.network',
      source: { ip: this.spec.ip, port: this.random.between(49_152, 65_000) },
      destination: { ip, port, address: ip, ...(domain === undefined ? {} : { domain }) },
      network: { transport: 'tcp', type: 'ipv4', direction: 'egress' },
    });
  }

  /** A name is looked up and connected to. */
  visit(timeMs: number, process: Process, domain: string, ip: string, port = 443): void {
    this.lookup(timeMs, process, domain, [ip]);
    this.connect(timeMs + this.random.between(8, 40), process, ip, port, domain);
  }

  /** macOS: a launch item appeared. */
  launchItem(timeMs: number, process: Process, path: string, args: readonly string[]): void {
    this.write(timeMs, process, {
      event: { category: ['file'], type: ['change'], action: 'launch_daemon' },
      dataset: 'endpoint.events.file',
      Persistence: {
        path,
        name: path.split('/').at(-1)?.replace('.plist', ''),
        args,
        runatload: true,
        keepalive: false,
      },
    });
  }

  library(timeMs: number, process: Process, path: string): void {
    this.write(timeMs, process, {
      event: { category: ['library'], type: ['start'], action: 'load' },
      dataset: 'endpoint.events.library',
      dll: { path, name: path.split(/[\\/]/).at(-1) },
    });
  }

  registry(timeMs: number, process: Process, path: string, data: string): void {
    this.write(timeMs, process, {
      event: { category: ['registry'], type: ['change'], action: 'modification' },
      dataset: 'endpoint.events.registry',
      registry: { path, value: path.split('\\').at(-1), data: { strings: [data], type: 'REG_SZ' } },
    });
  }

  private write(timeMs: number, process: Process, parts: Document): void {
    const { spec } = this;
    const {
      event,
      dataset,
      process: extra,
      ...rest
    } = parts as Document & { event: Document; dataset: string; process?: Document };
    const { Ext: ext, ...own } = (extra ?? {}) as Document & { Ext?: Document };
    this.sequence++;
    const time = new Date(timeMs).toISOString();
    const document: Document = {
      '@timestamp': time,
      agent: { id: spec.agentId, type: 'endpoint', version: '8.15.3' },
      data_stream: { type: 'logs', dataset, namespace: 'default' },
      ecs: { version: '8.10.0' },
      event: {
        kind: 'event',
        module: 'endpoint',
        dataset,
        ...event,
        id: `N${this.random.hex(12)}+++${this.sequence.toString(36)}`,
        sequence: this.sequence,
        created: time,
        outcome: 'unknown',
      },
      host: {
        id: spec.id,
        name: spec.name,
        hostname: spec.name,
        ip: [spec.ip],
        os: { type: spec.platform, name: spec.osName, version: spec.osVersion },
      },
      user: { name: process.user },
      process: {
        entity_id: process.entityId,
        pid: process.pid,
        name: process.executable.split(/[\\/]/).at(-1),
        executable: process.executable,
        ...own,
        Ext: { ancestry: ancestryOf(process), ...ext },
      },
      ...rest,
    };
    this.documents.push({ timeMs, document });
  }
}

function parentOf(parent: Process): Document {
  return {
    entity_id: parent.entityId,
    pid: parent.pid,
    executable: parent.executable,
    name: parent.executable.split(/[\\/]/).at(-1),
    args: parent.args,
    command_line: parent.args.join(' '),
  };
}

function ancestryOf(process: Process): readonly string[] {
  const ids: string[] = [];
  for (let at = process.parent; at !== undefined && ids.length < 8; at = at.parent) ids.push(at.entityId);
  return ids;
}
