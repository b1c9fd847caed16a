/** Pipes over one rule's alerts, in the order the rule names them. What waits for the end of the stream is bounded. */
import type { Expr, Pipe } from '../rule/ir.js';
import type { MadeAlert } from './alert_maker.js';
import { holds, type KeyValue, valuesOf } from './evaluate.js';

/** Alerts or keys that one pipe remembers at most; beyond, the oldest are dropped and counted. */
const heldMax = 100_000;

interface Stage {
  take(alert: MadeAlert): MadeAlert[];
  end(): MadeAlert[];
  /** What the stage remembers: a count, keys, or alerts. */
  snapshot(): StageState;
  restore(state: StageState): void;
}

/** State of one pipe as plain data. */
export interface StageState {
  readonly left?: number;
  readonly seen?: readonly string[];
  readonly held?: readonly MadeAlert[];
}

export class Pipes {
  readonly #stages: readonly Stage[];

  /** `onLoss` is told of alerts that were dropped because too many were waiting. */
  constructor(pipes: readonly Pipe[], onLoss: (count: number) => void) {
    this.#stages = pipes.map((pipe) => createStage(pipe, onLoss));
  }

  take(alert: MadeAlert): MadeAlert[] {
    return this.#pass([alert], 0);
  }

  /** What was held for the end of the stream. */
  end(): MadeAlert[] {
    return this.#stages.flatMap((stage, index) => this.#pass(stage.end(), index + 1));
  }

  snapshot(): StageState[] {
    return this.#stages.map((stage) => stage.snapshot());
  }

  restore(states: readonly StageState[]): void {
    states.forEach((state, index) => {
      this.#stages[index]?.restore(state);
    });
  }

  #pass(alerts: readonly MadeAlert[], from: number): MadeAlert[] {
    let passing = [...alerts];
    for (const stage of this.#stages.slice(from)) passing = passing.flatMap((alert) => stage.take(alert));
    return passing;
  }
}

function createStage(pipe: Pipe, onLoss: (count: number) => void): Stage {
  switch (pipe.kind) {
    case 'head': {
      let left = pipe.count;
      return {
        take: (alert) => (left-- > 0 ? [alert] : []),
        end: () => [],
        snapshot: () => ({ left }),
        restore: (state) => {
          left = state.left ?? left;
        },
      };
    }
    case 'filter':
      return {
        take: (alert) => (holds(pipe.condition, alert.steps) ? [alert] : []),
        end: () => [],
        snapshot: () => ({}),
        restore: () => undefined,
      };
    case 'unique':
      return unique(pipe.by, onLoss);
    case 'tail':
      return waiting(
        pipe.count,
        () => undefined,
        (alerts) => alerts,
      );
    case 'sort':
      return waiting(heldMax, onLoss, (alerts) => sortBy(alerts, pipe.by));
    case 'count':
    case 'uniqueCount':
      return waiting(heldMax, onLoss, (alerts) => countGroups(alerts, pipe.by));
  }
}

function unique(by: readonly Expr[], onLoss: (count: number) => void): Stage {
  const seen = new Set<string>();
  const take = (alert: MadeAlert): MadeAlert[] => {
    const key = JSON.stringify(keyOf(alert, by));
    if (seen.has(key)) return [];
    seen.add(key);
    if (seen.size > heldMax) {
      seen.delete(seen.values().next().value as string);
      onLoss(1);
    }
    return [alert];
  };
  return {
    take,
    end: () => [],
    snapshot: () => ({ seen: [...seen] }),
    restore: (state) => {
      for (const key of state.seen ?? []) seen.add(key);
    },
  };
}

function waiting(most: number, onLoss: (count: number) => void, release: (alerts: MadeAlert[]) => MadeAlert[]): Stage {
  const held: MadeAlert[] = [];
  const take = (alert: MadeAlert): MadeAlert[] => {
    held.push(alert);
    // Trimmed in bulk, so that a long stream costs one move for each `most` alerts.
    if (held.length >= 2 * most + 1) onLoss(held.splice(0, held.length - most).length);
    return [];
  };
  return {
    take,
    end: () => release(held.splice(0).slice(-most)),
    snapshot: () => ({ held: [...held] }),
    restore: (state) => {
      held.push(...(state.held ?? []));
    },
  };
}

const keyOf = (alert: MadeAlert, by: readonly Expr[]): KeyValue[] =>
  by.map((expr) => valuesOf(expr, alert.steps)[0] ?? null);

function sortBy(alerts: MadeAlert[], by: readonly Expr[]): MadeAlert[] {
  const keyed = alerts.map((alert) => ({ alert, key: keyOf(alert, by) }));
  return keyed.sort((a, b) => compareKeys(a.key, b.key)).map(({ alert }) => alert);
}

/** Missing first, then numbers, then texts; component by component. */
function compareKeys(a: readonly KeyValue[], b: readonly KeyValue[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] ?? null;
    if (left === right) continue;
    const rank = (value: KeyValue): number => (value === null ? 0 : typeof value === 'string' ? 2 : 1);
    if (rank(left) !== rank(right)) return rank(left) - rank(right);
    return (left as string | number) < (right as string | number) ? -1 : 1;
  }
  return 0;
}

/** The first alert of each group, its first event given the fields `count` and `percent`. */
function countGroups(alerts: readonly MadeAlert[], by: readonly Expr[]): MadeAlert[] {
  const groups = new Map<string, MadeAlert[]>();
  for (const alert of alerts) {
    const key = JSON.stringify(keyOf(alert, by));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [alert]);
    else group.push(alert);
  }
  return [...groups.values()].map((group) =>
    withFields(group[0] as MadeAlert, { count: group.length, percent: group.length / alerts.length }),
  );
}

function withFields(made: MadeAlert, added: Readonly<Record<string, number>>): MadeAlert {
  const place = made.steps.findIndex((step) => step !== null);
  const steps = made.steps.map((step, index) => (index === place ? { ...step, ...added } : step));
  const evidence = made.alert.evidence.map((entry, index) =>
    index === place && entry.missing !== true ? { ...entry, fields: { ...entry.fields, ...added } } : entry,
  );
  return { ...made, steps, alert: { ...made.alert, evidence } };
}
