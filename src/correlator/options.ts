/** The options of a correlator: defaults, and refusals that name what was meant. */
import { ecsProcessFields, type ProcessFields } from '../compiler/lineage.js';
import { parseDurationUs } from '../core/duration.js';
import { UsageError } from '../core/errors.js';
import { maxValueBytesDefault } from '../core/limits.js';
import { nearestName } from '../core/nearest_name.js';
import type { KernelSource } from '../kernel/load.js';
import type { CoverageModel } from '../rule/coverage.js';
import { type Exception, exceptionDefects } from '../rule/exception.js';
import { type Rule, type Severity, severities } from '../rule/ir.js';
import type { BaselineOptions, HostExpectation, RoleSource } from './behavior/baseline.js';
import type { BaselineData } from './behavior/baseline_data.js';

export interface CorrelatorOptions {
  readonly rules: readonly Rule[];
  /** How late an event may come, in event time. Rows are held that long and sorted. Default `0s`: judged as pushed. */
  readonly lateness?: string | number;
  /** Budget of the whole kernel: bytes, or text such as `64MiB`. Default 64 MiB. */
  readonly memory?: string | number;
  /**
   * Writes to the whole memory budget at creation, so that no event later waits for the operating system to provide it.
   * Takes about half a second a GiB. Default false: memory becomes resident as it is used.
   */
  readonly pretouch?: boolean;
  /** A time further ahead of its host's newest waits until a second event agrees. Default `1d`. */
  readonly maxSkip?: string | number;
  /** Longer values, in UTF-8 bytes, are cut for matching and counted. Default 32 KiB. */
  readonly maxValueBytes?: number;
  readonly eventCategoryField?: string;
  readonly timestampField?: string;
  readonly tiebreakerField?: string;
  /** Names the host. Default `host.id`, then `host.name`, then `agent.id`. */
  readonly hostField?: string;
  /** Host of events that name none. Default `unknown`. */
  readonly defaultHost?: string;
  /** Fields whose values alerts carry as evidence, beside those a rule's key names. */
  readonly evidenceFields?: readonly string[];
  /** Longest evidence value in bytes; longer ones are cut and marked. Default 1024. */
  readonly evidenceValueBytes?: number;
  /** Fields that identify processes, where they are not ECS's. `null`: the events have no such field. */
  readonly processFields?: Partial<ProcessFields>;
  /** What rules need to see: counts it for each host, answers `coverage()`, and marks alerts. Default none. */
  readonly coverage?: CoverageModel;
  /** Approved exceptions, as `parseExceptions` returns them: what they cover is not published. Default none. */
  readonly exceptions?: readonly Exception[];
  /**
   * `rule`: at most a rule's `maxSignals` alerts in five minutes of event time; the rest are told in one record, and those
   * of first-seen rules follow in the next five minutes. Default `none`.
   */
  readonly caps?: 'rule' | 'none';
  /** Alerts below are counted, not returned. Default `low`. */
  readonly minSeverity?: Severity;
  /** Also returns the alerts of building-block rules. Default false. */
  readonly buildingBlocks?: boolean;
  /** `off` evaluates every predicate on every event: slower, equal results. Default `on`. */
  readonly prefilter?: 'on' | 'off';
  /** What a rule that cannot be compiled does: `throw` refuses them all; `skip` leaves it out and tells in `problems`. */
  readonly unsupported?: 'throw' | 'skip';
  /** Learns what is usual, or enforces what was learned. Default: neither, every case is told. */
  readonly baseline?: BaselineChoice;
  /** The kernel's code, where inline code is not allowed: a `WebAssembly.Module` or the bytes of `vedette/kernel.wasm`. */
  readonly wasm?: KernelSource;
}

/** What is usual on hosts is learned, and what is known does not count. See `docs/baselines.md`. */
export interface BaselineChoice {
  /** `learn`: every host learns for `learnFor`, then its baseline is in force. `enforce`: what `data` says, and no more. */
  readonly mode: 'learn' | 'enforce';
  /** What `Correlator.baseline` gave, perhaps reviewed and sealed again. Data that is not whole counts as none. */
  readonly data?: BaselineData;
  /** How long a host learns, in its own time. Default `14d`. */
  readonly learnFor?: string | number;
  /** Roles of hosts (by id or name) and users: names or globs to roles, or functions. */
  readonly roles?: { readonly hosts?: RoleSource; readonly users?: RoleSource };
  /** `required`: what a host learned is in force only once `approveBaseline` approved it. Default `none`. */
  readonly review?: 'required' | 'none';
  /** By host role: whether it runs there at all, which distributions, and how critical the hosts are. */
  readonly expect?: Readonly<Record<string, HostExpectation>>;
}

