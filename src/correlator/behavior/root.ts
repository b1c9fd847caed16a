/** Which process of a witness's chain is the root of its session. */
import { splitPosix } from './command_line.js';
import type { CompiledJudgement } from './compiled/judgement.js';
import { textOf } from './fields.js';
import { runOf } from './profile.js';
import type { ProcessImage, ProcessNode, Witness } from './witness.js';

/**
 * The session's root and its ancestors: the root is the topmost process that carries the root mark, or above it the
 * topmost parent that runs the same executable, unless that is an interpreter (a bootloader that starts itself again).
 * The walk ends at a service host, below which each marked process that runs something else is a root of its own.
 * Empty when none is marked.
 */
export function rootChain(
  compiled: CompiledJudgement,
  rootMark: string,
  chain: readonly ProcessNode[],
): readonly ProcessNode[] {
  const marked = markedIndex(compiled, rootMark, chain);
  if (marked < 0) return [];
  const { processes, interpreter } = compiled;
  let index = marked;
  if (!interpreter.holds(processes.read(chain[marked] as ProcessNode))) {
    while (runsSameImage(chain[index], chain[index + 1])) index++;
  }
  if (index === marked) return index === 0 ? chain : chain.slice(index);
  const marks = [...new Set(chain.slice(marked, index + 1).flatMap((node) => node.marks))];
  return [{ ...(chain[index] as ProcessNode), marks }, ...chain.slice(index + 1)];
}

function runsSameImage(child: ProcessNode | undefined, parent: ProcessNode | undefined): boolean {
  const executable = child?.images.at(-1)?.executable;
  return executable !== undefined && parent?.images.at(-1)?.executable === executable;
}

function markedIndex(compiled: CompiledJudgement, rootMark: string, chain: readonly ProcessNode[]): number {
  const { serviceHosts, processes } = compiled;
  let root = -1;
  for (let index = 0; index < chain.length; index++) {
    const node = chain[index] as ProcessNode;
    const isMarked = node.marks.includes(rootMark);
    if (serviceHosts.holds(processes.read(node))) {
      if (!isMarked) return root;
      const belowRunsOther = root >= 0 && runOf(compiled, chain[root] as ProcessNode).id !== runOf(compiled, node).id;
      return belowRunsOther ? root : index;
    }
    if (isMarked) root = index;
  }
  return root;
}

/** A stand-in for the root where sessions are told by fields: what the witness says was run, and nothing above it. */
export function typedRoot(identity: string, { fields, timeUs }: Witness): ProcessNode {
  const commandLine = textOf(fields, 'process.command_line');
  const { args } = splitPosix(commandLine ?? '');
  const [executable] = args;
  const user = textOf(fields, 'user.name');
  const image: ProcessImage = {
    timeUs,
    ...(executable === undefined ? {} : { executable }),
    args,
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(user === undefined ? {} : { user }),
  };
  return { identity, weak: false, images: [image], marks: [], link: 'none', implicit: true, exited: false };
}
