/**
 * Where interpreters run and who starts them, from the launches that behaviour rules witness. Based on execution: what
 * is installed and never runs does not appear. Exceptions do not apply. Bounded: see the limits below.
 */
import { keepNewest } from '../../core/bounded.js';
import { UsageError } from '../../core/errors.js';
import { globMatches } from '../../core/glob.js';
import { foldsPaths, pathKey } from '../../core/paths.js';
import type { Exception } from '../../rule/exception.js';
import type { BehaviorItem, BehaviorRule } from '../../rule/ir.js';
import type { HostExpectation } from '../behavior/baseline.js';
import { compileItem } from '../behavior/compiled/items.js';
import { type CompiledJudgement, compileJudgement } from '../behavior/compiled/judgement.js';
import { launchSubject } from '../behavior/exemption.js';
import { textsOf } from '../behavior/fields.js';
import { profileOf } from '../behavior/profile.js';
import { typedRoot } from '../behavior/root.js';
import type { ProcessNode, Witness } from '../behavior/witness.js';
import { type ExceptionSet, exceptionSet } from '../exceptions.js';
import { distributionOf, versionOf } from './distribution.js';
import { redact } from './redact.js';

/** Launches of one interpreter on one host. Counts are by name, the rest together under `…`. */
export interface InventoryRow {
  readonly host: string;
  readonly platform: string;
  /** Path of the interpreter; what was typed where the source knows no processes. */
  readonly interpreter: string;
  readonly distribution: string;
  readonly version: string | null;
  readonly tier: string;
  readonly signer: string | null;
  readonly firstSeenUs: number;
  readonly lastSeenUs: number;
  readonly launches: number;
  readonly users: Readonly<Record<string, number>>;
  /** Launch contexts, as the rules tell them. */
  readonly contexts: Readonly<Record<string, number>>;
  /** Executables that started it. */
  readonly parents: Readonly<Record<string, number>>;
  /** What was run: script paths without their volatile parts, `module:NAME`, `inline:HASH`. */
  readonly scripts: Readonly<Record<string, number>>;
  /** SHA-256 of what was run, where a source tells it: script and hash. */
  readonly scriptHashes: Readonly<Record<string, number>>;
  /** SHA-256 of the interpreter. */
  readonly hashes: Readonly<Record<string, number>>;
  /** systemd units that started it. */
  readonly units: Readonly<Record<string, number>>;
  /** launchd jobs that started it, by label. */
  readonly jobs: Readonly<Record<string, number>>;
  /** Where it and what it started connected to: name, or address where none is known, and port. */
  readonly destinations: Readonly<Record<string, number>>;
  /** Autostart items that it and what it started wrote or registered. */
  readonly persistence: Readonly<Record<string, number>>;
  /** The first few command lines, without secrets. */
  readonly commands: readonly string[];
  /** What is declared of the host's role: `unknown` where nothing is. */
  readonly expected: 'yes' | 'no' | 'unknown';
  /** Role of the host; null where none is declared. */
  readonly role: string | null;
  /** Who answers for the host; null where nobody is declared. */
  readonly owner: string | null;
  /** Exceptions that its launches meet in all that they say of launches, with the launches. */
  readonly exceptions: Readonly<Record<string, number>>;
}

/** The inventory as data: what `restore` takes over, by the same version. Sorted, so that two compare line by line. */
export interface InventoryData {
  readonly format: 'vedette-inventory';
  readonly version: 1;
  readonly rows: readonly InventoryRow[];
  /** Launches that no row had room for. */
  readonly dropped: number;
}

/** What is declared of hosts: roles, by globs over ids and names, and what may run on hosts of a role. The first glob that fits counts. */
export interface Expectations {
  readonly roles: Readonly<Record<string, string>>;
  readonly expect: Readonly<Record<string, HostExpectation>>;
  /** Who answers for hosts, by globs over ids and names. */
  readonly owners?: Readonly<Record<string, string>>;
}

