/** Chain tests: where on the root's chain a process test looks. The root is first, its ancestors follow. */
import type { ChainTest } from '../../../rule/behavior.js';
import type { ProcessNode } from '../witness.js';
import type { CompiledProcess, ProcessTests } from './process.js';

/** The effective parent counts as an ancestor. */
export type ChainQuestion = (chain: readonly ProcessNode[], effectiveParent?: ProcessNode) => boolean;

/** `wrappers` are looked through by `nearest` and `entry`; `depth` is how far `ancestor` looks by default. */
export function compileChain(
  test: ChainTest,
  processes: ProcessTests,
  wrappers: CompiledProcess,
  depth: number,
): ChainQuestion {
  const process = processes.compile(test.process);
  const holds = (node: ProcessNode | undefined): boolean => node !== undefined && process.holds(processes.read(node));
  const isWrapper = (node: ProcessNode): boolean => wrappers.holds(processes.read(node));
  switch (test.at) {
    case 'root':
      return (chain) => holds(chain[0]);
    case 'parent':
      return (chain) => holds(chain[1]);
    case 'nearest':
      return (chain) => holds(chain[aboveWrappers(chain, isWrapper)]);
    case 'ancestor': {
      const end = 1 + (test.depth ?? depth);
      return (chain, effectiveParent) => holds(effectiveParent) || anyHolds(chain, 1, end, holds);
    }
    case 'entry':
      return (chain) => anyHolds(chain, 0, aboveWrappers(chain, isWrapper), holds);
  }
}

/** Index of the first ancestor that is no wrapper; the chain's length where there is none. */
function aboveWrappers(chain: readonly ProcessNode[], isWrapper: (node: ProcessNode) => boolean): number {
  let index = 1;
  while (index < chain.length && isWrapper(chain[index] as ProcessNode)) index++;
  return index;
}

function anyHolds(
  chain: readonly ProcessNode[],
  from: number,
  to: number,
  holds: (node: ProcessNode) => boolean,
): boolean {
  for (let i = from; i < to && i < chain.length; i++) if (holds(chain[i] as ProcessNode)) return true;
  return false;
}
