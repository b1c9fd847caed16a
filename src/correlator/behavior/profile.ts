/** The profile of a session: what its root runs and for whom, and where it was launched from. */
import { digest } from '../../core/digest.js';
import { generalisePath, joinPath, pathKey } from '../../core/paths.js';
import type { Judgement } from '../../rule/behavior.js';
import { type InterpreterRun, parseInterpreterArgs, splitPosix, splitWindows } from './command_line.js';
import type { CompiledJudgement } from './compiled/judgement.js';
import { Scope } from './compiled/scope.js';
import type { EvidenceFields, ProcessImage, ProcessNode } from './witness.js';

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
  /** Who had the root started, where a service did it on that one's behalf. */
  readonly effectiveParent?: ProcessNode;
  /** The first time at which the root was an interpreter. */
  readonly launchUs?: number;
  readonly context: string;
  readonly group: string;
  readonly contextReasons: readonly string[];
  /** Reasons, from the root and its lineage, to doubt what is told. */
  readonly quality: readonly string[];
}

/** The profile of a root. `launch` holds the fields of the root's own launch event, where it was witnessed. */
export function profileOf(
  compiled: CompiledJudgement,
  chain: readonly ProcessNode[],
  truncated: boolean,
  launch: EvidenceFields | undefined,
): SessionProfile {
  const { judgement } = compiled;
  const { platform } = judgement;
  const root = chain[0] as ProcessNode;
  const { image, run, args, isSplit, launchUs, id } = runOf(compiled, root);
  const directory = launch?.['process.working_directory'];
  const scriptPath =
    run.mode === 'script'
      ? joinPath(typeof directory === 'string' ? directory : undefined, run.payload, platform)
      : undefined;
  const scriptKey = scriptPath === undefined ? undefined : pathKey(scriptPath, platform);
  const user = image?.user ?? root.images.findLast((candidate) => candidate.user !== undefined)?.user;
  const isTyped = judgement.session.kind === 'fields';
  const quality = isTyped ? ['no_process'] : qualityOf(chain, truncated, isSplit);
  // Assigned, not spread: profiles of one shape then share it, and sessions that are kept are many.
  const profile: { -readonly [K in keyof SessionProfile]: SessionProfile[K] } = {
    chain: chain.slice(0, 1 + judgement.lineageDepth),
    tier: tierOf(compiled, root),
    run,
    scriptId: scriptKey === undefined ? id : generalisePath(scriptKey),
    interpreterArgs: args,
    context: '',
    group: '',
    contextReasons: [],
    quality,
  };
  if (user !== undefined) profile.user = user;
  if (scriptPath !== undefined) profile.scriptPath = scriptPath;
  if (scriptKey !== undefined) profile.scriptKey = scriptKey;
  if (image?.executable !== undefined) profile.interpreterKey = pathKey(image.executable, platform);
  if (launchUs !== undefined) profile.launchUs = launchUs;
  const effectiveParent = effectiveParentOf(launch);
  if (effectiveParent !== undefined) profile.effectiveParent = effectiveParent;
  const context = contextOf(compiled, profile, launch);
  profile.context = context.name;
  profile.group = context.group;
  profile.contextReasons = context.reasons;
  const isUnknown = context.name === judgement.unknownContext.name;
  if (isUnknown && root.link === 'none' && !isTyped) quality.push('parent_missing');
  return profile;
}

function effectiveParentOf(launch: EvidenceFields | undefined): ProcessNode | undefined {
  const text = (name: string): string | undefined => {
    const value = launch?.[`process.Ext.effective_parent.${name}`];
    return value === undefined ? undefined : String([value].flat()[0]);
  };
  const [executable, name] = [text('executable'), text('name')];
  if (executable === undefined && name === undefined) return undefined;
  const image: ProcessImage = {
    timeUs: 0,
    ...(executable === undefined ? {} : { executable }),
    ...(name === undefined ? {} : { name }),
  };
  const known = { identity: '', weak: false, marks: [], link: 'none', implicit: true, exited: false } as const;
  return { ...known, images: [image] };
}

function tierOf({ tiers, processes }: CompiledJudgement, root: ProcessNode): string {
  const reading = processes.read(root);
  return tiers.find(({ process }) => process.holds(reading))?.name ?? 'P1';
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
export function runOf(compiled: CompiledJudgement, root: ProcessNode) {
  const { judgement } = compiled;
  const interpreters = interpretersOf(compiled, root);
  const isTelling = (image: ProcessImage): boolean => image.args !== undefined || image.commandLine !== undefined;
  const image = interpreters.findLast(isTelling) ?? interpreters.at(-1) ?? root.images.at(-1);
  const { args, isSplit } = argumentsOf(judgement, image);
  const run: InterpreterRun =
    interpreters.length > 0 ? parseInterpreterArgs(judgement.interpreter, args) : { mode: 'none', payload: '' };
  return { image, run, args, isSplit, launchUs: interpreters[0]?.timeUs ?? root.startUs, id: runId(run, image) };
}

function interpretersOf(compiled: CompiledJudgement, root: ProcessNode): readonly ProcessImage[] {
  const { images } = compiled.processes.read(root);
  const those = (process: CompiledJudgement['interpreter']): readonly ProcessImage[] =>
    images.filter((texts) => process.holdsFor(root, texts)).map(({ image }) => image);
  const named = those(compiled.interpreter);
  return named.length > 0 || compiled.renamed === undefined ? named : those(compiled.renamed);
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

/** The first context that holds, and the names of all that do; for an unknown one, why. */
function contextOf(compiled: CompiledJudgement, profile: SessionProfile, launch: EvidenceFields | undefined) {
  const scope = new Scope(undefined, undefined, launch, profile);
  const matched = compiled.contexts.filter(({ when }) => when(scope));
  const [first] = matched;
  if (first !== undefined) return { name: first.name, group: first.group, reasons: matched.map(({ name }) => name) };
  const root = profile.chain[0] as ProcessNode;
  const reason = root.link !== 'none' ? 'unlisted' : root.implicit ? 'orphan' : 'parent_missing';
  return { ...compiled.judgement.unknownContext, reasons: [reason] };
}
