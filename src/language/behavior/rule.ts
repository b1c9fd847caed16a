/** From the YAML of one behaviour rule to the IR. */
import { foldsPaths, type Platform } from '../../core/paths.js';
import type { CommandTable, ItemSpec, Judgement, PatternList, SessionSpec } from '../../rule/behavior.js';
import type { BehaviorItem, BehaviorRule, EventQuery, Expr, Severity, Threat } from '../../rule/ir.js';
import { readProcessTest } from './conditions.js';
import { pathExpression, readExpression, readQuery } from './eql.js';
import { commandsKeys, type Include, readCommandRows } from './lists.js';
import type { Located } from './located.js';
import {
  readBaseline,
  readClasses,
  readContexts,
  readCoverage,
  readFacts,
  readInterpreter,
  readItem,
  readLadder,
  readModifiers,
  readRemovals,
  readSources,
  readTiers,
  readUnusual,
} from './parts.js';
import {
  fail,
  MapReader,
  type ReadContext,
  readBoolean,
  readDurationUs,
  readItems,
  readNumber,
  readOneOf,
  readText,
  readTexts,
} from './reader.js';

export const ruleKeys = [
  'type',
  'id',
  'name',
  'description',
  'severity',
  'risk_score',
  'threat',
  'tags',
  'references',
  'platform',
  'scope',
  'session',
  'settings',
  'lists',
  'marks',
  'root',
  'items',
  'commands',
  'classes',
  'bookkeeping',
  'destination',
  'acted_for',
  'wrappers',
  'service_hosts',
  'contexts',
  'unknown_context',
  'interpreter',
  'tiers',
  'facts',
  'ladder',
  'modifiers',
  'removals',
  'sources',
  'baseline',
  'unusual',
  'coverage',
  'evidence_fields',
] as const;

/** Settings that the engine itself reads; a rule may define more, for its conditions. */
export const engineSettings = [
  'window',
  'retain',
  'suppress_for',
  'path_join',
  'lookup',
  'lineage_depth',
  'case_sensitive_hosts',
] as const;

/** Id of the item made from the command table. */
const commandItem = 'command';
const noProcess = { names: [] } as const;

/** A rule that hears of other rules' sessions has no processes of its own. */
const followerMark: BehaviorRule['marks'][number] = {
  name: 'followed',
  query: { category: null, condition: { kind: 'literal', value: false } },
};

export function readRule(context: ReadContext, map: MapReader, include: Include): BehaviorRule {
  const platform = context.platform;
  const isFollower = map.get('unusual') !== undefined;
  const scope = isFollower ? map.get('scope') : map.need('scope', 'a rule');
  const marks = isFollower ? [followerMark] : (map.optional('marks', readMarks) ?? []);
  const commandsNode = map.get('commands');
  const commands = commandsNode === undefined ? undefined : readCommands(context, commandsNode, include);
  const read = (map.optional('items', readItems) ?? []).flatMap((node) => readBehaviorItem(context, node) ?? []);
  const isLineage = map.get('session') === undefined;
  // Without processes nothing carries the root mark: every event of an item is witnessed, and fields tell the session.
  const items = [...read.map((one) => one.item), ...(commands === undefined ? [] : [commands.item])].map((item) =>
    isLineage ? item : { ...item, unattributed: true },
  );
  const specs = [...read.map((one) => one.spec), ...(commands === undefined ? [] : [commands.spec])];
  const judgement = readJudgement(
    context,
    map,
    specs,
    commands?.table ?? { rows: [], typed: false, shells: [], prefixes: [] },
    platform,
  );
  return {
    kind: 'behavior',
    id: text(context, map, 'id'),
    name: text(context, map, 'name'),
    ...optionalText(map, 'description'),
    severity: map.optional('severity', (inner, node) => readOneOf(inner, node, severities)) ?? 'medium',
    riskScore: map.optional('risk_score', readNumber) ?? 47,
    threat: map.optional('threat', readThreats) ?? [],
    tags: map.optional('tags', readTexts) ?? [],
    references: map.optional('references', readTexts) ?? [],
    scope: scope === undefined ? { kind: 'literal', value: false } : readExpression(context, scope),
    marks,
    root: isFollower ? followerMark.name : text(context, map, 'root'),
    items,
    judgement: { ...judgement, fields: fieldsOf(judgement, map.optional('evidence_fields', readTexts) ?? []) },
  };
}

const severities: readonly Severity[] = ['informational', 'low', 'medium', 'high', 'critical'];

function text(context: ReadContext, map: MapReader, key: string): string {
  const node = map.need(key, 'a rule');
  return node === undefined ? '' : readText(context, node);
}

function optionalText(map: MapReader, key: 'description'): { description?: string } {
  const value = map.optional(key, readText);
  return value === undefined ? {} : { [key]: value };
}