/** Options with every default filled in and every text parsed. */
export interface Settings {
  readonly rules: readonly Rule[];
  readonly latenessUs: number;
  readonly memoryBytes: number;
  readonly pretouch: boolean;
  readonly maxSkipUs: number;
  readonly maxValueBytes: number;
  readonly eventCategoryField: string;
  readonly timestampField: string;
  readonly tiebreakerField: string;
  readonly hostField: string | undefined;
  readonly defaultHost: string;
  readonly evidenceFields: readonly string[];
  readonly evidenceValueBytes: number;
  readonly processFields: ProcessFields;
  readonly coverage: CoverageModel | undefined;
  readonly exceptions: readonly Exception[];
  readonly caps: 'rule' | 'none';
  readonly minSeverity: Severity;
  readonly buildingBlocks: boolean;
  readonly prefilter: 'on' | 'off';
  readonly unsupported: 'throw' | 'skip';
  readonly wasm: KernelSource | undefined;
  readonly baseline: BaselineOptions | undefined;
}

/** Evidence fields unless others are asked for. */
export const evidenceFieldsDefault: readonly string[] = [
  'event.category',
  'event.type',
  'event.action',
  'event.code',
  'event.outcome',
  'host.id',
  'host.name',
  'user.id',
  'user.name',
  'process.entity_id',
  'process.pid',
  'process.name',
  'process.executable',
  'process.command_line',
  'process.args',
  'process.parent.entity_id',
  'process.parent.pid',
  'process.parent.name',
  'process.parent.executable',
  'process.parent.command_line',
  'file.path',
  'file.name',
  'source.ip',
  'source.port',
  'destination.ip',
  'destination.port',
  'destination.domain',
  'dns.question.name',
  'registry.path',
  'registry.value',
];

const memoryDefault = 64 * 1024 * 1024;
const memoryMax = 3.5 * 1024 ** 3;

const names: Readonly<Record<keyof CorrelatorOptions, true>> = {
  rules: true,
  lateness: true,
  memory: true,
  pretouch: true,
  maxSkip: true,
  maxValueBytes: true,
  eventCategoryField: true,
  timestampField: true,
  tiebreakerField: true,
  hostField: true,
  defaultHost: true,
  evidenceFields: true,
  evidenceValueBytes: true,
  processFields: true,
  coverage: true,
  exceptions: true,
  caps: true,
  minSeverity: true,
  buildingBlocks: true,
  prefilter: true,
  unsupported: true,
  wasm: true,
  baseline: true,
};

/** Whether a correlator has an option of that name. */
export const isOption = (name: string): boolean => Object.hasOwn(names, name);

/** Fills in defaults. @throws UsageError that names the option and what it takes. */
export function readOptions(options: CorrelatorOptions): Settings {
  if (typeof options !== 'object' || options === null) refuse('options', 'give an object with `rules`');
  refuseUnknown(options, Object.keys(names), 'option');
  if (!Array.isArray(options.rules)) refuse('rules', 'give an array of rules, as `parseRules` returns them');
  return {
    rules: options.rules,
    latenessUs: parseDurationUs(options.lateness ?? '0s', 'lateness'),
    memoryBytes: parseMemoryBytes(options.memory ?? memoryDefault),
    pretouch: flag(options.pretouch, 'pretouch'),
    maxSkipUs: parseDurationUs(options.maxSkip ?? '1d', 'maxSkip'),
    maxValueBytes: count(options.maxValueBytes, maxValueBytesDefault, 'maxValueBytes', 64, 1024 * 1024),
    eventCategoryField: field(options.eventCategoryField, 'event.category', 'eventCategoryField'),
    timestampField: field(options.timestampField, '@timestamp', 'timestampField'),
    tiebreakerField: field(options.tiebreakerField, 'event.sequence', 'tiebreakerField'),
    hostField: options.hostField === undefined ? undefined : field(options.hostField, '', 'hostField'),
    defaultHost: field(options.defaultHost, 'unknown', 'defaultHost'),
    evidenceFields: fields(options.evidenceFields),
    evidenceValueBytes: count(options.evidenceValueBytes, 1024, 'evidenceValueBytes', 64, 8192),
    processFields: readProcessFields(options.processFields),
    coverage: coverageModel(options.coverage),
    exceptions: exceptionList(options.exceptions),
    caps: choice(options.caps, ['none', 'rule'], 'caps'),
    minSeverity: choice(options.minSeverity ?? 'low', severities, 'minSeverity'),
    buildingBlocks: flag(options.buildingBlocks, 'buildingBlocks'),
    prefilter: choice(options.prefilter, ['on', 'off'], 'prefilter'),
    unsupported: choice(options.unsupported, ['throw', 'skip'], 'unsupported'),
    wasm: options.wasm,
    baseline: options.baseline === undefined ? undefined : readBaseline(options.baseline),
  };
}

