/** Reads conditions on sessions and tests on processes. */
import type {
  BusinessHours,
  ChainTest,
  ClassTest,
  ProcessTest,
  RunMode,
  SessionCondition,
} from '../../rule/behavior.js';
import type { Located } from './located.js';
import {
  fail,
  MapReader,
  type ReadContext,
  readBoolean,
  readDurationUs,
  readItems,
  readList,
  readNumber,
  readOneOf,
  readPathGlobs,
  readText,
  readTexts,
  resolved,
} from './reader.js';

const modes: readonly RunMode[] = ['script', 'inline', 'module', 'stdin', 'interactive', 'none'];
const pathSources = ['script', 'interpreter', 'program'] as const;
const codeSources = ['inline', 'program'] as const;

/** Every key of a condition with how its value is read: the names of the YAML form and those of the IR side by side. */
const conditionKeys: Readonly<Record<string, (context: ReadContext, node: Located) => SessionCondition>> = {
  any: (context, node) => ({ any: readItems(context, node).map((item) => readCondition(context, item)) }),
  all: (context, node) => ({ all: readItems(context, node).map((item) => readCondition(context, item)) }),
  not: (context, node) => ({ not: readCondition(context, node) }),
  fact: (context, node) => ({ fact: readText(context, node) }),
  context: (context, node) => ({ context: readTexts(context, node) }),
  group: (context, node) => ({ group: readTexts(context, node) }),
  chain: (context, node) => ({ chain: readChainTest(context, node) }),
  mode: (context, node) => ({ mode: readItems(context, node).map((item) => readOneOf(context, item, modes)) }),
  modules: (context, node) => ({ modules: readTexts(context, node) }),
  script_names: (context, node) => ({ scriptNames: readTexts(context, node) }),
  path: readPathCondition,
  hidden: readHiddenCondition,
  code: readCodeCondition,
  inline_length_min: (context, node) => ({ inlineLengthMin: readNumber(context, node) }),
  users: (context, node) => ({ users: readTexts(context, node) }),
  launch: readLaunchCondition,
  approved: readApprovedCondition,
  classes: (context, node) => ({ classes: readClassTest(context, node) }),
  level: readLevelCondition,
  items: (context, node) => ({ items: readTexts(context, node) }),
  ordered: readOrderedCondition,
  script_deleted_within: (context, node) => ({ scriptDeletedWithinUs: readDurationUs(context, node) }),
  preceded: readPrecededCondition,
  wrote_and_ran_within: (context, node) => ({ wroteAndRanWithinUs: readDurationUs(context, node) }),
  script_entropy: readEntropyCondition,
  script_disguised: (context, node) => ({ scriptDisguised: readBoolean(context, node) }),
  outside_hours: readHoursCondition,
  bare_script: (context, node) => ({ bareScript: readBoolean(context, node) }),
};

/** Names of all keys of a condition, for the schema. */
export const conditionNames: readonly string[] = Object.keys(conditionKeys);

/** A condition that never holds. */
const never: SessionCondition = { any: [] };

export function readCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, Object.keys(conditionKeys), 'a condition');
  if (map === undefined) return never;
  const parts = [...(map.node.entries ?? [])].map(([name, { value }]) => conditionKeys[name]?.(context, value) ?? {});
  return Object.assign({}, ...parts) as SessionCondition;
}

const processKeys = ['names', 'paths', 'command_lines', 'users', 'marks', 'any', 'not'];

export function readProcessTest(context: ReadContext, node: Located): ProcessTest {
  const map = MapReader.open(context, node, processKeys, 'a process test');
  if (map === undefined) return {};
  const names = map.optional('names', readTexts);
  const paths = map.optional('paths', readPathGlobs);
  const commandLines = map.optional('command_lines', readTexts);
  const users = map.optional('users', readTexts);
  const marks = map.optional('marks', readTexts);
  const any = map.optional('any', readItems)?.map((one) => readProcessTest(context, one));
  const not = map.optional('not', readProcessTest);
  return {
    ...(names === undefined ? {} : { names }),
    ...(paths === undefined ? {} : { paths }),
    ...(commandLines === undefined ? {} : { commandLines }),
    ...(users === undefined ? {} : { users }),
    ...(marks === undefined ? {} : { marks }),
    ...(any === undefined ? {} : { any }),
    ...(not === undefined ? {} : { not }),
  };
}

