/**
 * Scenarios as data: short event notation, expanded to ECS documents as Elastic Defend writes them.
 *
 * `t` is in seconds from the start. One key names the kind: `exec`, `fork`, `exit`, `connect`, `lookup`, `write`,
 * `rename`, `delete`, `read`, `item` (launch_daemon), `btm`, `library`, `ptrace`,
 * `registry`; for hypervisors `login` and `typed`. `as` is the subject (`e5` an entity, `p5` a bare
 * pid), `by` its parent. `raw` is a document of another source as it stands, but for its `@timestamp`. Under `repeat`,
 * `{round}` in a text is the round's number, as wide as the last.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export interface ExpectedDetection {
  readonly rule: string;
  readonly severity: string;
  readonly host?: string;
  /** Severities of the published revisions in order. */
  readonly revisions?: readonly string[];
  /** Seconds from the start, of the last revision. */
  readonly at?: number;
  readonly notes?: readonly string[];
  readonly confidence?: string;
  readonly context?: string;
  readonly classes?: Readonly<Record<string, string>>;
  readonly instances?: Readonly<Record<string, number>>;
  readonly modifiers?: readonly string[];
  readonly techniques?: readonly string[];
  readonly suppressed?: number;
  readonly tier?: string;
  /** Of the alert's own coverage, by leg. */
  readonly coverage?: Readonly<Record<string, string>>;
  /** Pid of the root. */
  readonly pid?: number;
  readonly weak?: readonly string[];
}

/**
 * What a rule publishes by a time (seconds from the start) since the span before it, the clock having been put to that
 * time after all events. Bounds on alerts in five minutes show only so: a stream's end brings the rest at once.
 */
export interface ExpectedSpan {
  readonly by: number;
  readonly alerts: number;
  /** Alerts held back, as one record among those of the span tells. */
  readonly capped?: number;
  /** Last parts of the least and the greatest key. */
  readonly keys?: readonly [string, string];
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** Requirements that it shows, as `test/cases/requirements.yml` numbers them. */
  readonly shows?: readonly string[];
  readonly permute?: boolean;
  readonly minSeverity?: 'informational' | 'low';
  /** Settings and lists of the rules, as a caller configures them. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly rules: readonly string[];
  readonly events: readonly Record<string, unknown>[];
  readonly expect: readonly ExpectedDetection[];
  /** Instead of single detections; together they are all that is published. */
  readonly spans?: readonly ExpectedSpan[];
  readonly caps?: 'rule' | 'none';
  /** An exception file's content. */
  readonly exceptions?: readonly unknown[];
  /** Of exceptions: detections hidden, and come back after the expiry, by id. */
  readonly audit?: Readonly<Record<string, { readonly matched: number; readonly afterExpiry: number }>>;
  /** Events are pushed one by one, in the order in which they stand, with this lateness. */
  readonly lateness?: string;
  /** The engine is stopped and goes on from its snapshot after so many events. */
  readonly restartAfter?: number;
  /** Statuses by host, then by rule or RULE.LEG; `gaps`: codes that the host must have; `duplicates`: events that came again. */
  readonly coverage?: Readonly<Record<string, Readonly<Record<string, string | number | readonly string[]>>>>;
}

/** What a case says of its run; see {@link Scenario}. */
type RunKeys =
  | 'shows'
  | 'permute'
  | 'minSeverity'
  | 'config'
  | 'exceptions'
  | 'audit'
  | 'lateness'
  | 'restartAfter'
  | 'coverage'
  | 'spans'
  | 'caps';
const runKeys: readonly RunKeys[] = [
  'shows',
  'permute',
  'minSeverity',
  'config',
  'exceptions',
  'audit',
  'lateness',
  'restartAfter',
  'coverage',
  'spans',
  'caps',
];

interface ScenarioFile {
  readonly platform: string;
  readonly rules: readonly string[];
  readonly presets?: Readonly<Record<string, readonly ShortEvent[]>>;
  readonly cases: readonly (Partial<Pick<Scenario, RunKeys>> & {
    readonly id: string;
    readonly title: string;
    /** Instead of the file's. */
    readonly rules?: readonly string[];
    readonly before?: readonly string[];
    readonly dns?: boolean;
    readonly user?: string;
    readonly repeat?: { readonly times: number; readonly every: number };
    /** Every event comes twice, and all of it once more after a restart. */
    readonly again?: boolean;
    readonly events: readonly ShortEvent[];
    readonly expect?: readonly ExpectedDetection[];
  })[];
}

