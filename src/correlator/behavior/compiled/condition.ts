/** Session conditions as functions that hold only the questions given, the cheap ones first. */
import type { SessionCondition } from '../../../rule/behavior.js';
import type { Parts } from './parts.js';
import { rootQuestions } from './root_questions.js';
import type { Question } from './scope.js';
import { scriptQuestions } from './script_questions.js';
import { windowQuestions } from './window_questions.js';

/** A question and how much it costs to ask, in no particular unit. */
export interface Priced {
  readonly ask: Question;
  readonly cost: number;
}

/** True when every key given in the condition holds. A condition without keys holds always. */
export function compileCondition(condition: SessionCondition, parts: Parts): Question {
  return price(condition, parts).ask;
}

function price(condition: SessionCondition, parts: Parts): Priced {
  return every([
    ...combined(condition, parts),
    ...rootQuestions(condition, parts),
    ...scriptQuestions(condition, parts),
    ...windowQuestions(condition, parts),
  ]);
}

function combined({ all, any, not, fact }: SessionCondition, parts: Parts): Priced[] {
  const found: Priced[] = [];
  if (all !== undefined) found.push(every(all.map((part) => price(part, parts))));
  if (any !== undefined) found.push(some(any.map((part) => price(part, parts))));
  if (not !== undefined) {
    const { ask, cost } = price(not, parts);
    found.push({ ask: (scope) => !ask(scope), cost });
  }
  if (fact !== undefined) {
    const index = parts.factIndex(fact);
    const { facts } = parts;
    found.push({ ask: (scope) => scope.answer(index, facts[index] ?? never), cost: 4 });
  }
  return found;
}

const never: Question = () => false;
const always: Question = () => true;

function every(priced: readonly Priced[]): Priced {
  const [first, second, third, ...others] = inOrder(priced);
  const cost = costOf(priced);
  if (first === undefined) return { ask: always, cost };
  if (second === undefined) return { ask: first, cost };
  if (third === undefined) return { ask: (scope) => first(scope) && second(scope), cost };
  if (others.length === 0) return { ask: (scope) => first(scope) && second(scope) && third(scope), cost };
  const rest = [third, ...others];
  return {
    ask: (scope) => {
      if (!first(scope) || !second(scope)) return false;
      for (const ask of rest) if (!ask(scope)) return false;
      return true;
    },
    cost,
  };
}

function some(priced: readonly Priced[]): Priced {
  const [first, second, ...others] = inOrder(priced);
  const cost = costOf(priced);
  if (first === undefined) return { ask: never, cost };
  if (second === undefined) return { ask: first, cost };
  if (others.length === 0) return { ask: (scope) => first(scope) || second(scope), cost };
  return {
    ask: (scope) => {
      if (first(scope) || second(scope)) return true;
      for (const ask of others) if (ask(scope)) return true;
      return false;
    },
    cost,
  };
}

const inOrder = (priced: readonly Priced[]): readonly Question[] =>
  [...priced].sort((a, b) => a.cost - b.cost).map(({ ask }) => ask);
const costOf = (priced: readonly Priced[]): number => priced.reduce((sum, { cost }) => sum + cost, 0);