function readThreats(context: ReadContext, node: Located): readonly Threat[] {
  return readItems(context, node).map((item) => {
    const map = MapReader.open(context, item, ['framework', 'tactic', 'techniques'], 'a threat');
    const tactic = map?.optional('tactic', readIdName);
    return {
      framework: map?.optional('framework', readText) ?? 'MITRE ATT&CK',
      ...(tactic === undefined ? {} : { tactic }),
      techniques: map?.optional('techniques', readItems)?.map((one) => readIdName(context, one)) ?? [],
    };
  });
}

function readIdName(context: ReadContext, node: Located): { readonly id: string; readonly name: string } {
  const map = MapReader.open(context, node, ['id', 'name'], 'a reference');
  return { id: map?.optional('id', readText) ?? '', name: map?.optional('name', readText) ?? '' };
}

function readMarks(context: ReadContext, node: Located): BehaviorRule['marks'] {
  return [...(node.entries ?? [])].map(([name, { value }]) => ({ name, query: readQuery(context, value) }));
}

function readBehaviorItem(context: ReadContext, node: Located): { item: BehaviorItem; spec: ItemSpec } | undefined {
  const read = readItem(context, node);
  const when = read?.map.need('when', 'an item');
  if (read === undefined || when === undefined) return undefined;
  const { spec, map } = read;
  const query = readQuery(context, when);
  const condition = spec.path === undefined ? undefined : pathCondition(context, spec.path.fields, spec.path.in);
  const unattributed = map.get('unattributed')?.scalar === true;
  return {
    spec,
    item: {
      id: spec.id,
      class: map.optional('class', readText) ?? '',
      query: condition === undefined ? query : both(query, condition),
      ...(unattributed ? { unattributed } : {}),
    },
  };
}

/** A list that holds every path asks for the field only. */
function pathCondition(context: ReadContext, fields: readonly string[], list: PatternList): Expr {
  if (!list.patterns.includes('*')) return pathExpression(fields, list, foldsPaths(context.platform));
  const [name = '', ...fallback] = fields;
  return {
    kind: 'not',
    missing: 'null',
    operand: { kind: 'isNull', value: { kind: 'field', name, ...(fallback.length === 0 ? {} : { fallback }) } },
  };
}

function both(query: EventQuery, condition: Expr): EventQuery {
  return { ...query, condition: { kind: 'and', operands: [query.condition, condition] } };
}

function readCommands(
  context: ReadContext,
  node: Located,
  include: Include,
): { item: BehaviorItem; spec: ItemSpec; table: CommandTable } {
  const map = MapReader.open(context, node, commandsKeys, 'commands');
  const when = map?.need('when', 'commands');
  const table: CommandTable = {
    rows: readCommandRows(context, node, include),
    typed: map?.optional('typed', readBoolean) ?? false,
    shells: map?.optional('shells', readTexts) ?? [],
    prefixes: map?.optional('prefixes', readTexts) ?? [],
  };
  const query = when === undefined ? undefined : readQuery(context, when);
  // A typed line names its commands anywhere, so only the table can tell.
  const any: Expr = { kind: 'literal', value: true };
  const names = [...new Set([...table.rows.flatMap((row) => row.names), ...table.shells])];
  return {
    table,
    spec: { id: commandItem, commands: true, techniques: [] },
    item: {
      id: commandItem,
      class: 'COMMAND',
      query: both(
        query ?? { category: null, condition: { kind: 'literal', value: false } },
        table.typed ? any : namedAny(context.platform, names),
      ),
    },
  };
}

/** The process is one of the named programs, by its name or by the end of its path. */
function namedAny(platform: Platform, names: readonly string[]): Expr {
  const files = platform === 'windows' ? names.map((name) => (name.endsWith('*') ? name : `${name}.exe`)) : names;
  const separator = platform === 'windows' ? '\\' : '/';
  const match = (field: string, patterns: readonly string[]): Expr => ({
    kind: 'match',
    value: { kind: 'field', name: field },
    patterns: patterns.map((pattern) => ({ type: 'wildcard', text: pattern })),
    case: 'ascii',
  });
  return {
    kind: 'or',
    operands: [
      match('process.name', files),
      match(
        'process.executable',
        files.map((name) => `*${separator}${name}`),
      ),
    ],
  };
}