function readBaseline(given: BaselineChoice): BaselineOptions {
  if (typeof given !== 'object' || given === null)
    refuse('baseline', "give an object with `mode`: 'learn' or 'enforce'");
  refuseUnknown(given, ['mode', 'data', 'learnFor', 'roles', 'review', 'expect'], 'baseline option');
  for (const role of Object.values(given.expect ?? {}))
    refuseUnknown(role, ['python', 'distributions', 'criticality'], 'expectation');
  refuseUnknown(given.roles ?? {}, ['hosts', 'users'], 'kind of role');
  if (given.mode !== 'learn' && given.mode !== 'enforce') refuse('baseline.mode', 'give one of learn, enforce');
  if (given.mode === 'enforce' && given.data === undefined) refuse('baseline.data', 'enforcing needs what was learned');
  const { hosts, users } = given.roles ?? {};
  return {
    mode: given.mode,
    learnForUs: parseDurationUs(given.learnFor ?? '14d', 'baseline.learnFor'),
    isReviewed: choice(given.review, ['none', 'required'], 'baseline.review') === 'required',
    ...(given.expect === undefined ? {} : { expectations: given.expect }),
    ...(given.data === undefined ? {} : { data: given.data }),
    ...(hosts === undefined ? {} : { hostRoles: hosts }),
    ...(users === undefined ? {} : { userRoles: users }),
  };
}

/** Bytes from a number or a text such as `64MiB`, `512 KiB`, `1GiB`, `100MB`. */
export function parseMemoryBytes(value: string | number): number {
  const units: Readonly<Record<string, number>> = {
    b: 1,
    kib: 2 ** 10,
    mib: 2 ** 20,
    gib: 2 ** 30,
    kb: 1e3,
    mb: 1e6,
    gb: 1e9,
  };
  const match = typeof value === 'string' ? /^\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*$/i.exec(value) : null;
  const bytes =
    typeof value === 'number' ? value : Number(match?.[1]) * (units[match?.[2]?.toLowerCase() ?? ''] ?? Number.NaN);
  if (Number.isFinite(bytes) && bytes >= 0 && bytes <= memoryMax) return Math.floor(bytes);
  throw new UsageError(
    'USAGE_OPTION',
    `memory: ${JSON.stringify(value)} is not a size up to 3.5 GiB; give bytes or text such as "64MiB"`,
  );
}

function exceptionList(value: readonly Exception[] | undefined): readonly Exception[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) refuse('exceptions', 'give an array of exceptions, as `parseExceptions` returns them');
  for (const exception of value) {
    const [defect] = exceptionDefects(exception).filter(({ severity }) => severity === 'error');
    if (defect !== undefined) refuse('exceptions', `exception ${exception.id} ${defect.message}; ${defect.remedy}`);
  }
  return value;
}

function coverageModel(value: CoverageModel | undefined): CoverageModel | undefined {
  if (value === undefined) return undefined;
  const isModel =
    typeof value === 'object' && value !== null && Array.isArray(value.counters) && Array.isArray(value.rules);
  return isModel ? value : refuse('coverage', 'give a model, as `parseCoverageModel` returns it');
}

function refuse(name: string, remedy: string): never {
  throw new UsageError('USAGE_OPTION', `${name}: ${remedy}`);
}

function refuseUnknown(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    const hint = near === undefined ? `there are ${known.join(', ')}` : `did you mean ${near}?`;
    throw new UsageError('USAGE_OPTION', `unknown ${what} ${name}; ${hint}`);
  }
}

function field(value: unknown, fallback: string, name: string): string {
  if (value === undefined) return fallback;
  return typeof value === 'string' && value !== '' ? value : refuse(name, 'give a text that is not empty');
}

function fields(value: readonly string[] | undefined): readonly string[] {
  if (value === undefined) return evidenceFieldsDefault;
  const isList = Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '');
  return isList ? value : refuse('evidenceFields', 'give an array of field names');
}

function count(value: unknown, fallback: number, name: string, least: number, most: number): number {
  if (value === undefined) return fallback;
  const isFit = typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most;
  return isFit ? value : refuse(name, `give a whole number from ${least} to ${most}`);
}

function choice<T extends string>(value: T | undefined, choices: readonly [T, ...T[]] | readonly T[], name: string): T {
  if (value === undefined) return choices[0] as T;
  return choices.includes(value) ? value : refuse(name, `give one of ${choices.join(', ')}`);
}

function flag(value: unknown, name: string): boolean {
  if (value === undefined) return false;
  return typeof value === 'boolean' ? value : refuse(name, 'give true or false');
}

function readProcessFields(value: Partial<ProcessFields> | undefined): ProcessFields {
  if (value === undefined) return ecsProcessFields;
  if (typeof value !== 'object' || value === null) refuse('processFields', 'give an object');
  refuseUnknown(value, Object.keys(ecsProcessFields), 'process field');
  const given = Object.entries(value).filter(([, name]) => name !== undefined);
  for (const [key, name] of given) if (name !== null) field(name, '', `processFields.${key}`);
  return { ...ecsProcessFields, ...Object.fromEntries(given) };
}