/** Fields that launches need beside what rules read. */
export const inventoryFields: readonly string[] = [
  'process.executable',
  'process.command_line',
  'process.code_signature.subject_name',
  'process.code_signature.signing_id',
  'event.id',
  'user.name',
  'user.id',
  'process.parent.executable',
  'process.parent.name',
  'process.hash.sha256',
  'process.Ext.script.hash.sha256',
  'x.process.unit',
  'destination.domain',
  'destination.ip',
  'destination.port',
  'file.path',
  'Persistence.path',
  'registry.path',
];

const rowsMax = 50_000;
const namesMax = 64;
const commandsMax = 3;
const commandLengthMax = 300;

/** Kinds of counts that a row has. */
const countNames = [
  'users',
  'contexts',
  'parents',
  'scripts',
  'scriptHashes',
  'hashes',
  'units',
  'jobs',
  'destinations',
  'persistence',
  'exceptions',
] as const;
type CountName = (typeof countNames)[number];

interface Row {
  readonly row: Pick<
    InventoryRow,
    'host' | 'platform' | 'interpreter' | 'distribution' | 'version' | 'tier' | 'role' | 'expected' | 'owner'
  >;
  firstSeenUs: number;
  lastSeenUs: number;
  launches: number;
  signer: string | null;
  readonly counts: Readonly<Record<CountName, Map<string, number>>>;
  readonly commands: string[];
}

/** Roots whose row is remembered, so that what their trees do is counted with it. */
const rootsMax = 65_536;

export class Inventory {
  readonly #rows = new Map<string, Row>();
  /** Rows by host and identity of a launched process, oldest first. */
  readonly #roots = new Map<string, Row>();
  /** Launches counted lately, oldest first. */
  readonly #launches = new Set<string>();
  readonly #compiled = new Map<BehaviorRule, CompiledJudgement>();
  readonly #expectations: Expectations | undefined;
  readonly #exceptions: ExceptionSet | undefined;
  /** Launches of rows that had no room. */
  dropped = 0;

  constructor(expectations?: Expectations, exceptions: readonly Exception[] = []) {
    this.#expectations = expectations;
    this.#exceptions = exceptionSet(exceptions);
  }

  /**
   * Takes a witness: launches of processes that carry the rule's root mark, and what their trees connect to and have
   * started by the system.
   */
  take(rule: BehaviorRule, witness: Witness): void {
    const item = rule.items.find(({ id }) => id === witness.itemId);
    if (item === undefined) return;
    if (item.class === rule.judgement.bookkeeping.launch) this.#launched(rule, witness);
    else this.#did(rule, item, witness);
  }

