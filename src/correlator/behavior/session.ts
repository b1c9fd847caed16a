/** A session: one root process, what it runs, where it came from, and its open cases. */
import { digest } from '../../core/digest.js';
import { generalisePath, joinPath, pathKey } from '../../core/paths.js';
import type { Judgement } from '../../rule/behavior.js';
import type { BehaviorRule } from '../../rule/ir.js';
import type { Case } from './case.js';
import { type InterpreterRun, parseInterpreterArgs, splitPosix, splitWindows } from './command_line.js';
import { holds } from './condition.js';
import { processHolds } from './process_test.js';
import type { EvidenceFields, ProcessImage, ProcessNode, Witness } from './witness.js';

/** What is known of the root and its ancestors; computed anew when the chain changes. */
export interface SessionProfile {
  /** Root first, then at most `lineageDepth` ancestors. */
  readonly chain: readonly ProcessNode[];
  readonly tier: string;
  readonly user?: string;
  readonly run: InterpreterRun;
  /** The script's path, joined to the working directory where that is known. */
  readonly scriptPath?: string;
  readonly scriptKey?: string;
  readonly scriptId: string;
  readonly interpreterKey?: string;
  readonly interpreterArgs: readonly string[];
  /** The first time at which the root was an interpreter. */
  readonly launchUs?: number;
  readonly context: string;
  readonly group: string;
  readonly contextReasons: readonly string[];
  /** Reasons, from the root and its lineage, to doubt what is told. */
  readonly quality: readonly string[];
}

export interface Session {
  readonly host: { readonly id: string; readonly name?: string };
  readonly rootIdentity: string;
  /** Paths compare folded on this host. */
  readonly folds: boolean;
  profile: SessionProfile;
  /** Tells whether the chain changed since `profile` was computed. */
  chainStamp: string;
  lastUs: number;
  launch: Evidence | undefined;
  /** Names looked up by the tree, by address: bounded, oldest first. */
  readonly lookups: Map<string, { readonly name: string; readonly timeUs: number }>;
  /** Times of events of the source class: bounded, oldest first. */
  readonly sources: number[];
  /** Paths written by the tree: bounded, oldest first. */
  readonly writes: Map<string, number>;
  scriptDeletedUs: number | undefined;
  /** When a file that the tree wrote was executed by it, and how long after the write. */
  wroteAndRan: { readonly ranUs: number; readonly afterUs: number } | undefined;
  cases: Case[];
  /** Identities of the latest witnesses, to make a repeat harmless: bounded, oldest first. */
  readonly seen: Set<string>;
}

/** A reference to one event with the values kept of it. */
export interface Evidence {
  readonly eventId: string;
  readonly ordinal: number;
  readonly timeUs: number;
  readonly fields: EvidenceFields;
}

export function evidenceOf(witness: Witness): Evidence {
  const { eventId, ordinal, timeUs, fields } = witness;
  return { eventId, ordinal, timeUs, fields };
}

/**
 * The session's root and its ancestors: the root is the topmost process that carries the root mark, or above it the
 * topmost parent that runs the same executable, unless that is an interpreter (a bootloader that starts itself again). The walk ends at a service host,
 * below which each marked process that runs something else is a root of its own. Empty when none is marked.
 */
export function rootChain(rule: BehaviorRule, chain: readonly ProcessNode[]): readonly ProcessNode[] {
  const marked = markedIndex(rule, chain);
  if (marked < 0) return [];
  if (processHolds(rule.judgement.interpreter.images, chain[marked] as ProcessNode, rule.judgement.platform)) {
    return chain.slice(marked);
  }
  let index = marked;
  while (runsSameImage(chain[index], chain[index + 1])) index++;
  const root = chain[index] as ProcessNode;
  if (index === marked) return chain.slice(index);
  const marks = [...new Set(chain.slice(marked, index + 1).flatMap((node) => node.marks))];
  return [{ ...root, marks }, ...chain.slice(index + 1)];
}

function runsSameImage(child: ProcessNode | undefined, parent: ProcessNode | undefined): boolean {
  const executable = child?.images.at(-1)?.executable;
  return executable !== undefined && parent?.images.at(-1)?.executable === executable;
}

function markedIndex(rule: BehaviorRule, chain: readonly ProcessNode[]): number {
  const { serviceHosts, platform } = rule.judgement;
  let root = -1;
  for (const [index, node] of chain.entries()) {
    const isMarked = node.marks.includes(rule.root);
    if (processHolds(serviceHosts, node, platform)) {
      if (!isMarked) return root;
      const belowRunsOther =
        root >= 0 && runOf(rule.judgement, chain[root] as ProcessNode).id !== runOf(rule.judgement, node).id;
      return belowRunsOther ? root : index;
    }
    if (isMarked) root = index;
  }
  return root;
}

/** A stand-in for the root where sessions are told by fields: what the witness says was run, and nothing above it. */
export function typedRoot(identity: string, witness: Witness): ProcessNode {
  const text = (name: string): string | undefined => {
    const value = witness.fields[name];
    return value === undefined ? undefined : String([value].flat()[0]);
  };
  const commandLine = text('process.command_line');
  const { args } = splitPosix(commandLine ?? '');
  const [executable] = args;
  const user = text('user.name');
  const image: ProcessImage = {
    timeUs: witness.timeUs,
    ...(executable === undefined ? {} : { executable }),
    args,
    ...(commandLine === undefined ? {} : { commandLine }),
    ...(user === undefined ? {} : { user }),
  };
  return { identity, weak: false, images: [image], marks: [], link: 'none', implicit: true, exited: false };
}

