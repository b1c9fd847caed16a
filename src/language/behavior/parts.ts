/** Reads the parts of a behaviour rule that are judged on witnesses: classes, contexts, ladder, modifiers and the rest. */
import type {
  BaselineSpec,
  CaseSeverity,
  ClassSpec,
  CommandThreshold,
  ContextSpec,
  CoverageLeg,
  InterpreterSpec,
  ItemSpec,
  Judgement,
  LadderRow,
  LevelRaise,
  ModifierSpec,
  RemovalSpec,
  SourceSpec,
} from '../../rule/behavior.js';
import { readCondition, readProcessTest } from './conditions.js';
import type { Located } from './located.js';
import {
  MapReader,
  type ReadContext,
  readBoolean,
  readDurationUs,
  readItems,
  readList,
  readNumber,
  readOneOf,
  readText,
  readTexts,
} from './reader.js';

/** The entries of a mapping whose keys are names of the author's choice. */
function named<T>(
  context: ReadContext,
  node: Located | undefined,
  what: string,
  read: (name: string, value: Located) => T,
): readonly T[] {
  if (node === undefined) return [];
  if (node.entries === undefined) {
    context.problems.add(node, { code: 'BEHAVIOR_TYPE', message: `${what} must be a mapping from names` });
    return [];
  }
  return [...node.entries].map(([name, { value }]) => read(name, value));
}

const classKeys = [
  'role',
  'instance',
  'paths',
  'satisfied',
  'levels',
  'counts_from',
  'raises',
  'learns',
  'not_on_own',
  'techniques',
];

export function readClasses(context: ReadContext, node: Located | undefined): readonly ClassSpec[] {
  return named(context, node, 'classes', (name, value) => {
    const map = MapReader.open(context, value, classKeys, `class ${name}`);
    const levels = map?.optional('levels', readTexts) ?? ['plain'];
    const role = map?.need('role', `class ${name}`);
    const learns = map?.optional('learns', readLearned);
    const notOnOwn = map?.optional('not_on_own', readActedOn);
    return {
      name,
      role: role === undefined ? 'context' : readOneOf(context, role, ['core', 'auxiliary', 'context'] as const),
      instance: map?.optional('instance', readItems)?.map((group) => readTexts(context, group)) ?? [['event.id']],
      paths: map?.optional('paths', readBoolean) ?? false,
      satisfied: map?.optional('satisfied', readThreshold) ?? 'any',
      levels,
      countsFrom: map?.optional('counts_from', readText) ?? levels[0] ?? 'plain',
      raises: map?.optional('raises', readItems)?.map((raise) => readRaise(context, raise)) ?? [],
      ...(learns === undefined ? {} : { learns }),
      ...(notOnOwn === undefined ? {} : { notOnOwn }),
      techniques: map?.optional('techniques', readTexts) ?? [],
    };
  });
}

function readActedOn(context: ReadContext, node: Located): NonNullable<ClassSpec['notOnOwn']> {
  const map = MapReader.open(context, node, ['identity', 'pid', 'path'], 'not_on_own');
  const path = map?.optional('path', readText);
  return {
    identity: map?.optional('identity', readText) ?? '',
    pid: map?.optional('pid', readText) ?? '',
    ...(path === undefined ? {} : { path }),
  };
}

function readLearned(context: ReadContext, node: Located): NonNullable<ClassSpec['learns']> {
  return readOneOf(context, node, ['destination', 'command', 'approval'] as const);
}

export function readBaseline(context: ReadContext, node: Located): BaselineSpec {
  const map = MapReader.open(context, node, ['never', 'shared_domains', 'workflows'], 'baseline');
  const never = map?.need('never', 'baseline');
  return {
    never: never === undefined ? {} : readCondition(context, never),
    sharedDomains: map?.optional('shared_domains', readList) ?? { name: '', patterns: [], except: [] },
    workflows: map?.optional('workflows', readItems)?.map((workflow) => readWorkflow(context, workflow)) ?? [],
  };
}

function readWorkflow(context: ReadContext, node: Located): BaselineSpec['workflows'][number] {
  const map = MapReader.open(context, node, ['id', 'when', 'controller'], 'a workflow');
  const id = map?.need('id', 'a workflow');
  const when = map?.need('when', 'a workflow');
  return {
    id: id === undefined ? '' : readText(context, id),
    when: when === undefined ? { any: [] } : readCondition(context, when),
    controller: map?.optional('controller', readTexts) ?? [],
  };
}

export function readUnusual(context: ReadContext, node: Located): NonNullable<Judgement['unusual']> {
  const map = MapReader.open(context, node, ['follows', 'every', 'settle', 'renamed_tiers', 'findings'], 'unusual');
  const follows = map?.need('follows', 'unusual');
  const findings = map?.need('findings', 'unusual');
  return {
    follows: follows === undefined ? [] : readTexts(context, follows),
    everyUs: map?.optional('every', readDurationUs) ?? 604_800_000_000,
    settleUs: map?.optional('settle', readDurationUs) ?? 60_000_000,
    renamedTiers: map?.optional('renamed_tiers', readTexts) ?? [],
    findings: findings === undefined ? {} : readFindings(context, findings),
  };
}