function readChainTest(context: ReadContext, node: Located): ChainTest {
  const map = MapReader.open(context, node, ['at', 'depth', 'process'], 'a chain test');
  const at = map?.need('at', 'a chain test');
  const process = map?.need('process', 'a chain test');
  const depth = map?.optional('depth', readNumber);
  return {
    at: at === undefined ? 'root' : readOneOf(context, at, ['root', 'entry', 'parent', 'nearest', 'ancestor'] as const),
    ...(depth === undefined ? {} : { depth }),
    process: process === undefined ? {} : readProcessTest(context, process),
  };
}

function readPathCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['of', 'in'], 'a path condition');
  const of = map?.need('of', 'a path condition');
  const list = map?.need('in', 'a path condition');
  if (of === undefined || list === undefined) return never;
  return {
    path: {
      of: readItems(context, of).map((item) => readOneOf(context, item, pathSources)),
      in: readList(context, list),
    },
  };
}

function readHiddenCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['of', 'below', 'known'], 'a hidden-directory condition');
  const of = map?.need('of', 'a hidden-directory condition');
  const below = map?.need('below', 'a hidden-directory condition');
  if (of === undefined || below === undefined) return never;
  return {
    hidden: {
      of: readItems(context, of).map((item) => readOneOf(context, item, pathSources)),
      below: readList(context, below),
      known: map?.optional('known', readTexts) ?? [],
    },
  };
}

function readCodeCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['of', 'groups'], 'a code condition');
  const of = map?.need('of', 'a code condition');
  const groups = map?.need('groups', 'a code condition');
  if (of === undefined || groups === undefined) return never;
  return {
    code: {
      of: readItems(context, of).map((item) => readOneOf(context, item, codeSources)),
      groups: readItems(context, groups).map((item) => readList(context, item)),
    },
  };
}

function readLaunchCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['field', 'values'], 'a launch condition');
  const field = map?.need('field', 'a launch condition');
  const values = map?.need('values', 'a launch condition');
  if (field === undefined || values === undefined) return never;
  return { launch: { field: readText(context, field), values: readTexts(context, values) } };
}

function readApprovedCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['in', 'hash_field', 'any_hash'], 'an approval');
  const list = map?.need('in', 'an approval');
  const field = map?.need('hash_field', 'an approval');
  if (list === undefined || field === undefined) return never;
  const anyHash = map?.optional('any_hash', readBoolean) ?? false;
  return { approved: { in: readList(context, list), field: readText(context, field), anyHash } };
}

function readClassTest(context: ReadContext, node: Located): ClassTest {
  const map = MapReader.open(context, node, ['all', 'any', 'min', 'none'], 'a class test');
  const all = map?.optional('all', readTexts);
  const any = map?.optional('any', readTexts);
  const min = map?.optional('min', readNumber);
  const none = map?.optional('none', readTexts);
  return {
    ...(all === undefined ? {} : { all }),
    ...(any === undefined ? {} : { any }),
    ...(min === undefined ? {} : { min }),
    ...(none === undefined ? {} : { none }),
  };
}

function readLevelCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['class', 'level'], 'a level condition');
  const name = map?.need('class', 'a level condition');
  const level = map?.need('level', 'a level condition');
  if (name === undefined || level === undefined) return never;
  return { level: { class: readText(context, name), level: readText(context, level) } };
}

function readOrderedCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['steps', 'chains', 'within'], 'an ordered condition');
  const chains = map?.get('chains');
  const steps = chains === undefined ? map?.need('steps', 'an ordered condition') : undefined;
  const within = map?.need('within', 'an ordered condition');
  if (chains !== undefined && within !== undefined) {
    const withinUs = readDurationUs(context, within);
    const oneOf = (chain: Located) => readItems(context, chain).map((step) => readTexts(context, step));
    return { any: readItems(context, chains).map((chain) => ({ ordered: { steps: oneOf(chain), withinUs } })) };
  }
  if (steps === undefined || within === undefined) return never;
  return {
    ordered: {
      steps: readItems(context, steps).map((step) => readTexts(context, step)),
      withinUs: readDurationUs(context, within),
    },
  };
}

function readPrecededCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['class', 'before', 'within'], 'a preceded condition');
  const [name, before, within] = ['class', 'before', 'within'].map((key) => map?.need(key, 'a preceded condition'));
  if (name === undefined || before === undefined || within === undefined) return never;
  return {
    preceded: {
      class: readText(context, name),
      before: readText(context, before),
      withinUs: readDurationUs(context, within),
    },
  };
}

function readEntropyCondition(context: ReadContext, node: Located): SessionCondition {
  const map = MapReader.open(context, node, ['min_len', 'min_bits_per_char'], 'an entropy condition');
  const length = map?.need('min_len', 'an entropy condition');
  const bits = map?.need('min_bits_per_char', 'an entropy condition');
  if (length === undefined || bits === undefined) return never;
  return { scriptEntropy: { lengthMin: readNumber(context, length), bitsPerCharMin: readNumber(context, bits) } };
}

/** `null` switches the condition off: it never holds. */
function readHoursCondition(context: ReadContext, node: Located): SessionCondition {
  if (resolved(context, node).scalar === null) return never;
  const map = MapReader.open(context, node, ['utc_offset_minutes', 'intervals', 'maintenance'], 'business hours');
  const intervals = map?.need('intervals', 'business hours');
  if (map === undefined || intervals === undefined) return never;
  const hours: BusinessHours = {
    utcOffsetMinutes: map.optional('utc_offset_minutes', readNumber) ?? 0,
    maintenance: map.optional('maintenance', readItems)?.map((item) => readMaintenance(context, item)) ?? [],
    intervals: readItems(context, intervals).map((item) => readInterval(context, item)),
  };
  return { outsideHours: hours };
}

function readMaintenance(context: ReadContext, node: Located): BusinessHours['maintenance'][number] {
  const map = MapReader.open(context, node, ['from', 'to'], 'maintenance');
  const timeUs = (name: string): number => {
    const value = map?.need(name, 'maintenance');
    const timeMs = value === undefined ? 0 : Date.parse(readText(context, value));
    if (Number.isNaN(timeMs) && value !== undefined)
      fail(context, value, 'BEHAVIOR_VALUE', 'expected a time such as "2026-03-01T22:00:00Z"');
    return Number.isNaN(timeMs) ? 0 : timeMs * 1000;
  };
  return { fromUs: timeUs('from'), toUs: timeUs('to') };
}

function readInterval(context: ReadContext, node: Located): BusinessHours['intervals'][number] {
  const map = MapReader.open(context, node, ['days', 'from', 'to'], 'an interval');
  const minuteOf = (name: string): number => {
    const value = map?.need(name, 'an interval');
    const match = value === undefined ? null : /^([01]?\d|2[0-4]):([0-5]\d)$/.exec(readText(context, value));
    if (match === null && value !== undefined)
      fail(context, value, 'BEHAVIOR_VALUE', 'expected a time such as "08:30"');
    return match === null ? 0 : Number(match[1]) * 60 + Number(match[2]);
  };
  const days = map?.need('days', 'an interval');
  return {
    days: days === undefined ? [] : readItems(context, days).map((day) => readNumber(context, day)),
    fromMinute: minuteOf('from'),
    toMinute: minuteOf('to'),
  };
}
