import { parseArgs } from 'node:util';
import { compile } from '../compiler/compile.js';
import type { Diagnostic } from '../core/diagnostic.js';
import { renderDiagnostic } from '../core/diagnostics.js';
import { UsageError } from '../core/errors.js';
import { loadRules } from '../engine/load_rules.js';
import type { ParsedRules } from '../language/load.js';
import { fieldTypesFrom, fieldTypesHelp } from './field_types.js';
import { CommandError, type Io, paint, printableLine } from './io.js';

const usage = `usage: vedette rules check [--json] [--dialect elasticsearch|endpoint] [--field-types FILE] PATH…

Reads the rules of files and folders and prints a diagnostic for each problem.
  --json      print one line of JSON last: total, compiled, unsupported, problems, notes
  --dialect   EQL dialect of rules that do not choose one
  ${fieldTypesHelp}
Exit code: 0 all rules compile, 1 there are problems, 2 wrong usage or an unreadable path.`;

/** Outcome of a check, as `--json` prints it. Remarks of severity `info` are notes, not problems. */
export interface RulesCheck {
  /** Rules found, refused ones included. */
  readonly total: number;
  readonly compiled: number;
  readonly unsupported: readonly { file: string | null; rule: string | null; code: string; reason: string }[];
  readonly problems: readonly Diagnostic[];
  readonly notes: readonly Diagnostic[];
}

/**
 * `vedette rules check`: prints a diagnostic per problem. Resolves to the exit code.
 * @throws CommandError for wrong usage or an unreadable path.
 */
export async function runRulesCheck(args: string[], io: Io): Promise<number> {
  const { values, positionals } = readArguments(args);
  if (values.help === true) {
    io.stdout(`${usage}\n`);
    return 0;
  }
  if (positionals.length === 0) throw new CommandError('rules check: name a rule file or folder');
  const options = {
    ...(await fieldTypesFrom(values['field-types'])),
    ...(values.dialect === undefined ? {} : { dialect: dialectOf(values.dialect) }),
  };
  const loaded = await loadRules(positionals, options).catch((error: unknown) => {
    throw error instanceof UsageError ? new CommandError(error.message) : error;
  });
  const { rules, diagnostics } = compile(loaded.rules);
  const check = summarise({ rules, problems: [...loaded.problems, ...diagnostics] });
  if (values.json === true) io.stdout(`${JSON.stringify(check)}\n`);
  else printCheck(check, io);
  return check.problems.length + check.unsupported.length > 0 ? 1 : 0;
}

function readArguments(args: string[]) {
  const options = {
    json: { type: 'boolean' },
    dialect: { type: 'string' },
    'field-types': { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new CommandError(`rules check: ${(error as Error).message}`);
  }
}

function dialectOf(name: string): 'elasticsearch' | 'endpoint' {
  if (name === 'elasticsearch' || name === 'endpoint') return name;
  throw new CommandError(`rules check: --dialect is elasticsearch or endpoint, not "${name}"`);
}

/** Counts a refused rule once however many problems it has, and a file that cannot be read as one rule. */
export function summarise({ rules, problems }: ParsedRules): RulesCheck {
  const refused = new Set(
    problems
      .filter((problem) => problem.severity === 'error')
      .map((problem) => JSON.stringify([problem.file, problem.ruleId])),
  );
  const isUnsupported = (problem: Diagnostic): boolean => problem.code.startsWith('UNSUPPORTED_');
  return {
    total: rules.length + refused.size,
    compiled: rules.length,
    unsupported: problems.filter(isUnsupported).map((problem) => ({
      file: problem.file ?? null,
      rule: problem.ruleId ?? null,
      code: problem.code,
      reason: problem.message,
    })),
    problems: problems.filter((problem) => problem.severity !== 'info' && !isUnsupported(problem)),
    notes: problems.filter((problem) => problem.severity === 'info'),
  };
}

function printCheck(check: RulesCheck, io: Io): void {
  for (const problem of [...check.problems, ...check.notes]) {
    const style = problem.severity === 'error' ? 'red' : problem.severity === 'warning' ? 'yellow' : 'dim';
    const [head = '', ...rest] = renderDiagnostic(problem).split('\n').map(printableLine);
    io.stdout(`${[paint(io, style, head), ...rest].join('\n')}\n\n`);
  }
  for (const { file, rule, code, reason } of check.unsupported) {
    io.stdout(`${printableLine(`${file ?? '<text>'}: unsupported ${code}: ${reason} [${rule ?? '?'}]`)}\n`);
  }
  const refused = check.total - check.compiled;
  const tail = refused === 0 ? '' : `, ${refused} refused (${check.unsupported.length} unsupported)`;
  io.stdout(`${check.compiled} of ${check.total} rules compile${tail}\n`);
}