function readFindings(context: ReadContext, node: Located): NonNullable<Judgement['unusual']>['findings'] {
  const map = MapReader.open(context, node, ['first_seen', 'unexpected', 'critical', 'renamed'], 'findings');
  const firstSeen = map?.optional('first_seen', readText);
  const unexpected = map?.optional('unexpected', readText);
  const critical = map?.optional('critical', readText);
  const renamed = map?.optional('renamed', readText);
  return {
    ...(firstSeen === undefined ? {} : { firstSeen }),
    ...(unexpected === undefined ? {} : { unexpected }),
    ...(critical === undefined ? {} : { critical }),
    ...(renamed === undefined ? {} : { renamed }),
  };
}

function readThreshold(context: ReadContext, node: Located): 'any' | CommandThreshold {
  if (node.scalar === 'any') return 'any';
  const keys = ['distinct', 'noise', 'across_distinct', 'across_categories'];
  const map = MapReader.open(context, node, keys, 'a command threshold');
  return {
    distinct: map?.optional('distinct', readNumber) ?? 3,
    noise: map?.optional('noise', readNumber) ?? 1,
    acrossDistinct: map?.optional('across_distinct', readNumber) ?? 2,
    acrossCategories: map?.optional('across_categories', readNumber) ?? 2,
  };
}

function readRaise(context: ReadContext, node: Located): LevelRaise {
  const keys = ['to', 'from', 'fan_out', 'unnamed', 'named'];
  const map = MapReader.open(context, node, keys, 'a raise');
  const to = map?.optional('to', readText) ?? '';
  const from = map?.optional('from', readTexts) ?? [];
  const unnamed = map?.get('unnamed');
  if (unnamed !== undefined) {
    const inner = MapReader.open(context, unnamed, ['provides'], 'unnamed');
    return { kind: 'unnamed', from, to, provides: inner?.optional('provides', readText) ?? '' };
  }
  const list = map?.get('named');
  if (list !== undefined) return { kind: 'named', from, to, in: readList(context, list) };
  const fanOut = map?.need('fan_out', 'a raise');
  const inner =
    fanOut === undefined ? undefined : MapReader.open(context, fanOut, ['field', 'values', 'instances'], 'fan_out');
  const instances = inner?.optional('instances', readNumber);
  return {
    kind: 'fanOut',
    from,
    to,
    field: inner?.optional('field', readText) ?? '',
    values: inner?.optional('values', readNumber) ?? Number.POSITIVE_INFINITY,
    ...(instances === undefined ? {} : { instances }),
  };
}

export function readContexts(context: ReadContext, node: Located | undefined): readonly ContextSpec[] {
  if (node === undefined) return [];
  return readItems(context, node).map((item) => {
    const map = MapReader.open(context, item, ['name', 'group', 'when'], 'a context');
    const when = map?.need('when', 'a context');
    return {
      name: map?.optional('name', readText) ?? '',
      group: map?.optional('group', readText) ?? '',
      when: when === undefined ? [] : readItems(context, when).map((one) => [readCondition(context, one)]),
    };
  });
}

const interpreterKeys = [
  'images',
  'renamed',
  'value_options',
  'long_value_options',
  'inline_option',
  'module_option',
  'launcher_options',
  'stream_scripts',
];

export function readInterpreter(context: ReadContext, node: Located | undefined): InterpreterSpec {
  const map = node === undefined ? undefined : MapReader.open(context, node, interpreterKeys, 'interpreter');
  const images = map?.need('images', 'interpreter');
  const renamed = map?.optional('renamed', readProcessTest);
  const inlineOption = map?.optional('inline_option', readText);
  const moduleOption = map?.optional('module_option', readText);
  return {
    images: images === undefined ? {} : readProcessTest(context, images),
    ...(renamed === undefined ? {} : { renamed }),
    valueOptions: map?.optional('value_options', readText) ?? '',
    longValueOptions: map?.optional('long_value_options', readTexts) ?? [],
    ...(inlineOption === undefined ? {} : { inlineOption }),
    ...(moduleOption === undefined ? {} : { moduleOption }),
    launcherOptions: map?.optional('launcher_options', readTexts) ?? [],
    streamScripts: map?.optional('stream_scripts', readTexts) ?? [],
  };
}

export function readTiers(context: ReadContext, node: Located | undefined): Judgement['tiers'] {
  return named(context, node, 'tiers', (name, value) => ({ name, process: readProcessTest(context, value) }));
}

export function readFacts(context: ReadContext, node: Located | undefined): Judgement['facts'] {
  return named(context, node, 'facts', (name, value) => ({ name, when: readCondition(context, value) }));
}

const severities: readonly CaseSeverity[] = ['observation', 'low', 'medium', 'high', 'critical'];