function readJudgement(
  context: ReadContext,
  map: MapReader,
  items: readonly ItemSpec[],
  commands: CommandTable,
  platform: Platform,
): Omit<Judgement, 'fields'> {
  const durationUs = (name: (typeof engineSettings)[number], fallbackUs: number): number => {
    const node = context.settings.get(name);
    context.used.add(name);
    return node === undefined ? fallbackUs : readDurationUs(context, node);
  };
  const depth = context.settings.get('lineage_depth');
  const caseSensitive = context.settings.get('case_sensitive_hosts');
  const baseline = map.optional('baseline', readBaseline);
  const unusual = map.optional('unusual', readUnusual);
  const unknown = map.get('unknown_context');
  const unknownMap =
    unknown === undefined ? undefined : MapReader.open(context, unknown, ['name', 'group'], 'unknown_context');
  return {
    session: map.optional('session', readSession) ?? { kind: 'lineage' },
    platform,
    foldsPaths: foldsPaths(platform),
    caseSensitiveHosts: caseSensitive === undefined ? [] : readTexts(context, caseSensitive),
    windowUs: durationUs('window', 600_000_000),
    retainUs: durationUs('retain', 600_000_000),
    suppressUs: durationUs('suppress_for', 3_600_000_000),
    pathJoinUs: durationUs('path_join', 60_000_000),
    lookupUs: durationUs('lookup', 300_000_000),
    lineageDepth: depth === undefined ? 8 : readNumber(context, depth),
    destination: map.optional('destination', readDestination) ?? {
      domainField: 'destination.domain',
      addressField: 'destination.ip',
    },
    actedFor: map.optional('acted_for', readText) ?? 'Effective_process.entity_id',
    items,
    commands,
    classes: readClasses(context, map.get('classes')),
    wrappers: map.optional('wrappers', readProcessTest) ?? noProcess,
    serviceHosts: map.optional('service_hosts', readProcessTest) ?? noProcess,
    contexts: readContexts(context, map.get('contexts')),
    unknownContext: {
      name: unknownMap?.optional('name', readText) ?? 'unknown',
      group: unknownMap?.optional('group', readText) ?? '',
    },
    interpreter: readInterpreter(context, map.get('interpreter')),
    tiers: readTiers(context, map.get('tiers')),
    facts: readFacts(context, map.get('facts')),
    ladder: readLadder(context, map.get('ladder')),
    modifiers: readModifiers(context, map.get('modifiers')),
    removals: readRemovals(context, map.get('removals')),
    sources: readSources(context, map.get('sources')),
    ...(baseline === undefined ? {} : { baseline }),
    ...(unusual === undefined ? {} : { unusual }),
    coverage: readCoverage(context, map.get('coverage')),
    bookkeeping: map.optional('bookkeeping', readBookkeeping) ?? {},
  };
}

function readSession(context: ReadContext, node: Located): SessionSpec {
  const map = MapReader.open(context, node, ['fields'], 'session');
  const fields = map?.need('fields', 'session');
  return fields === undefined ? { kind: 'lineage' } : { kind: 'fields', fields: readTexts(context, fields) };
}

function readDestination(context: ReadContext, node: Located): Judgement['destination'] {
  const map = MapReader.open(context, node, ['domain', 'address'], 'destination');
  return {
    domainField: map?.optional('domain', readText) ?? 'destination.domain',
    addressField: map?.optional('address', readText) ?? 'destination.ip',
  };
}

function readBookkeeping(context: ReadContext, node: Located): Judgement['bookkeeping'] {
  const keys = ['launch', 'lookup', 'deletion', 'write', 'execution', 'source'] as const;
  const map = MapReader.open(context, node, keys, 'bookkeeping');
  const entries = keys.flatMap((key) => {
    const value = map?.optional(key, readText);
    return value === undefined ? [] : [[key, value] as const];
  });
  if (map !== undefined && entries.length === 0) fail(context, node, 'BEHAVIOR_MISSING', 'bookkeeping names no class');
  return Object.fromEntries(entries);
}

/** Fields that every witness keeps, whatever the rule asks about. */
const commonFields = [
  'event.action',
  'user.name',
  'process.entity_id',
  'process.pid',
  'process.name',
  'process.executable',
  'process.args',
  'process.command_line',
  'process.working_directory',
  'file.path',
  'dns.question.name',
  'dns.resolved_ip',
];

function fieldsOf(judgement: Omit<Judgement, 'fields'>, evidence: readonly string[]): readonly string[] {
  const fields = [
    ...commonFields,
    ...evidence,
    ...(judgement.session.kind === 'fields' ? judgement.session.fields : []),
    judgement.destination.domainField,
    judgement.destination.addressField,
    judgement.actedFor,
    'process.Ext.effective_parent.executable',
    'process.Ext.effective_parent.name',
    ...judgement.classes.flatMap((spec) => [
      ...spec.instance.flat(),
      ...Object.values(spec.notOnOwn ?? {}).filter((name) => name !== ''),
      ...spec.raises.flatMap((raise) => (raise.kind === 'fanOut' ? [raise.field] : [])),
    ]),
    ...judgement.items.flatMap((spec) => [
      ...(spec.path?.fields ?? []),
      ...(spec.program ?? []),
      ...(spec.pair === undefined ? [] : ['file.path']),
    ]),
    ...judgement.sources.map((source) => source.field),
    ...(judgement.baseline?.workflows ?? []).flatMap((workflow) => workflow.controller),
    ...launchFields(judgement),
  ];
  return [...new Set(fields)].sort();
}

/** Fields of launches that conditions anywhere in the judgement read. */
function launchFields(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(launchFields);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    (key === 'launch' || key === 'approved') && typeof value === 'object' && value !== null && 'field' in value
      ? [String(value.field)]
      : launchFields(value),
  );
}
