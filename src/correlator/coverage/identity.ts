/** How sure processes and their lineage are on a host, and what is known of the trees that analytics watch. */
import type { TreeCounts } from './trees.js';

/** Shares; null where nothing was seen that could show them. */
export interface IdentityReport {
  /** Process starts known by more than a pid, and those known by a pid alone. */
  readonly strongRate: number | null;
  readonly weakRate: number | null;
  /** Ends and forks for each start. */
  readonly exitsRate: number | null;
  readonly forksRate: number | null;
  /** Trees whose root is known only from events that mention it, and those whose lineage breaks off above the root. */
  readonly implicitRate: number | null;
  readonly brokenLineageRate: number | null;
  /** Follow-on events of trees whose root's own start never came. */
  readonly orphanFollowOns: number;
  readonly orphanRate: number | null;
}

/** Trees that analytics watch, by what is known of their roots. */
export interface PythonReport {
  /** Topmost processes of trees. */
  readonly roots: number;
  /** Every tier, zero included. */
  readonly byTier: Readonly<Record<string, number>>;
  readonly contexts: Readonly<Record<string, number>>;
  /** Roots whose launch context is known. */
  readonly contextKnownRate: number | null;
  readonly contextUnknown: { readonly parentMissing: number; readonly unlisted: number; readonly orphan: number };
  /** Roots whose arguments were split from one text, so that their boundaries are a guess. */
  readonly argsSplitRate: number | null;
  /** Events of trees that an analytic weighed, by class. */
  readonly followOns: Readonly<Record<string, number>>;
}

const tiers = ['P1', 'P1L', 'P2', 'P2R', 'P3', 'PN'];

const share = (count: number, of: number): number | null => (of === 0 ? null : count / of);

/** `count`: of the model's counters, by id. */
export function identityOf(count: (id: string) => number, trees: TreeCounts | undefined): IdentityReport {
  const starts = count('class:process_exec');
  const strongRate = share(count('field:process.entity_id'), starts);
  const { roots = 0, implicit = 0, broken = 0, followOns = {}, orphanFollowOns = 0 } = trees ?? {};
  return {
    strongRate,
    weakRate: strongRate === null ? null : 1 - strongRate,
    exitsRate: share(count('class:process_exit'), starts),
    forksRate: share(count('class:process_fork'), starts),
    implicitRate: share(implicit, roots),
    brokenLineageRate: share(broken, roots),
    orphanFollowOns,
    orphanRate: share(
      orphanFollowOns,
      Object.values(followOns).reduce((sum, one) => sum + one, 0),
    ),
  };
}

/** Null where no tree was witnessed. */
export function pythonOf(trees: TreeCounts | undefined): PythonReport | null {
  if (trees === undefined || trees.roots === 0) return null;
  const { roots, byTier, contexts, unknownContexts, argsSplit, followOns } = trees;
  const unknown = Object.values(unknownContexts).reduce((sum, one) => sum + one, 0);
  const sorted = (counts: Readonly<Record<string, number>>): Record<string, number> =>
    Object.fromEntries(Object.entries(counts).sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)));
  return {
    roots,
    byTier: { ...Object.fromEntries(tiers.map((tier) => [tier, 0])), ...byTier },
    contexts: sorted(contexts),
    contextKnownRate: share(roots - unknown, roots),
    contextUnknown: {
      parentMissing: unknownContexts.parent_missing,
      unlisted: unknownContexts.unlisted,
      orphan: unknownContexts.orphan,
    },
    argsSplitRate: share(argsSplit, roots),
    followOns: sorted(followOns),
  };
}
