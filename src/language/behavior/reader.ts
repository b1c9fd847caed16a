/**
 * Typed reading of located YAML: every reader reports what it expected and returns a harmless value, so that one pass
 * finds all problems. `$name` anywhere stands for the setting or list of that name.
 */
import { parseDurationUs } from '../../core/duration.js';
import { nearestName } from '../../core/nearest_name.js';
import { type Platform, pathPatternForms } from '../../core/paths.js';
import type { PatternList } from '../../rule/behavior.js';
import type { Located, Problems } from './located.js';

/** What is known while a rule is read. */
export interface ReadContext {
  readonly problems: Problems;
  readonly platform: Platform;
  readonly lists: ReadonlyMap<string, PatternList>;
  readonly settings: ReadonlyMap<string, Located>;
  /** Names that were used, to tell of lists and settings nobody uses. */
  readonly used: Set<string>;
}

export function fail(context: ReadContext, at: Located, code: string, message: string, remedy?: string): void {
  context.problems.add(at, { code, message, ...(remedy === undefined ? {} : { remedy }) });
}

/** The value itself, or the setting it names with `$`. A list keeps its name: {@link readTexts} opens it. */
export function resolved(context: ReadContext, node: Located): Located {
  const name = referenceOf(node);
  if (name === undefined) return node;
  const setting = context.settings.get(name);
  if (setting === undefined) return node;
  context.used.add(name);
  return setting;
}

export function referenceOf(node: Located): string | undefined {
  const { scalar } = node;
  return typeof scalar === 'string' && /^\$[a-z][a-z0-9_]*$/.test(scalar) ? scalar.slice(1) : undefined;
}

/** The entries of a mapping. Keys that are not `known` are refused, with the nearest known one. */
export class MapReader {
  private constructor(
    readonly node: Located,
    private readonly context: ReadContext,
  ) {}

  static open(context: ReadContext, given: Located, known: readonly string[], what: string): MapReader | undefined {
    const node = resolved(context, given);
    if (node.entries === undefined) {
      fail(
        context,
        node,
        'BEHAVIOR_TYPE',
        `${what} must be a mapping`,
        `write it as ${known.slice(0, 3).join(', ')}, …`,
      );
      return undefined;
    }
    for (const [name, { key }] of node.entries) {
      if (known.includes(name)) continue;
      const near = nearestName(name, known);
      context.problems.add(
        { source: node.source, span: key },
        {
          code: 'BEHAVIOR_KEY',
          message: `${what} has no key "${name}"`,
          expected: known,
          remedy: near === undefined ? `use one of: ${known.join(', ')}` : `did you mean "${near}"?`,
        },
      );
    }
    return new MapReader(node, context);
  }

  get(name: string): Located | undefined {
    const value = this.node.entries?.get(name)?.value;
    return value === undefined ? undefined : value;
  }

  /** The value of a key that must be there. */
  need(name: string, what: string): Located | undefined {
    const value = this.get(name);
    if (value === undefined) {
      fail(this.context, this.node, 'BEHAVIOR_MISSING', `${what} needs the key "${name}"`, `add "${name}"`);
    }
    return value;
  }

  /** `read` of the value under `name` where there is one. */
  optional<T>(name: string, read: (context: ReadContext, node: Located) => T): T | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : read(this.context, value);
  }
}

export function readText(context: ReadContext, given: Located): string {
  const node = resolved(context, given);
  if (typeof node.scalar === 'string') return node.scalar;
  if (typeof node.scalar === 'number' || typeof node.scalar === 'boolean') return String(node.scalar);
  fail(context, node, 'BEHAVIOR_TYPE', 'expected a text');
  return '';
}

export function readNumber(context: ReadContext, given: Located): number {
  const node = resolved(context, given);
  if (typeof node.scalar === 'number') return node.scalar;
  fail(context, node, 'BEHAVIOR_TYPE', 'expected a number');
  return 0;
}

export function readBoolean(context: ReadContext, given: Located): boolean {
  const node = resolved(context, given);
  if (typeof node.scalar === 'boolean') return node.scalar;
  fail(context, node, 'BEHAVIOR_TYPE', 'expected true or false');
  return false;
}

export function readDurationUs(context: ReadContext, given: Located): number {
  const node = resolved(context, given);
  try {
    if (typeof node.scalar === 'string') return parseDurationUs(node.scalar);
  } catch {
    // Told below, with its place.
  }
  fail(context, node, 'BEHAVIOR_DURATION', 'expected a duration', 'write a number and a unit, such as 10m');
  return 0;
}

export function readOneOf<T extends string>(context: ReadContext, given: Located, allowed: readonly T[]): T {
  const text = readText(context, given);
  const found = allowed.find((candidate) => candidate === text);
  if (found !== undefined) return found;
  const near = nearestName(text, allowed);
  fail(
    context,
    given,
    'BEHAVIOR_VALUE',
    `"${text}" is not one of: ${allowed.join(', ')}`,
    near === undefined ? undefined : `did you mean "${near}"?`,
  );
  return allowed[0] as T;
}

/** The items of a sequence; a lone value counts as a sequence of one. */
export function readItems(context: ReadContext, given: Located): readonly Located[] {
  const node = resolved(context, given);
  return node.items ?? [node];
}

/** Texts; `$name` among them stands for all entries of that list or setting. */
export function readTexts(context: ReadContext, given: Located): readonly string[] {
  return readItems(context, given).flatMap((item) => {
    const name = referenceOf(item);
    if (name === undefined) return [readText(context, item)];
    const list = listNamed(context, name);
    if (list !== undefined) return [...list.patterns];
    const setting = context.settings.get(name);
    if (setting !== undefined) return [...readTexts(context, resolved(context, item))];
    failUnknownName(context, item, name);
    return [];
  });
}

/** Path globs in every form that sensors write them. */
export function readPathGlobs(context: ReadContext, given: Located): readonly string[] {
  return readTexts(context, given).flatMap((pattern) => pathPatternForms(pattern, context.platform));
}

/** The list named by a text, or written in place as texts. */
export function readList(context: ReadContext, given: Located): PatternList {
  if (given.items !== undefined) return { name: '', patterns: readTexts(context, given), except: [] };
  const name = referenceOf(given) ?? readText(context, given);
  const list = listNamed(context, name);
  if (list !== undefined) return list;
  failUnknownName(context, given, name);
  return { name, patterns: [], except: [] };
}

function listNamed(context: ReadContext, name: string): PatternList | undefined {
  const list = context.lists.get(name);
  if (list !== undefined) context.used.add(name);
  return list;
}

function failUnknownName(context: ReadContext, at: Located, name: string): void {
  const near = nearestName(name, [...context.lists.keys(), ...context.settings.keys()]);
  fail(
    context,
    at,
    'BEHAVIOR_NAME',
    `there is no list or setting "${name}"`,
    near === undefined ? 'define it under "lists" or "settings"' : `did you mean "${near}"?`,
  );
}
