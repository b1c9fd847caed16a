/** Questions that are asked of a whole fleet's inventory. */
import type { InventoryRow } from './inventory.js';

export interface InventoryViews {
  readonly rows: number;
  readonly hosts: number;
  /** Hosts where an interpreter ran that their role does not expect. */
  readonly unexpected: readonly string[];
  /** Interpreters that lie where no package puts one and ran as an administrator: host and path. */
  readonly unmanagedAsRoot: readonly { readonly host: string; readonly interpreter: string }[];
  /** Launches by context, the most first. */
  readonly contexts: Readonly<Record<string, number>>;
}

/** Places that no package and no management tool owns. */
const unmanaged = new Set(['virtual environment', 'temporary folder', 'home folder', 'elsewhere', 'unknown']);
const administrators = new Set(['root', '0', 'system', 's-1-5-18', 'nt authority\\system']);

export function viewsOf(rows: readonly InventoryRow[]): InventoryViews {
  const contexts = new Map<string, number>();
  for (const row of rows)
    for (const [name, count] of Object.entries(row.contexts)) contexts.set(name, (contexts.get(name) ?? 0) + count);
  const isUnmanaged = ({ distribution, users }: InventoryRow): boolean =>
    unmanaged.has(distribution) && Object.keys(users).some((user) => administrators.has(user.toLowerCase()));
  return {
    rows: rows.length,
    hosts: new Set(rows.map(({ host }) => host)).size,
    unexpected: [...new Set(rows.filter(({ expected }) => expected === 'no').map(({ host }) => host))],
    unmanagedAsRoot: rows.filter(isUnmanaged).map(({ host, interpreter }) => ({ host, interpreter })),
    contexts: Object.fromEntries([...contexts].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1))),
  };
}