type ShortEvent = Readonly<Record<string, unknown>>;
export const startMs = Date.UTC(2026, 2, 2, 9, 0, 0);

export function loadScenarios(folder: string): readonly Scenario[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yml'))
    .sort()
    .flatMap((file) => expandFile(parse(readFileSync(join(folder, file), 'utf8')) as ScenarioFile));
}

function expandFile(file: ScenarioFile): readonly Scenario[] {
  return file.cases.map((one) => {
    const short = [...(one.before ?? []).flatMap((name) => file.presets?.[name] ?? []), ...repeated(one)];
    const expand = new Expander(file.platform, one.dns ?? true, one.user ?? 'alice');
    const events = short.map((event, index) => expand.event(event, index));
    const twice = events.flatMap((event) => [event, event]);
    return {
      id: one.id,
      title: one.title,
      rules: one.rules ?? file.rules,
      expect: one.expect ?? [],
      ...Object.fromEntries(runKeys.flatMap((key) => (one[key] === undefined ? [] : [[key, one[key]]]))),
      ...(one.again === true ? { events: [...twice, ...twice], restartAfter: twice.length } : { events }),
    };
  });
}

/** Repeated events get subjects of their own: `e20` of the third round is `e20r2`. */
function repeated(one: ScenarioFile['cases'][number]): readonly ShortEvent[] {
  if (one.repeat === undefined) return one.events;
  const { times, every } = one.repeat;
  return Array.from({ length: times }, (_, round) =>
    one.events.map((event) => {
      const t = Number(event.t) + every * round;
      if (event.once === true) return round === times - 1 ? [{ ...event, t }] : [];
      const number = String(round).padStart(String(times - 1).length, '0');
      const numbered = JSON.parse(JSON.stringify(event).replaceAll('{round}', number)) as ShortEvent;
      return [{ ...numbered, t, as: `${event.as}r${round}` }];
    }),
  ).flat(2);
}

class Expander {
  private readonly images = new Map<string, Record<string, unknown>>();

  constructor(
    private readonly platform: string,
    private readonly dns: boolean,
    private readonly user: string,
  ) {}

  event(short: ShortEvent, index: number): Record<string, unknown> {
    const time = new Date(startMs + Math.round(Number(short.t) * 1000)).toISOString();
    if (short.raw !== undefined) return { '@timestamp': time, ...(short.raw as Record<string, unknown>) };
    const document: Record<string, unknown> = {
      '@timestamp': time,
      'event.id': `ev-${index}`,
      'event.sequence': index,
      'event.module': 'endpoint',
      'agent.type': 'endpoint',
      'host.id': short.host ?? 'h1',
      'host.name': short.host ?? 'h1',
      'host.os.type': this.platform,
      'user.name': short.user ?? this.user,
      ...this.subject(String(short.as ?? '')),
      ...this.kind(short),
    };
    for (const [name, value] of Object.entries((short.fields as Record<string, unknown>) ?? {})) {
      if (value === null) delete document[name];
      else document[name] = value;
    }
    return document;
  }

  /** `e5` or `e5r2`: an entity with pid 5; `p5`: a bare pid. */
  private subject(as: string, prefix = 'process'): Record<string, unknown> {
    if (as === '') return {};
    const pid = Number(/\d+/.exec(as)?.[0] ?? 0);
    const known = prefix === 'process' ? this.images.get(as) : undefined;
    return {
      ...(as.startsWith('e') ? { [`${prefix}.entity_id`]: as } : {}),
      [`${prefix}.pid`]: pid,
      ...(known ?? {}),
    };
  }

  private kind(short: ShortEvent): Record<string, unknown> {
    const kinds = Object.keys(expansions).filter((name) => short[name] !== undefined);
    const [kind] = kinds;
    if (kind === undefined) throw new Error(`no kind in ${JSON.stringify(short)}`);
    const value = short[kind];
    const fields = (expansions[kind] as Expansion)(value, short, this.platform);
    if (kind === 'exec') {
      this.images.set(String(short.as), {
        'process.executable': fields['process.executable'],
        'process.name': fields['process.name'],
      });
    }
    const withoutDns = short.dns === false || !this.dns;
    if (kind === 'connect' && !withoutDns && fields['destination.domain'] === undefined) {
      fields['destination.domain'] = `host-${String(fields['destination.ip']).replace(/[.:]/g, '-')}.example.net`;
    }
    return { ...(short.by === undefined ? {} : this.subject(String(short.by), 'process.parent')), ...fields };
  }
}

