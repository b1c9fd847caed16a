/**
 * What is known of the trees that analytics watch, by host: roots by tier and launch context, and how sure their
 * identity and lineage are. Counted from witnesses, the few events that an analytic weighs. Bounded: see the limits below.
 */
import { keepNewest } from '../../core/bounded.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { type CompiledJudgement, compileJudgement } from '../behavior/compiled/judgement.js';
import { profileOf, type SessionProfile } from '../behavior/profile.js';
import { rootChain, typedRoot } from '../behavior/root.js';
import type { ProcessNode, Witness } from '../behavior/witness.js';

/** Why a launch context is not known: the parent was never reported, no list names it, or the root's own start is missing. */
export type UnknownContext = 'parent_missing' | 'unlisted' | 'orphan';

/** Counts of one host. A root is the topmost process of a tree; where sources know no processes, a launch. */
export interface TreeCounts {
  readonly roots: number;
  readonly byTier: Readonly<Record<string, number>>;
  readonly contexts: Readonly<Record<string, number>>;
  readonly unknownContexts: Readonly<Record<UnknownContext, number>>;
  /** Roots known by a pid alone. */
  readonly weak: number;
  /** Roots known only from events that mention them. */
  readonly implicit: number;
  /** Roots above which the lineage breaks off. */
  readonly broken: number;
  /** Roots whose arguments were split from one text. */
  readonly argsSplit: number;
  /** Events of trees that an analytic weighed, by class; launches and what is only remembered aside. */
  readonly followOns: Readonly<Record<string, number>>;
  /** Those of trees whose root is implicit. */
  readonly orphanFollowOns: number;
}

/** Counts and the roots behind them, as a snapshot keeps them. */
export interface TreeState {
  readonly counts: TreeCounts;
  readonly roots: readonly (readonly [identity: string, RootFacts])[];
}

/** What a root was counted as. */
interface RootFacts {
  readonly tier: string;
  readonly context: string;
  readonly unknown?: UnknownContext;
  readonly weak: boolean;
  readonly implicit: boolean;
  readonly broken: boolean;
  readonly argsSplit: boolean;
  /** Pid and first time, where the root is known by them alone: another sensor may tell its identity. */
  readonly life?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Counts = Mutable<Omit<TreeCounts, 'byTier' | 'contexts' | 'unknownContexts' | 'followOns'>> & {
  readonly byTier: Record<string, number>;
  readonly contexts: Record<string, number>;
  readonly unknownContexts: Record<UnknownContext, number>;
  readonly followOns: Record<string, number>;
};

interface Host {
  readonly counts: Counts;
  /** Roots counted, oldest first. */
  readonly roots: Map<string, RootFacts>;
}

/** What a witness of an item is to the tally. */
interface ItemKind {
  readonly className: string;
  readonly isLaunch: boolean;
  readonly isFollowOn: boolean;
  /** It may tell more of the root itself: another image, a library. */
  readonly isTelling: boolean;
}

interface KnownRule {
  readonly compiled: CompiledJudgement;
  readonly kinds: ReadonlyMap<string, ItemKind>;
}

function kindsOf({ items, judgement }: BehaviorRule): ReadonlyMap<string, ItemKind> {
  const { classes, bookkeeping } = judgement;
  const remembered = new Set<string | undefined>(Object.values(bookkeeping));
  return new Map(
    items.map(({ id, class: className }) => {
      const isLaunch = className === bookkeeping.launch;
      const isContext = classes.find(({ name }) => name === className)?.role === 'context';
      const isFollowOn = !isContext && !isLaunch;
      const isTelling = isLaunch || (isContext && !remembered.has(className));
      return [id, { className, isLaunch, isFollowOn, isTelling }];
    }),
  );
}

/** Hosts beyond are not counted; of a host, roots beyond the newest may be counted again. */
const hostsMax = 65_536;
const rootsOfHostMax = 64;

const flags = ['weak', 'implicit', 'broken', 'argsSplit'] as const;

export class TreeTally {
  readonly #hosts = new Map<string, Host>();
  readonly #rules = new Map<BehaviorRule, KnownRule>();
  readonly #ruleIds: ReadonlySet<string>;

  /** `ruleIds`: rules whose trees count. */
  constructor(ruleIds: Iterable<string>) {
    this.#ruleIds = new Set(ruleIds);
  }

