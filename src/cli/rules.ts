/** `vedette rules`: the commands on rule files. */
import { CommandError, type Io } from './io.js';
import { runRulesCheck } from './rules_check.js';

/** Runs `rules check`, the only one. @throws CommandError for another. */
export async function rules(args: string[], io: Io): Promise<number> {
  const [name, ...rest] = args;
  if (name === 'check' || name === '--help' || name === '-h')
    return runRulesCheck(name === 'check' ? rest : ['--help'], io);
  throw new CommandError(name === undefined ? 'name a command: check' : `no command "${name}"; there is check`);
}