  #compiledOf(rule: BehaviorRule): CompiledJudgement {
    const known = this.#compiled.get(rule) ?? compileJudgement(rule.judgement);
    this.#compiled.set(rule, known);
    return known;
  }

  #did(rule: BehaviorRule, item: BehaviorItem, witness: Witness): void {
    const spec = rule.judgement.classes.find(({ name }) => name === item.class);
    if (spec?.learns !== 'destination' && spec?.learns !== 'approval') return;
    const row = witness.chain
      .map(({ identity }) => this.#roots.get(rootKey(witness.host.id, identity)))
      .find((one) => one !== undefined);
    if (row === undefined) return;
    if (spec.learns === 'destination') {
      const place = first(witness, 'destination.domain', 'destination.ip');
      const port = first(witness, 'destination.port');
      if (place !== undefined) add(row.counts.destinations, port === undefined ? place : `${place}:${port}`);
      return;
    }
    const form = compileItem(
      rule.judgement,
      spec,
      rule.judgement.items.find(({ id }) => id === item.id),
      this.#compiledOf(rule).removals,
    );
    const path = first(witness, ...(form.path?.fields ?? []), 'Persistence.path', 'file.path', 'registry.path');
    if (path === undefined) return;
    const key = pathKey(path, rule.judgement.platform);
    if (form.path === undefined || form.path.isIn(key, foldsPaths(rule.judgement.platform)))
      add(row.counts.persistence, path);
  }

  #launched(rule: BehaviorRule, witness: Witness): void {
    const { session, platform } = rule.judgement;
    const isTyped = session.kind === 'fields';
    const chain = isTyped ? [typedRoot('', witness)] : witness.chain;
    const [node, parent] = chain;
    if (node === undefined || (!isTyped && !node.marks.includes(rule.root))) return;
    const profile = profileOf(this.#compiledOf(rule), chain, witness.chainTruncated, witness.fields);
    const interpreter = first(witness, 'process.executable') ?? executableOf(node) ?? 'unknown';
    const row = this.#row(witness, platform, interpreter, profile.tier);
    if (row === undefined) return;
    this.#remember(rootKey(witness.host.id, node.identity), row);
    if (this.#isAgain(witness.host.id, node, interpreter)) return;
    row.launches++;
    row.firstSeenUs = Math.min(row.firstSeenUs, witness.timeUs);
    row.lastSeenUs = Math.max(row.lastSeenUs, witness.timeUs);
    row.signer ??= first(witness, 'process.code_signature.subject_name', 'process.code_signature.signing_id') ?? null;
    const { counts } = row;
    add(counts.users, profile.user ?? first(witness, 'user.name', 'user.id') ?? 'unknown');
    add(counts.contexts, profile.context);
    const own = parent === undefined ? undefined : executableOf(parent);
    add(counts.parents, own ?? first(witness, 'process.parent.executable', 'process.parent.name') ?? 'unknown');
    add(counts.scripts, profile.scriptId);
    const unit = first(witness, 'x.process.unit');
    if (unit !== undefined) add(counts.units, unit);
    const job = launchdJobOf(chain);
    if (job !== undefined) add(counts.jobs, job);
    const hash = first(witness, 'process.hash.sha256');
    if (hash !== undefined) add(counts.hashes, hash);
    const scriptHash = first(witness, 'process.Ext.script.hash.sha256');
    if (scriptHash !== undefined) add(counts.scriptHashes, `${profile.scriptId} ${scriptHash}`);
    const { host } = witness;
    const subject = launchSubject({ ruleId: rule.id, platform, host, profile }, witness);
    for (const id of this.#exceptions?.covering(subject) ?? []) add(counts.exceptions, id);
    this.#addCommand(row, first(witness, 'process.command_line') ?? node.images.at(-1)?.commandLine);
  }

  /** One launch that two sensors tell, or one delivered twice, is one: equal pid, first seen at the same time. */
  #isAgain(host: string, { pid, images }: ProcessNode, interpreter: string): boolean {
    const [first] = images;
    if (pid === undefined || first === undefined) return false;
    const launch = `${host} ${pid} ${first.timeUs} ${interpreter}`;
    if (this.#launches.has(launch)) return true;
    this.#launches.add(launch);
    keepNewest(this.#launches, rootsMax);
    return false;
  }

  #remember(root: string, row: Row): void {
    this.#roots.delete(root);
    this.#roots.set(root, row);
    keepNewest(this.#roots, rootsMax);
  }

  #row({ host, timeUs }: Witness, platform: string, interpreter: string, tier: string): Row | undefined {
    const key = keyOf({ host: host.id, interpreter, tier });
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= rowsMax) {
      this.dropped++;
      return undefined;
    }
    const distribution = distributionOf(interpreter);
    const made = emptyRow({
      host: host.id,
      platform,
      interpreter,
      distribution,
      version: versionOf(interpreter) ?? null,
      tier,
      ...this.#expected(host, distribution),
    });
    made.firstSeenUs = timeUs;
    made.lastSeenUs = timeUs;
    this.#rows.set(key, made);
    return made;
  }

  #expected(
    host: { readonly id: string; readonly name?: string },
    distribution: string,
  ): Pick<Row['row'], 'role' | 'expected' | 'owner'> {
    const { roles = {}, expect = {}, owners = {} } = this.#expectations ?? {};
    const names = [host.id, host.name ?? ''].map((name) => name.toLowerCase());
    const of = (table: Readonly<Record<string, string>>): string | undefined =>
      Object.entries(table).find(([glob]) => names.some((name) => globMatches(glob.toLowerCase(), name)))?.[1];
    const role = of(roles);
    const owner = of(owners) ?? null;
    const declared = role === undefined ? undefined : expect[role];
    if (role === undefined || declared === undefined) return { role: role ?? null, expected: 'unknown', owner };
    const isAllowed = declared.distributions?.includes(distribution) !== false;
    return { role, expected: declared.python !== false && isAllowed ? 'yes' : 'no', owner };
  }

  #addCommand({ commands }: Row, line: string | undefined): void {
    if (line === undefined || commands.length >= commandsMax) return;
    const safe = redact(line).slice(0, commandLengthMax);
    if (!commands.includes(safe)) commands.push(safe);
  }

  /** By host, then interpreter; names by count. */
  rows(): InventoryRow[] {
    return [...this.#rows.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { row, firstSeenUs, lastSeenUs, launches, signer, counts, commands }]) => {
        const named = Object.fromEntries(countNames.map((name) => [name, counted(counts[name])]));
        return {
          ...row,
          signer,
          firstSeenUs,
          lastSeenUs,
          launches,
          ...(named as Record<CountName, Record<string, number>>),
          commands,
        };
      });
  }

  export(): InventoryData {
    return { format: 'vedette-inventory', version: 1, rows: this.rows(), dropped: this.dropped };
  }

  /**
   * Adds another inventory: counts are summed, times widened. What is declared now decides what is expected.
   * @throws UsageError `INPUT_UNREADABLE` for data that is none, or of another version.
   */
  add(data: InventoryData): void {
    if (data?.format !== 'vedette-inventory' || data.version !== 1 || !Array.isArray(data.rows)) {
      throw new UsageError(
        'INPUT_UNREADABLE',
        'not an inventory of version 1: make it with `vedette inventory --export`',
      );
    }
    this.dropped += data.dropped;
    for (const row of data.rows) this.#addRow(row);
  }

  #addRow(given: InventoryRow): void {
    const key = keyOf(given);
    const known = this.#rows.get(key);
    if (known === undefined && this.#rows.size >= rowsMax) {
      this.dropped += given.launches;
      return;
    }
    const { host, platform, interpreter, distribution, version, tier } = given;
    const declared = this.#expectations === undefined ? given : this.#expected({ id: host }, distribution);
    const { role, expected, owner = null } = declared;
    const row = known ?? emptyRow({ host, platform, interpreter, distribution, version, tier, role, expected, owner });
    this.#rows.set(key, row);
    row.firstSeenUs = Math.min(row.firstSeenUs, given.firstSeenUs);
    row.lastSeenUs = Math.max(row.lastSeenUs, given.lastSeenUs);
    row.launches += given.launches;
    row.signer ??= given.signer;
    for (const name of countNames)
      for (const [text, count] of Object.entries(given[name] ?? {})) add(row.counts[name], text, count);
    for (const line of given.commands) this.#addCommand(row, line);
  }
}