  take(rule: BehaviorRule, witness: Witness): void {
    if (!this.#ruleIds.has(rule.id)) return;
    const kind = this.#known(rule).kinds.get(witness.itemId);
    if (kind === undefined) return;
    const { className, isLaunch, isFollowOn, isTelling } = kind;
    const root = this.#rootOf(rule, witness, isLaunch);
    if (root === undefined) return;
    const host = this.#host(witness.host.id);
    if (host === undefined) return;
    const { identity, facts, isSubject } = root;
    const known = host.roots.get(identity) ?? adopted(host, root.node);
    if (known !== undefined) host.roots.set(identity, known);
    // Later events of the root itself tell more of it: another image, a library.
    if (known === undefined || (isSubject && isTelling)) this.#count(host, identity, known, facts());
    if (!isFollowOn) return;
    host.counts.followOns[className] = (host.counts.followOns[className] ?? 0) + 1;
    if (host.roots.get(identity)?.implicit === true) host.counts.orphanFollowOns++;
  }

  /** The counts of a host; undefined where nothing was witnessed. */
  of(hostId: string): TreeCounts | undefined {
    return this.#hosts.get(hostId)?.counts;
  }

  snapshot(hostId: string): TreeState | undefined {
    const host = this.#hosts.get(hostId);
    return host === undefined ? undefined : { counts: host.counts, roots: [...host.roots] };
  }

  restore(hostId: string, { counts, roots }: TreeState): void {
    this.#hosts.set(hostId, { counts: structuredClone(counts) as Counts, roots: new Map(roots) });
  }

  #rootOf(rule: BehaviorRule, witness: Witness, isLaunch: boolean) {
    const { compiled } = this.#known(rule);
    if (rule.judgement.session.kind === 'fields') {
      if (!isLaunch) return undefined;
      const node = typedRoot(`${witness.eventId}`, witness);
      return { identity: node.identity, node, isSubject: true, facts: () => factsOf(compiled, [node], witness) };
    }
    const chain = rootChain(compiled, rule.root, witness.chain);
    const [node] = chain;
    if (node === undefined) return undefined;
    const isSubject = node.identity === witness.chain[0]?.identity;
    const facts = () => factsOf(compiled, chain, witness, isLaunch && isSubject);
    return { identity: node.identity, node, isSubject, facts };
  }

  #known(rule: BehaviorRule): KnownRule {
    const known = this.#rules.get(rule) ?? { compiled: compileJudgement(rule.judgement), kinds: kindsOf(rule) };
    this.#rules.set(rule, known);
    return known;
  }

  #host(id: string): Host | undefined {
    const known = this.#hosts.get(id);
    if (known !== undefined || this.#hosts.size >= hostsMax) return known;
    const made = { counts: noCounts(), roots: new Map<string, RootFacts>() };
    this.#hosts.set(id, made);
    return made;
  }

  #count({ counts, roots }: Host, identity: string, before: RootFacts | undefined, now: RootFacts): void {
    // What a launch event said of the context stays: later events carry less.
    const facts = before !== undefined && now.unknown !== undefined ? { ...now, ...contextOf(before) } : now;
    if (before !== undefined) add(counts, before, -1);
    add(counts, facts, 1);
    roots.delete(identity);
    roots.set(identity, facts);
    keepNewest(roots, rootsOfHostMax);
  }
}

const lifeOf = ({ pid, images }: ProcessNode): string => `${pid} ${images[0]?.timeUs}`;

/** What a root was counted as while it was known by its pid alone. */
function adopted({ roots }: Host, node: ProcessNode): RootFacts | undefined {
  if (node.weak || node.pid === undefined) return undefined;
  const [identity, facts] = [...roots].find(([, { life }]) => life === lifeOf(node)) ?? [];
  if (identity !== undefined) roots.delete(identity);
  return facts;
}

const noCounts = (): Counts => ({
  roots: 0,
  byTier: {},
  contexts: {},
  unknownContexts: { parent_missing: 0, unlisted: 0, orphan: 0 },
  weak: 0,
  implicit: 0,
  broken: 0,
  argsSplit: 0,
  followOns: {},
  orphanFollowOns: 0,
});

const contextOf = ({ context, unknown }: RootFacts) => ({ context, ...(unknown === undefined ? {} : { unknown }) });

function factsOf(
  compiled: CompiledJudgement,
  chain: readonly ProcessNode[],
  { chainTruncated, fields }: Witness,
  isLaunch = true,
): RootFacts {
  const profile = profileOf(compiled, chain, chainTruncated, isLaunch ? fields : undefined);
  const { quality } = profile;
  return {
    tier: profile.tier,
    context: profile.context,
    ...unknownOf(compiled, profile),
    weak: quality.includes('weak_identity'),
    ...(chain[0]?.weak === true ? { life: lifeOf(chain[0]) } : {}),
    implicit: quality.includes('implicit'),
    broken: quality.includes('lineage_broken'),
    argsSplit: quality.includes('args_split'),
  };
}

function unknownOf({ judgement }: CompiledJudgement, profile: SessionProfile): { unknown?: UnknownContext } {
  if (profile.context !== judgement.unknownContext.name) return {};
  return { unknown: (profile.contextReasons[0] ?? 'unlisted') as UnknownContext };
}

function add(counts: Counts, facts: RootFacts, by: 1 | -1): void {
  counts.roots += by;
  change(counts.byTier, facts.tier, by);
  change(counts.contexts, facts.context, by);
  if (facts.unknown !== undefined) counts.unknownContexts[facts.unknown] += by;
  for (const flag of flags) if (facts[flag]) counts[flag] += by;
}

function change(counts: Record<string, number>, name: string, by: number): void {
  const count = (counts[name] ?? 0) + by;
  if (count > 0) counts[name] = count;
  else delete counts[name];
}
