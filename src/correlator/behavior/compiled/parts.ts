/** What compiled conditions of one judgement share: its tests of processes, and its names by index. */
import type { Judgement } from '../../../rule/behavior.js';
import { type CompiledProcess, ProcessTests } from './process.js';
import type { Question } from './scope.js';

export interface Parts {
  readonly judgement: Judgement;
  readonly processes: ProcessTests;
  readonly wrappers: CompiledProcess;
  /** By index; complete once everything is compiled. */
  readonly facts: Question[];
  /** -1 for a name that is no fact's. */
  readonly factIndex: (name: string) => number;
  /** Index of each class by its name. */
  readonly classIndex: ReadonlyMap<string, number>;
}

export function partsOf(judgement: Judgement): Parts {
  const processes = new ProcessTests(judgement.platform);
  return {
    judgement,
    processes,
    wrappers: processes.compile(judgement.wrappers),
    facts: [],
    factIndex: (name) => judgement.facts.findIndex((fact) => fact.name === name),
    classIndex: new Map(judgement.classes.map(({ name }, index) => [name, index])),
  };
}
