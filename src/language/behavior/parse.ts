/**
 * Behaviour rules from YAML: conditions on events in EQL, judgement as data. See `docs/behavior-rules.md` and
 * `schemas/behavior_rule.schema.json`.
 */
import type { Diagnostic } from '../../core/diagnostic.js';
import { ruleTextMax } from '../../core/limits.js';
import { nearestName } from '../../core/nearest_name.js';
import { platforms } from '../../core/paths.js';
import { SourceText } from '../../core/source_text.js';
import type { PatternList } from '../../rule/behavior.js';
import type { BehaviorRule } from '../../rule/ir.js';
import { checkRule } from './check.js';
import { type Include, readLists, readOneList } from './lists.js';
import { type Located, locateValue, Problems, readYaml } from './located.js';
import { MapReader, type ReadContext, readOneOf, readText } from './reader.js';
import { engineSettings, readRule, ruleKeys } from './rule.js';

export type { Include } from './lists.js';

/** Values for the settings and lists of rules: `correlation.window`, `an0173.suspicious_dirs`, … */
export type BehaviorConfig = Readonly<Record<string, unknown>>;

export interface BehaviorOptions {
  readonly file?: string;
  /** Gives included files. Without it a rule that includes any is refused. */
  readonly include?: Include;
  readonly config?: BehaviorConfig;
}

export interface ParsedBehavior {
  /** Present unless there is an error. */
  readonly rule?: BehaviorRule;
  readonly problems: readonly Diagnostic[];
}

/** Whether a YAML text says that it is a behaviour rule. */
export function isBehaviorText(text: string): boolean {
  return /^type:\s*["']?behavior["']?\s*(?:#.*)?$/m.test(text);
}

/** Parses one behaviour rule. Never throws for an author's mistake: all of them are in `problems`, with their places. */
export function parseBehaviorRule(text: string, options: BehaviorOptions = {}): ParsedBehavior {
  const source = new SourceText(text, options.file);
  const problems = new Problems();
  if (text.length > ruleTextMax) {
    problems.add(
      { source, span: { start: 0, end: 0 } },
      { code: 'BEHAVIOR_LIMIT', message: `the text has ${text.length} characters; at most ${ruleTextMax} are read` },
    );
    return { problems: problems.list };
  }
  const root = readYaml(source, problems);
  if (root === undefined) return { problems: problems.list };
  const rule = readRoot(root, options, problems);
  return problems.hasErrors || rule === undefined ? { problems: problems.list } : { rule, problems: problems.list };
}

function readRoot(root: Located, options: BehaviorOptions, problems: Problems): BehaviorRule | undefined {
  const bare = emptyContext(problems);
  const map = MapReader.open(bare, root, ruleKeys, 'a behaviour rule');
  if (map === undefined) return undefined;
  const include: Include = options.include ?? (() => undefined);
  const id = map.optional('id', readText) ?? '';
  // A rule that hears of other rules' sessions has the platform of each.
  const platformNode = map.get('unusual') === undefined ? map.need('platform', 'a rule') : map.get('platform');
  const platform = platformNode === undefined ? 'linux' : readOneOf(bare, platformNode, platforms);
  const overrides = overridesFor(id, options.config ?? {}, problems);
  const settings = new Map([...(map.get('settings')?.entries ?? [])].map(([name, { value }]) => [name, value]));
  const listNames = [...(map.get('lists')?.entries?.keys() ?? [])];
  refuseUnknown(id, overrides, [...settings.keys(), ...engineSettings, ...listNames], problems);
  for (const [name, value] of overrides) if (!listNames.includes(name)) settings.set(name, value);
  const withSettings: ReadContext = { ...bare, platform, settings };
  const lists = withOverrides(withSettings, readLists(withSettings, map.get('lists'), include), overrides, include);
  const context: ReadContext = { ...withSettings, lists };
  const rule = readRule(context, MapReader.open(context, root, ruleKeys, 'a behaviour rule') ?? map, include);
  tellUnused(context, root);
  if (!problems.hasErrors) checkRule(rule, root, problems);
  return rule;
}

function emptyContext(problems: Problems): ReadContext {
  return { problems, platform: 'linux', lists: new Map(), settings: new Map(), used: new Set() };
}

/** The configured values for one rule: those under its id in lower case, and the shared ones under `correlation`. */
function overridesFor(id: string, config: BehaviorConfig, problems: Problems): ReadonlyMap<string, Located> {
  const found = new Map<string, Located>();
  for (const prefix of ['correlation.', `${id.toLowerCase()}.`]) {
    for (const [key, value] of Object.entries(config)) {
      if (!key.startsWith(prefix)) continue;
      const node = locateValue(value, `configuration ${key}`, problems);
      if (node !== undefined) found.set(key.slice(prefix.length), node);
    }
  }
  return found;
}

function refuseUnknown(
  id: string,
  overrides: ReadonlyMap<string, Located>,
  known: readonly string[],
  problems: Problems,
): void {
  for (const [name, node] of overrides) {
    if (known.includes(name)) continue;
    const near = nearestName(name, known);
    problems.add(node, {
      code: 'BEHAVIOR_CONFIG',
      message: `${id} has no setting or list "${name}"`,
      remedy: near === undefined ? `known: ${known.join(', ')}` : `did you mean "${near}"?`,
    });
  }
}

function withOverrides(
  context: ReadContext,
  lists: ReadonlyMap<string, PatternList>,
  overrides: ReadonlyMap<string, Located>,
  include: Include,
): ReadonlyMap<string, PatternList> {
  const merged = new Map(lists);
  for (const [name, node] of overrides) {
    if (lists.has(name)) merged.set(name, readOneList({ ...context, lists }, name, node, include));
  }
  return merged;
}

/** A list or setting that nothing uses is told: it does not do what its author thinks. */
function tellUnused(context: ReadContext, root: Located): void {
  for (const part of ['lists', 'settings']) {
    for (const [name, { key }] of root.entries?.get(part)?.value.entries ?? []) {
      if (context.used.has(name) || (engineSettings as readonly string[]).includes(name)) continue;
      context.problems.add(
        { source: root.source, span: key },
        {
          code: 'BEHAVIOR_UNUSED',
          severity: 'warning',
          message: `nothing uses "${name}" of ${part}`,
          remedy: 'remove it',
        },
      );
    }
  }
}

/** Keys of a configuration that belong to none of the rules, each with the nearest prefix. */
export function unknownConfigKeys(config: BehaviorConfig, ruleIds: readonly string[]): readonly Diagnostic[] {
  const prefixes = ['correlation', ...ruleIds.map((id) => id.toLowerCase())];
  const problems = new Problems();
  for (const key of Object.keys(config)) {
    const prefix = key.slice(0, Math.max(0, key.lastIndexOf('.')));
    if (prefixes.includes(prefix)) continue;
    const near = nearestName(prefix, prefixes);
    const source = new SourceText(key, 'configuration');
    problems.add(
      { source, span: { start: 0, end: key.length } },
      {
        code: 'BEHAVIOR_CONFIG',
        message: `the configuration key "${key}" belongs to no rule that is loaded`,
        remedy:
          near === undefined
            ? `keys begin with: ${prefixes.join(', ')}`
            : `did you mean "${near}${key.slice(prefix.length)}"?`,
      },
    );
  }
  return problems.list;
}