type Expansion = (value: unknown, short: ShortEvent, platform: string) => Record<string, unknown>;

const fileEvent =
  (action: string, type: string): Expansion =>
  (value) => ({ 'event.category': ['file'], 'event.type': [type], 'event.action': action, 'file.path': value });

const expansions: Readonly<Record<string, Expansion>> = {
  exec: (value, short, platform) => {
    const words = (Array.isArray(value) ? value : String(value).split(' ')).map(String);
    const executable = String(short.path ?? words[0]);
    return {
      'event.category': ['process'],
      'event.type': ['start'],
      'event.action': platform === 'windows' ? 'start' : 'exec',
      'process.executable': executable,
      'process.name': short.name ?? executable.split(/[\\/]/).at(-1),
      'process.args': words,
      'process.command_line': words.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' '),
      'process.working_directory': short.cwd ?? (platform === 'windows' ? undefined : '/Users/alice/proj'),
    };
  },
  fork: () => ({ 'event.category': ['process'], 'event.type': ['start'], 'event.action': 'fork' }),
  exit: () => ({ 'event.category': ['process'], 'event.type': ['end'], 'event.action': 'end' }),
  connect: (value, short) => {
    const [, ip, port] = /^(.*):(\d+)$/.exec(String(value)) ?? [];
    return {
      'event.category': ['network'],
      'event.type': ['start'],
      'event.action': 'connection_attempted',
      'network.direction': 'egress',
      'network.transport': 'tcp',
      'destination.ip': ip,
      'destination.port': Number(port),
      'destination.domain': short.domain,
    };
  },
  lookup: (value, short) => ({
    'event.category': ['network'],
    'event.type': ['connection', 'protocol', 'info'],
    'event.action': 'lookup_result',
    'dns.question.name': value,
    'dns.resolved_ip': short.ip,
  }),
  write: (value, short, platform) =>
    fileEvent(platform === 'macos' ? 'modification' : 'creation', platform === 'macos' ? 'change' : 'creation')(
      value,
      short,
      platform,
    ),
  rename: (value, short, platform) => ({
    ...fileEvent('rename', 'change')(short.to, short, platform),
    'file.Ext.original.path': value,
  }),
  delete: fileEvent('deletion', 'deletion'),
  read: fileEvent('open', 'access'),
  item: (value, short) => ({
    'event.category': ['file'],
    'event.type': ['change'],
    'event.action': 'launch_daemon',
    'Persistence.path': value,
    'Persistence.args': short.program,
  }),
  btm: (value, short) => ({
    'event.category': ['process', 'configuration'],
    'event.type': ['change'],
    'event.action': 'btm_launch_item_add',
    'Persistence.path': value,
    'Persistence.args': short.program,
  }),
  ptrace: (value, short) => ({
    'event.category': ['process'],
    'event.type': ['change'],
    'event.action': 'ptrace',
    'process.Ext.ptrace.request': value,
    'Target.process.entity_id': short.target,
  }),
  registry: (value, short) => ({
    'event.category': ['registry'],
    'event.type': ['change'],
    'event.action': 'modification',
    'registry.path': value,
    'registry.data.strings': short.data,
  }),
  login: (value, short) => ({
    'event.class': 'auth_login',
    'event.category': ['authentication'],
    'event.type': ['start'],
    'event.action': 'log_on',
    'event.outcome': 'success',
    'source.ip': value,
    'x.session.id': String(short.world),
  }),
  typed: (value, short) => {
    const words = String(value).split(' ');
    return {
      'event.class': 'shell_command',
      'event.category': ['process'],
      'event.type': ['start'],
      'event.action': 'shell_command',
      'process.command_line': value,
      'process.args': words,
      'process.name': words[0]?.split('/').at(-1),
      'x.session.id': String(short.world),
    };
  },
  library: (value) => ({
    'event.category': ['library'],
    'event.type': ['start'],
    'event.action': 'load',
    'dll.path': value,
    'dll.name': String(value).split(/[\\/]/).at(-1),
  }),
};
