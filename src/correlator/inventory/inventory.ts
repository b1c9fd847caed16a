/**
 * Where interpreters run and who starts them, from the launches that behaviour rules witness. Based on execution: what
 * is installed and never runs does not appear. Exceptions do not apply. Bounded: see the limits below.
 */
import type { BehaviorRule } from '../../rule/ir.js';
import { compileJudgement } from '../behavior/compiled/judgement.js';
import { textsOf } from '../behavior/fields.js';
import { profileOf } from '../behavior/profile.js';
import { typedRoot } from '../behavior/root.js';
import type { ProcessNode, Witness } from '../behavior/witness.js';
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
  /** The first few command lines, without secrets. */
  readonly commands: readonly string[];
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
];

const rowsMax = 50_000;
const namesMax = 64;
const commandsMax = 3;
const commandLengthMax = 300;

interface Row {
  readonly row: Omit<
    InventoryRow,
    'users' | 'contexts' | 'parents' | 'scripts' | 'firstSeenUs' | 'lastSeenUs' | 'launches' | 'signer'
  >;
  firstSeenUs: number;
  lastSeenUs: number;
  launches: number;
  signer: string | null;
  readonly users: Map<string, number>;
  readonly contexts: Map<string, number>;
  readonly parents: Map<string, number>;
  readonly scripts: Map<string, number>;
  readonly commands: string[];
}

export class Inventory {
  readonly #rows = new Map<string, Row>();
  /** Launches of rows that had no room. */
  dropped = 0;

  /** Takes a witness; only launches of processes that carry the rule's root mark count. */
  take(rule: BehaviorRule, witness: Witness): void {
    const { bookkeeping, session, platform } = rule.judgement;
    const item = rule.items.find(({ id }) => id === witness.itemId);
    if (item === undefined || item.class !== bookkeeping.launch) return;
    const isTyped = session.kind === 'fields';
    const chain = isTyped ? [typedRoot('', witness)] : witness.chain;
    const [node, parent] = chain;
    if (node === undefined || (!isTyped && !node.marks.includes(rule.root))) return;
    const profile = profileOf(compileJudgement(rule.judgement), chain, witness.chainTruncated, witness.fields);
    const interpreter = first(witness, 'process.executable') ?? executableOf(node) ?? 'unknown';
    const row = this.#row(witness, platform, interpreter, profile.tier);
    if (row === undefined) return;
    row.launches++;
    row.firstSeenUs = Math.min(row.firstSeenUs, witness.timeUs);
    row.lastSeenUs = Math.max(row.lastSeenUs, witness.timeUs);
    row.signer ??= first(witness, 'process.code_signature.subject_name', 'process.code_signature.signing_id') ?? null;
    add(row.users, profile.user ?? first(witness, 'user.name', 'user.id') ?? 'unknown');
    add(row.contexts, profile.context);
    const own = parent === undefined ? undefined : executableOf(parent);
    add(row.parents, own ?? first(witness, 'process.parent.executable', 'process.parent.name') ?? 'unknown');
    add(row.scripts, profile.scriptId);
    this.#addCommand(row, first(witness, 'process.command_line') ?? node.images.at(-1)?.commandLine);
  }

  #row({ host, timeUs }: Witness, platform: string, interpreter: string, tier: string): Row | undefined {
    const key = JSON.stringify([host.id, interpreter, tier]);
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    if (this.#rows.size >= rowsMax) {
      this.dropped++;
      return undefined;
    }
    const commands: string[] = [];
    const distribution = distributionOf(interpreter);
    const version = versionOf(interpreter) ?? null;
    const made: Row = {
      row: { host: host.id, platform, interpreter, distribution, version, tier, commands },
      firstSeenUs: timeUs,
      lastSeenUs: timeUs,
      launches: 0,
      signer: null,
      users: new Map(),
      contexts: new Map(),
      parents: new Map(),
      scripts: new Map(),
      commands,
    };
    this.#rows.set(key, made);
    return made;
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
      .map(([, { row, firstSeenUs, lastSeenUs, launches, signer, users, contexts, parents, scripts }]) => ({
        ...row,
        signer,
        firstSeenUs,
        lastSeenUs,
        launches,
        users: counted(users),
        contexts: counted(contexts),
        parents: counted(parents),
        scripts: counted(scripts),
      }));
  }
}

/** The first value that the event has among the fields. */
function first({ fields }: Witness, ...names: readonly string[]): string | undefined {
  return names.map((name) => textsOf(fields, name)[0]).find((text) => text !== undefined);
}

const executableOf = ({ images }: ProcessNode): string | undefined => images.at(-1)?.executable ?? images.at(-1)?.name;

function add(counts: Map<string, number>, name: string): void {
  const key = counts.has(name) || counts.size < namesMax ? name : '…';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

const counted = (counts: ReadonlyMap<string, number>): Record<string, number> =>
  Object.fromEntries([...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