export function readLadder(context: ReadContext, node: Located | undefined): readonly LadderRow[] {
  if (node === undefined) return [];
  return readItems(context, node).map((item) => {
    const map = MapReader.open(context, item, ['when', 'severity'], 'a row of the ladder');
    const severity = map?.need('severity', 'a row of the ladder');
    return {
      when: map?.optional('when', readCondition) ?? {},
      severity: severity === undefined ? 'observation' : readOneOf(context, severity, severities),
    };
  });
}

export function readModifiers(context: ReadContext, node: Located | undefined): readonly ModifierSpec[] {
  if (node === undefined) return [];
  return readItems(context, node).map((item) => {
    const map = MapReader.open(context, item, ['id', 'strength', 'when', 'note'], 'a modifier');
    const strength = map?.need('strength', 'a modifier');
    return {
      id: map?.optional('id', readText) ?? '',
      strength: strength === undefined ? 'weak' : readOneOf(context, strength, ['strong', 'weak'] as const),
      when: map?.optional('when', readCondition) ?? { any: [] },
    };
  });
}

export function readRemovals(context: ReadContext, node: Located | undefined): readonly RemovalSpec[] {
  if (node === undefined) return [];
  return readItems(context, node).map((item) => {
    const map = MapReader.open(
      context,
      item,
      ['id', 'reason', 'class', 'counts_as', 'when', 'instance', 'note'],
      'a removal',
    );
    const instance = map?.optional('instance', readRemovedInstance);
    const when = map?.need('when', 'a removal');
    const countsAs = map?.optional('counts_as', readText);
    return {
      id: map?.optional('id', readText) ?? '',
      reason: map?.optional('reason', readText) ?? '',
      class: map?.optional('class', readText) ?? '',
      when: when === undefined ? { any: [] } : readCondition(context, when),
      ...(countsAs === undefined ? {} : { countsAs }),
      ...(instance === undefined ? {} : { instance }),
    };
  });
}

function readRemovedInstance(context: ReadContext, node: Located): NonNullable<RemovalSpec['instance']> {
  const map = MapReader.open(context, node, ['domain', 'path', 'items', 'commands'], 'a removed instance');
  const domain = map?.optional('domain', readList);
  const path = map?.optional('path', readList);
  const items = map?.optional('items', readTexts);
  const commands = map?.optional('commands', readTexts);
  return {
    ...(domain === undefined ? {} : { domain }),
    ...(path === undefined ? {} : { path }),
    ...(items === undefined ? {} : { items }),
    ...(commands === undefined ? {} : { commands }),
  };
}

export function readSources(context: ReadContext, node: Located | undefined): readonly SourceSpec[] {
  if (node === undefined) return [];
  return readItems(context, node).map((item) => {
    const map = MapReader.open(context, item, ['field', 'values', 'provides'], 'a source');
    return {
      field: map?.optional('field', readText) ?? '',
      values: map?.optional('values', readTexts) ?? [],
      provides: map?.optional('provides', readTexts) ?? [],
    };
  });
}

export function readCoverage(context: ReadContext, node: Located | undefined): readonly CoverageLeg[] {
  return named(context, node, 'coverage', (name, value) => {
    const map = MapReader.open(context, value, ['requires', 'recommends'], `coverage leg ${name}`);
    return {
      name,
      requires: map?.optional('requires', readTexts) ?? [],
      recommends: map?.optional('recommends', readTexts) ?? [],
    };
  });
}

const itemKeys = ['id', 'class', 'when', 'level', 'path', 'program', 'techniques', 'unattributed', 'pair'];

/** The judged part of an item, with the YAML map for its per-event part. */
export function readItem(context: ReadContext, node: Located): { spec: ItemSpec; map: MapReader } | undefined {
  const map = MapReader.open(context, node, itemKeys, 'an item');
  const id = map?.need('id', 'an item');
  if (map === undefined || id === undefined) return undefined;
  const level = map.optional('level', readText);
  const program = map.optional('program', readTexts);
  const path = map.optional('path', readItemPath);
  const pair = map.optional('pair', readPair);
  return {
    map,
    spec: {
      id: readText(context, id),
      ...(level === undefined ? {} : { level }),
      ...(program === undefined ? {} : { program }),
      ...(path === undefined ? {} : { path }),
      ...(pair === undefined ? {} : { pair }),
      techniques: map.optional('techniques', readTexts) ?? [],
    },
  };
}

function readPair(context: ReadContext, node: Located): NonNullable<ItemSpec['pair']> {
  const map = MapReader.open(context, node, ['with', 'within'], 'a pair');
  const item = map?.need('with', 'a pair');
  const within = map?.need('within', 'a pair');
  return {
    item: item === undefined ? '' : readText(context, item),
    withinUs: within === undefined ? 0 : readDurationUs(context, within),
  };
}

function readItemPath(context: ReadContext, node: Located): NonNullable<ItemSpec['path']> {
  const map = MapReader.open(context, node, ['fields', 'in'], 'an item path');
  const list = map?.need('in', 'an item path');
  return {
    fields: map?.optional('fields', readTexts) ?? ['file.path'],
    in: list === undefined ? { name: '', patterns: [], except: [] } : readList(context, list),
  };
}