export function chainStampOf(chain: readonly ProcessNode[]): string {
  return chain.map((node) => `${node.identity}/${node.images.length}/${node.marks.length}`).join(' ');
}

/** The profile of a root. `launch` holds the fields of the root's own launch event, where it was witnessed. */
export function profileOf(
  rule: BehaviorRule,
  chain: readonly ProcessNode[],
  truncated: boolean,
  launch: EvidenceFields | undefined,
): SessionProfile {
  const { judgement } = rule;
  const root = chain[0] as ProcessNode;
  const { image, run, args, isSplit, launchUs, id } = runOf(judgement, root);
  const directory = launch?.['process.working_directory'];
  const scriptPath =
    run.mode === 'script'
      ? joinPath(typeof directory === 'string' ? directory : undefined, run.payload, judgement.platform)
      : undefined;
  const user = image?.user ?? root.images.findLast((candidate) => candidate.user !== undefined)?.user;
  const isTyped = judgement.session.kind === 'fields';
  const quality = isTyped ? ['no_process'] : qualityOf(chain, truncated, isSplit);
  const base = {
    chain: chain.slice(0, 1 + judgement.lineageDepth),
    tier: judgement.tiers.find((tier) => processHolds(tier.process, root, judgement.platform))?.name ?? 'P1',
    ...(user === undefined ? {} : { user }),
    run,
    ...(scriptPath === undefined ? {} : { scriptPath, scriptKey: pathKey(scriptPath, judgement.platform) }),
    scriptId: scriptPath === undefined ? id : generalisePath(pathKey(scriptPath, judgement.platform)),
    ...(image?.executable === undefined ? {} : { interpreterKey: pathKey(image.executable, judgement.platform) }),
    interpreterArgs: args,
    ...(launchUs === undefined ? {} : { launchUs }),
  };
  const context = contextOf(judgement, { ...base, context: '', group: '', contextReasons: [], quality }, launch);
  const isUnknown = context.name === judgement.unknownContext.name;
  if (isUnknown && root.link === 'none' && !isTyped) quality.push('parent_missing');
  return { ...base, context: context.name, group: context.group, contextReasons: context.reasons, quality };
}

function qualityOf(chain: readonly ProcessNode[], truncated: boolean, isSplit: boolean): string[] {
  const root = chain[0] as ProcessNode;
  const quality: string[] = [];
  if (root.weak) quality.push('weak_identity');
  if (root.implicit) quality.push('implicit');
  if (truncated || root.link === 'none') quality.push('lineage_broken');
  if (isSplit) quality.push('args_split');
  return quality;
}

/** What the root runs, from the last of its images that is an interpreter and tells its arguments. */
function runOf(judgement: Judgement, root: ProcessNode) {
  const interpreters = interpretersOf(judgement, root);
  const telling = interpreters.filter((image) => image.args !== undefined || image.commandLine !== undefined);
  const image: ProcessImage | undefined = telling.at(-1) ?? interpreters.at(-1) ?? root.images.at(-1);
  const { args, isSplit } = argumentsOf(judgement, image);
  const run: InterpreterRun =
    interpreters.length > 0 ? parseInterpreterArgs(judgement.interpreter, args) : { mode: 'none', payload: '' };
  return { image, run, args, isSplit, launchUs: interpreters[0]?.timeUs ?? root.startUs, id: runId(run, image) };
}

function interpretersOf({ interpreter, platform }: Judgement, root: ProcessNode): readonly ProcessImage[] {
  const named = root.images.filter((image) => processHolds(interpreter.images, { ...root, images: [image] }, platform));
  const { renamed } = interpreter;
  if (named.length > 0 || renamed === undefined) return named;
  return root.images.filter((image) => processHolds(renamed, { ...root, images: [image] }, platform));
}

function argumentsOf(judgement: Judgement, image: ProcessImage | undefined) {
  if (image?.args !== undefined) return { args: image.args.slice(1), isSplit: false };
  const split = judgement.platform === 'windows' ? splitWindows : splitPosix;
  const { args } = split(image?.commandLine ?? '');
  return { args: args.slice(1), isSplit: args.length > 0 };
}

function runId(run: InterpreterRun, image: ProcessImage | undefined): string {
  if (run.mode === 'script') return run.payload;
  if (run.mode === 'module') return `module:${run.payload}`;
  if (run.mode === 'inline') return `inline:${digest(run.payload.slice(0, 4096))}`;
  if (run.mode === 'none') return `program:${generalisePath(image?.executable ?? image?.name ?? '')}`;
  return run.mode;
}

function contextOf(judgement: Judgement, profile: SessionProfile, launch: EvidenceFields | undefined) {
  const matched = judgement.contexts.filter((spec) =>
    spec.when.some((alternative) =>
      alternative.every((condition) =>
        holds(condition, { judgement, profile, launch, session: undefined, window: undefined }),
      ),
    ),
  );
  const first = matched[0];
  if (first !== undefined) {
    return { name: first.name, group: first.group, reasons: matched.map((spec) => spec.name) };
  }
  const root = profile.chain[0] as ProcessNode;
  const reason = root.link !== 'none' ? 'unlisted' : root.implicit ? 'orphan' : 'parent_missing';
  return { ...judgement.unknownContext, reasons: [reason] };
}
