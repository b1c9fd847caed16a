/** What a baseline tells apart: the keys of launches, destinations, commands and persistence items. */
import { generalisePath } from '../../core/paths.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { distributionOf } from '../inventory/distribution.js';
import type { Instance } from './case.js';
import { compileJudgement } from './compiled/judgement.js';
import { listTest } from './compiled/patterns.js';
import { Scope } from './compiled/scope.js';
import { textsOf } from './fields.js';
import type { Session } from './session.js';

export type TupleKind = 'launch' | 'runtime' | 'network' | 'enumeration' | 'workflow' | 'persistence';

/** One thing that a baseline knows or not. `parts` tell it apart; the host role is the first. */
export interface Tuple {
  readonly kind: TupleKind;
  readonly parts: readonly string[];
}

export function tupleText({ kind, parts }: Tuple): string {
  return JSON.stringify([kind, ...parts]);
}

/** Parts of every key that stands for a launch. */
export function launchTuple(session: Session, hostRole: string, userRole: string): Tuple {
  const { profile } = session;
  const interpreter = generaliseInterpreter(profile.interpreterKey ?? '');
  return { kind: 'launch', parts: [hostRole, userRole, profile.context, interpreter, profile.scriptId] };
}

/** Distributions whose interpreters lie in one known place each; of others the path tells more than the name. */
const namedDistributions = new Set([
  'asdf or mise',
  'conda',
  'Homebrew',
  'MacPorts',
  'Microsoft Store',
  'pyenv',
  'python.org',
  'system',
  'uv',
  'virtual environment',
  'Xcode command line tools',
]);

/** What a host runs, apart from the script: where the interpreter comes from, who starts it, and for whom. */
export function runtimeTuple(session: Session, hostRole: string, userRole: string): Tuple {
  const { context, interpreterKey = '' } = session.profile;
  const distribution = distributionOf(interpreterKey);
  const interpreter = namedDistributions.has(distribution) ? distribution : generaliseInterpreter(interpreterKey);
  return { kind: 'runtime', parts: [hostRole, interpreter, context, userRole] };
}

const workflowHours = 6;

/**
 * Parts that stand for a launch by a workflow, whatever it runs: workflow, who controls it, host role, and the quarter
 * of the day (UTC). Undefined for sessions of no workflow.
 */
function workflowParts(
  rule: BehaviorRule,
  session: Session,
  hostRole: string,
  timeUs: number,
): readonly string[] | undefined {
  const { workflows, wrappers, processes } = compileJudgement(rule.judgement);
  const scope = new Scope(session);
  const workflow = workflows.find(({ when }) => when(scope))?.spec;
  if (workflow === undefined) return undefined;
  const fields = session.launch?.fields ?? {};
  const named = workflow.controller.flatMap((field) => textsOf(fields, field))[0];
  const ancestor = session.profile.chain.slice(1).find((node) => !wrappers.holds(processes.read(node)));
  const controller = named ?? ancestor?.images.at(-1)?.executable ?? '';
  const hour = Math.floor(timeUs / 3_600_000_000) % 24;
  const from = hour - (hour % workflowHours);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return [hostRole, workflow.id, controller, `${pad(from)}-${pad(from + workflowHours)}`];
}

/** The tuple of an instance as part of its session's workflow; undefined where there is none, or nothing to learn. */
export function workflowTuple(
  rule: BehaviorRule,
  session: Session,
  instance: Instance,
  hostRole: string,
): Tuple | undefined {
  const spec = rule.judgement.classes.find(({ name }) => name === instance.class);
  if (spec?.learns !== 'destination' && spec?.learns !== 'command') return undefined;
  const parts = workflowParts(rule, session, hostRole, instance.firstUs);
  if (parts === undefined) return undefined;
  const what =
    spec.learns === 'destination' ? [destinationOf(rule, instance)] : [instance.category, instance.labels.join(' ')];
  return { kind: 'workflow', parts: [...parts, ...what] };
}

/** The tuple of an instance; undefined where its class learns nothing. */
export function instanceTuple(
  rule: BehaviorRule,
  session: Session,
  instance: Instance,
  launch: Tuple,
): Tuple | undefined {
  const spec = rule.judgement.classes.find(({ name }) => name === instance.class);
  switch (spec?.learns) {
    case 'destination':
      return { kind: 'network', parts: [...launch.parts, destinationOf(rule, instance)] };
    case 'command':
      return { kind: 'enumeration', parts: [...launch.parts, instance.category, instance.labels.join(' ')] };
    case 'approval': {
      const path = generalisePath(instance.key.slice(spec.name.length + 1));
      const program = instance.program[0] ?? session.profile.scriptId;
      return { kind: 'persistence', parts: [launch.parts[0] ?? '', path, program] };
    }
    case undefined:
      return undefined;
  }
}

/** Registered domain, or the address's network where no name is known, and the port. */
function destinationOf({ judgement }: BehaviorRule, instance: Instance): string {
  const { fields } = instance.evidence;
  const port = [fields['destination.port']].flat()[0] ?? '';
  const isShared = listTest(judgement.baseline?.sharedDomains ?? none, true);
  const names = instance.names.map((name) => (isShared(name) ? name : registeredDomain(name)));
  if (names.length > 0) return `${[...new Set(names)].sort().join(' ')}:${port}`;
  return `${network(String([fields[judgement.destination.addressField]].flat()[0] ?? ''))}:${port}`;
}

const none = { name: '', patterns: [], except: [] };

/** Second-level labels under which countries register names. */
const countrySeconds = new Set(['ac', 'co', 'com', 'edu', 'gob', 'gov', 'net', 'ne', 'or', 'org']);

/** The part of a name that somebody registered: two labels, or three below `co.uk` and its like. */
export function registeredDomain(name: string): string {
  const labels = name.split('.');
  const isCountry = (labels.at(-1)?.length ?? 0) === 2 && countrySeconds.has(labels.at(-2) ?? '');
  return labels.slice(isCountry ? -3 : -2).join('.');
}

/** IPv4 by its first 24 bits, IPv6 by its first three groups as written. */
function network(address: string): string {
  return address.includes(':')
    ? `${address.split(':').slice(0, 3).join(':')}::/48`
    : `${address.replace(/\.\d+$/, '')}.0/24`;
}

/** Interpreters of one distribution in any version are one. Idempotent: what it writes holds no version. */
export function generaliseInterpreter(path: string): string {
  return generalisePath(path).replace(/\d+(?:\.\d+)+/g, '<v>');
}
