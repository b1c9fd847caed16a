/** The command table: which row a command satisfies, found by its name first. */
import type { TextTest } from '../../../core/glob_set.js';
import { remembering } from '../../../core/memo.js';
import { foldCase, pathKey } from '../../../core/paths.js';
import type { ClassSpec, CommandSpec, Judgement } from '../../../rule/behavior.js';
import { foldedSet, type KeyTest, keyTest } from './patterns.js';
import type { Removal } from './removals.js';

/** One command of an execution, itself or inside a shell string. */
export interface Command {
  /** Case-folded, without `.exe`. */
  readonly name: string;
  readonly args: readonly string[];
}

/** A row of the table with what its instances need. */
export interface CommandForm {
  readonly spec: CommandSpec;
  readonly class: ClassSpec;
  /** Those of the class. */
  readonly removals: readonly Removal[];
}

export interface CommandTable {
  /** For each class the first row that the command satisfies. `folds`: paths of the host are folded. */
  readonly rowsOf: (command: Command, folds: boolean) => readonly CommandForm[];
}

interface Row extends CommandForm {
  readonly isNamed: TextTest;
  readonly argsHold: (folded: readonly string[]) => boolean;
  readonly pathHolds: (args: readonly string[], folds: boolean) => boolean;
}

const noRows: readonly Row[] = [];

export function compileCommands(judgement: Judgement, removals: readonly Removal[]): CommandTable {
  const rows = judgement.commands.rows.flatMap((spec) => {
    const classSpec = judgement.classes.find(({ name }) => name === spec.class);
    return classSpec === undefined ? [] : [compileRow(judgement, spec, classSpec, removals)];
  });
  const named = remembering((name: string): readonly Row[] => {
    const found = rows.filter(({ isNamed }) => isNamed(name));
    return found.length === 0 ? noRows : found;
  });
  return {
    rowsOf: ({ name, args }, folds) => {
      const candidates = named(name);
      if (candidates.length === 0) return candidates;
      const folded = args.map(foldCase);
      const found: Row[] = [];
      for (const row of candidates) {
        if (found.some((earlier) => earlier.class === row.class)) continue;
        if (row.argsHold(folded) && row.pathHolds(args, folds)) found.push(row);
      }
      return found;
    },
  };
}

function compileRow(judgement: Judgement, spec: CommandSpec, classSpec: ClassSpec, removals: readonly Removal[]): Row {
  const runs = spec.args?.map(compileRun);
  return {
    spec,
    class: classSpec,
    removals: removals.filter((removal) => removal.class === classSpec.name),
    isNamed: foldedSet(spec.names),
    argsHold: (folded) => runs === undefined || runs.some((matches) => matches(folded)),
    pathHolds: pathTest(spec, judgement),
  };
}

/** The globs match arguments in order, others between them. An empty run stands for "no arguments". */
function compileRun(run: readonly string[]): (args: readonly string[]) => boolean {
  if (run.length === 0) return (args) => args.length === 0;
  const tests = run.map((pattern) => foldedSet([pattern]));
  return (args) => {
    let at = 0;
    for (const test of tests) {
      while (at < args.length && !test(args[at] as string)) at++;
      if (at++ >= args.length) return false;
    }
    return true;
  };
}

/** An argument names a path of the list, perhaps after `@` or `name=@` as upload options write it. */
function pathTest({ argPath }: CommandSpec, { platform }: Judgement): Row['pathHolds'] {
  if (argPath === undefined) return () => true;
  const isIn: KeyTest = keyTest(argPath);
  return (args, folds) => args.some((arg) => isIn(pathKey(arg.replace(/^(?:[\w-]+=)?@/, ''), platform, folds), folds));
}
