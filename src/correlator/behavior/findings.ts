/** From a witness to the instances it is evidence for: paths, destinations and commands. */
import { globMatches, globMatchesAny } from '../../core/glob.js';
import { baseName, foldCase, pathKey } from '../../core/paths.js';
import type { ClassSpec, CommandSpec, ItemSpec, Judgement, PatternList, RemovalSpec } from '../../rule/behavior.js';
import type { Instance } from './case.js';
import { shellCommands, splitPosix, splitWindows, stripPrefixes } from './command_line.js';
import { folded, inList, matchesAny, programName } from './process_test.js';
import { evidenceOf, type Session } from './session.js';
import type { EvidenceFields, Witness } from './witness.js';

/** Values of a field as texts; none when missing. */
export function textsOf(fields: EvidenceFields, name: string): readonly string[] {
  const value = fields[name];
  return value === undefined ? [] : [value].flat().map(String);
}

function firstText(fields: EvidenceFields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const [text] = textsOf(fields, name);
    if (text !== undefined && text !== '') return text;
  }
  return undefined;
}

/** The path that an item's path test is about, normalised; undefined when the test fails. */
export function admittedPath(
  spec: ItemSpec | undefined,
  fields: EvidenceFields,
  judgement: Judgement,
  folds: boolean,
): { readonly admitted: boolean; readonly key: string | undefined } {
  if (spec?.path === undefined) return { admitted: true, key: undefined };
  const text = firstText(fields, spec.path.fields);
  if (text === undefined) return { admitted: false, key: undefined };
  const key = pathKey(text, judgement.platform, folds);
  return { admitted: inList(spec.path.in, key, folds), key };
}

/** The instance that an item's witness stands for; undefined when the item's exact test fails. */
export function itemInstance(
  judgement: Judgement,
  session: Session,
  classSpec: ClassSpec,
  itemSpec: ItemSpec | undefined,
  witness: Witness,
): Instance | undefined {
  const { admitted, key: path } = admittedPath(itemSpec, witness.fields, judgement, session.folds);
  if (!admitted) return undefined;
  const parts = classSpec.instance.map((names) => firstText(witness.fields, names) ?? '');
  const key = classSpec.paths ? (path ?? pathKey(parts[0] ?? '', judgement.platform, session.folds)) : parts.join(' ');
  const names = namesOf(judgement, session, witness);
  const level = raisedLevel(judgement, classSpec, itemSpec, witness, names);
  return {
    ...blankInstance(classSpec, `${classSpec.name} ${key}`, witness),
    labels: [witness.itemId],
    level,
    names,
    program: (itemSpec?.program ?? []).flatMap((field) => textsOf(witness.fields, field)),
    removable: judgement.removals
      .filter(
        (removal) => removal.class === classSpec.name && isRemovable(removal, witness.itemId, path, names, session),
      )
      .map((removal) => removal.id),
    techniques: [...(itemSpec?.techniques ?? [])],
  };
}

function blankInstance(classSpec: ClassSpec, key: string, witness: Witness): Instance {
  return {
    key,
    class: classSpec.name,
    labels: [],
    level: classSpec.levels.indexOf(classSpec.countsFrom),
    category: '',
    strong: false,
    noise: false,
    removable: [],
    program: [],
    names: [],
    attribution: 'direct',
    isKnown: false,
    techniques: [],
    count: 1,
    firstUs: witness.timeUs,
    lastUs: witness.timeUs,
    times: [witness.timeUs],
    evidence: evidenceOf(witness),
  };
}

function isRemovable(
  removal: RemovalSpec,
  label: string,
  path: string | undefined,
  names: readonly string[],
  session: Session,
): boolean {
  const { instance } = removal;
  if (instance === undefined) return true;
  const { domain, path: paths, items } = instance;
  if (domain !== undefined && (names.length === 0 || !names.every((name) => inList(domain, name, true)))) return false;
  if (paths !== undefined && (path === undefined || !inList(paths, path, session.folds))) return false;
  if (items !== undefined && !items.includes(label)) return false;
  return instance.commands === undefined || instance.commands.includes(label);
}

/** Names of the witness's destination: the event's own, else those the tree looked up for its address. */
function namesOf(judgement: Judgement, session: Session, witness: Witness): string[] {
  const { domainField, addressField } = judgement.destination;
  const own = textsOf(witness.fields, domainField).map(domainKey);
  if (own.length > 0) return own;
  const lookup = session.lookups.get(firstText(witness.fields, [addressField]) ?? '');
  const isRecent = lookup !== undefined && Math.abs(witness.timeUs - lookup.timeUs) <= judgement.lookupUs;
  return isRecent ? [lookup.name] : [];
}