const keyOf = ({ host, interpreter, tier }: Pick<InventoryRow, 'host' | 'interpreter' | 'tier'>): string =>
  JSON.stringify([host, interpreter, tier]);

const rootKey = (host: string, identity: string): string => `${host} ${identity}`;

function emptyRow(row: Row['row']): Row {
  const counts = Object.fromEntries(countNames.map((name) => [name, new Map<string, number>()]));
  return {
    row,
    firstSeenUs: Number.POSITIVE_INFINITY,
    lastSeenUs: Number.NEGATIVE_INFINITY,
    launches: 0,
    signer: null,
    counts: counts as Record<CountName, Map<string, number>>,
    commands: [],
  };
}

/** The first value that the event has among the fields. */
function first({ fields }: Witness, ...names: readonly string[]): string | undefined {
  return names.map((name) => textsOf(fields, name)[0]).find((text) => text !== undefined);
}

/** The label of the launchd job that became the root, or started it: the stub that launchd runs first names it. */
function launchdJobOf([root, parent]: readonly ProcessNode[]): string | undefined {
  for (const { executable, args } of [root, parent].flatMap((node) => node?.images ?? []))
    if (executable?.endsWith('/xpcproxy') === true && args?.[1] !== undefined) return args[1];
  return undefined;
}

const executableOf = ({ images }: ProcessNode): string | undefined => images.at(-1)?.executable ?? images.at(-1)?.name;

function add(counts: Map<string, number>, name: string, count = 1): void {
  const key = counts.has(name) || counts.size < namesMax ? name : '…';
  counts.set(key, (counts.get(key) ?? 0) + count);
}

const counted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
