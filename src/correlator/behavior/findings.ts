/** From a witness to the instances it is evidence for: paths, destinations and commands. */
import { baseName, pathKey } from '../../core/paths.js';
import type { ClassSpec, Judgement } from '../../rule/behavior.js';
import { blankInstance, type Instance } from './case.js';
import { shellCommands, splitPosix, splitWindows, stripPrefixes } from './command_line.js';
import type { Command, CommandForm } from './compiled/commands.js';
import type { ItemForm } from './compiled/items.js';
import type { CompiledJudgement } from './compiled/judgement.js';
import { programName } from './compiled/process.js';
import { removableBy } from './compiled/removals.js';
import { firstText, textsOf } from './fields.js';
import type { Session } from './session.js';
import { evidenceOf } from './session.js';
import type { EvidenceFields, Witness } from './witness.js';

/** The instance that an item's witness stands for; undefined when the item's exact test fails. */
export function itemInstance(
  judgement: Judgement,
  session: Session,
  form: ItemForm,
  witness: Witness,
): Instance | undefined {
  const { fields, itemId } = witness;
  const { folds } = session;
  const { class: classSpec } = form;
  if (classSpec.notOnOwn !== undefined && isOnOwn(classSpec.notOnOwn, session, witness)) return undefined;
  let path: string | undefined;
  if (form.path !== undefined) {
    const text = firstText(fields, form.path.fields);
    if (text === undefined) return undefined;
    path = pathKey(text, judgement.platform, folds);
    if (!form.path.isIn(path, folds)) return undefined;
  }
  const parts = classSpec.instance.map((names) => firstText(fields, names) ?? '');
  const key = classSpec.paths ? (path ?? pathKey(parts[0] ?? '', judgement.platform, folds)) : parts.join(' ');
  const names = namesOf(judgement, session, witness);
  const instance = instanceFor(classSpec, `${classSpec.name} ${key}`, witness);
  instance.labels = [itemId];
  instance.level = form.level(names, fields);
  instance.names = names;
  instance.program = form.program.flatMap((field) => textsOf(fields, field));
  instance.removable = removableBy(form.removals, { label: itemId, path, names, folds });
  instance.techniques = [...form.techniques];
  return instance;
}

/** What the subject does to a process below it, as debuggers do. */
function isOnOwn(
  names: NonNullable<ClassSpec['notOnOwn']>,
  { processes }: Session,
  { chain, fields }: Witness,
): boolean {
  const subject = chain[0]?.identity;
  const entityId = firstText(fields, [names.identity]);
  const pid = firstText(fields, [names.pid]) ?? pidInPath(names.path, fields);
  if (entityId === undefined && pid !== undefined && pid === String(chain[0]?.pid)) return true;
  const above =
    processes.get(`process.entity_id ${entityId}`) ??
    (entityId === undefined ? processes.get(`process.pid ${pid}`) : undefined);
  return subject !== undefined && above?.includes(subject) === true;
}

/** The process that a path below `/proc/` is about. */
function pidInPath(field: string | undefined, fields: EvidenceFields): string | undefined {
  const path = field === undefined ? undefined : firstText(fields, [field]);
  return path === undefined ? undefined : /^\/proc\/(\d+)\//.exec(path)?.[1];
}

function instanceFor(classSpec: ClassSpec, key: string, witness: Witness): Instance {
  const level = classSpec.levels.indexOf(classSpec.countsFrom);
  return blankInstance(classSpec.name, key, level, evidenceOf(witness));
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
export function commandInstances(compiled: CompiledJudgement, session: Session, witness: Witness): readonly Instance[] {
  const { folds } = session;
  return commandsOf(compiled.judgement, witness.fields).flatMap((command) =>
    compiled.commands.rowsOf(command, folds).map((row) => commandInstance(row, folds, witness)),
  );
}

function commandInstance(row: CommandForm, folds: boolean, witness: Witness): Instance {
  const { id, category, strong, noise, techniques } = row.spec;
  return {
    ...instanceFor(row.class, `${row.class.name} ${category}:${id}`, witness),
    labels: [id],
    category,
    strong,
    noise,
    removable: removableBy(row.removals, { label: id, path: undefined, names: [], folds }),
    techniques: [...techniques],
  };
}