/** A domain name as lists hold it. */
export function domainKey(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

function raisedLevel(
  judgement: Judgement,
  classSpec: ClassSpec,
  itemSpec: ItemSpec | undefined,
  witness: Witness,
  names: readonly string[],
): number {
  let level = classSpec.levels.indexOf(itemSpec?.level ?? classSpec.countsFrom);
  for (const raise of classSpec.raises) {
    if (raise.kind === 'fanOut' || !raise.from.includes(classSpec.levels[level] ?? '')) continue;
    const isRaised =
      raise.kind === 'named'
        ? names.some((name) => inList(raise.in, name, true))
        : names.length === 0 && provides(judgement, witness.fields, raise.provides);
    if (isRaised) level = Math.max(level, classSpec.levels.indexOf(raise.to));
  }
  return level;
}

/** The kind of source that wrote the event is declared to report `what`. */
export function provides(judgement: Judgement, fields: EvidenceFields, what: string): boolean {
  return judgement.sources.some(
    (source) =>
      source.provides.includes(what) &&
      textsOf(fields, source.field).some((text) => globMatchesAny(source.values, text)),
  );
}

/** One command of an execution, itself or inside a shell string. */
interface Command {
  readonly name: string;
  readonly args: readonly string[];
}

const shellNestingMax = 3;

/** The commands that an execution stands for: the program itself and, for a shell, those in its command string. */
export function commandsOf(judgement: Judgement, fields: EvidenceFields): readonly Command[] {
  if (judgement.commands.typed) return typedCommands(judgement, firstText(fields, ['process.command_line']) ?? '');
  const executable = firstText(fields, ['process.executable']);
  const processName = firstText(fields, ['process.name']);
  const name = programName({
    ...(executable === undefined ? {} : { executable }),
    ...(processName === undefined ? {} : { name: processName }),
  });
  const listed = textsOf(fields, 'process.args');
  const split = judgement.platform === 'windows' ? splitWindows : splitPosix;
  const words = listed.length > 0 ? listed : split(firstText(fields, ['process.command_line']) ?? '').args;
  return withShellCommands(judgement, { name, args: words.slice(1) }, shellNestingMax);
}

function typedCommands(judgement: Judgement, line: string): readonly Command[] {
  return shellCommands(line).flatMap((words) => {
    const [first, ...args] = stripPrefixes(words, judgement.commands.prefixes);
    if (first === undefined) return [];
    return withShellCommands(judgement, { name: programName({ name: baseName(first) }), args }, shellNestingMax);
  });
}

function withShellCommands(judgement: Judgement, command: Command, depth: number): readonly Command[] {
  if (depth === 0 || !judgement.commands.shells.includes(command.name)) return [command];
  const flag = command.args.findIndex((arg) => /^(?:-[a-z]*c[a-z]*|\/[ck])$/i.test(arg));
  if (flag < 0) return [command];
  const text = judgement.platform === 'windows' ? command.args.slice(flag + 1).join(' ') : command.args[flag + 1];
  const inner = shellCommands(text ?? '').flatMap((words) => {
    const [first, ...args] = stripPrefixes(words, judgement.commands.prefixes);
    if (first === undefined) return [];
    return withShellCommands(judgement, { name: programName({ name: baseName(first) }), args }, depth - 1);
  });
  return [command, ...inner];
}

/** Instances for the commands of an execution: for each class the first row of the table that matches. */
export function commandInstances(judgement: Judgement, session: Session, witness: Witness): readonly Instance[] {
  return commandsOf(judgement, witness.fields).flatMap((command) => {
    const decided = new Set<string>();
    return judgement.commands.rows.flatMap((row) => {
      if (decided.has(row.class) || !rowMatches(row, command, judgement, session.folds)) return [];
      decided.add(row.class);
      const classSpec = judgement.classes.find((spec) => spec.name === row.class);
      return classSpec === undefined ? [] : [commandInstance(judgement, session, classSpec, row, witness)];
    });
  });
}

function commandInstance(
  judgement: Judgement,
  session: Session,
  classSpec: ClassSpec,
  row: CommandSpec,
  witness: Witness,
): Instance {
  return {
    ...blankInstance(classSpec, `${classSpec.name} ${row.category}:${row.id}`, witness),
    labels: [row.id],
    category: row.category,
    strong: row.strong,
    noise: row.noise,
    removable: judgement.removals
      .filter((removal) => removal.class === classSpec.name && isRemovable(removal, row.id, undefined, [], session))
      .map((removal) => removal.id),
    techniques: [...row.techniques],
  };
}

function rowMatches(row: CommandSpec, command: Command, judgement: Judgement, folds: boolean): boolean {
  if (!matchesAny(folded(row.names), command.name)) return false;
  const args = command.args.map(foldCase);
  if (row.args !== undefined && !row.args.some((run) => runMatches(run, args))) return false;
  return (
    row.argPath === undefined || command.args.some((arg) => isPathIn(row.argPath as PatternList, arg, judgement, folds))
  );
}

/** The globs match arguments in order, others between them. An empty run stands for "no arguments". */
function runMatches(run: readonly string[], args: readonly string[]): boolean {
  if (run.length === 0) return args.length === 0;
  let at = 0;
  return folded(run).every((pattern) => {
    while (at < args.length && !globMatches(pattern, args[at] as string)) at++;
    return at++ < args.length;
  });
}

/** The argument names a path of the list, perhaps after `@` or `name=@` as upload options write it. */
function isPathIn(list: PatternList, argument: string, judgement: Judgement, folds: boolean): boolean {
  const path = argument.replace(/^(?:[\w-]+=)?@/, '');
  return inList(list, pathKey(path, judgement.platform, folds), folds);
}
