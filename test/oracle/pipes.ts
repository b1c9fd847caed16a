/** Pipes over a rule's findings. `head`, `unique` and `filter` pass results on as they come; the others wait for the end. */
import type { Expr, Pipe } from '../../src/rule/ir.js';
import { keyText } from './evaluate.js';
import { type Finding, lastEvent, type StepEvents } from './judge.js';
import { compareKeys } from './sample.js';

export class Pipes {
  private readonly stages: readonly Stage[];

  constructor(pipes: readonly Pipe[]) {
    this.stages = pipes.map(createStage);
  }

  pass(findings: readonly Finding[], isEnd: boolean): Finding[] {
    let passing = [...findings];
    for (const stage of this.stages) {
      const direct = passing.flatMap((finding) => stage.take(finding));
      passing = isEnd ? [...direct, ...stage.end()] : direct;
    }
    return passing;
  }
}

interface Stage {
  take(finding: Finding): Finding[];
  end(): Finding[];
}

function createStage(pipe: Pipe): Stage {
  switch (pipe.kind) {
    case 'head': {
      let left = pipe.count;
      return { take: (finding) => (left-- > 0 ? [finding] : []), end: () => [] };
    }
    case 'tail':
      return waiting((findings) => findings.slice(Math.max(0, findings.length - pipe.count)));
    case 'filter':
      return {
        take: (finding) => (lastEvent(finding).truth(pipe.condition, stepsOf(finding)) === true ? [finding] : []),
        end: () => [],
      };
    case 'unique': {
      const seen = new Set<string>();
      return {
        take: (finding) => {
          const key = keyText(pipeKey(finding, pipe.by));
          if (seen.has(key)) return [];
          seen.add(key);
          return [finding];
        },
        end: () => [],
      };
    }
    case 'sort':
      return waiting((findings) => findings.sort((a, b) => compareKeys(pipeKey(a, pipe.by), pipeKey(b, pipe.by))));
    case 'uniqueCount':
    case 'count':
      return waiting((findings) => {
        const first = new Map<string, Finding>();
        for (const finding of findings) {
          const key = keyText(pipeKey(finding, pipe.by));
          if (!first.has(key)) first.set(key, finding);
        }
        return [...first.values()];
      });
  }
}

function waiting(release: (findings: Finding[]) => Finding[]): Stage {
  const held: Finding[] = [];
  return {
    take: (finding) => {
      held.push(finding);
      return [];
    },
    end: () => release([...held]),
  };
}

const stepsOf =
  (finding: Finding): StepEvents =>
  (step) =>
    finding.evidence[step] ?? undefined;

const pipeKey = (finding: Finding, by: readonly Expr[]) =>
  by.map((expr) => {
    const value = lastEvent(finding).values(expr)[0] ?? null;
    return typeof value === 'object' && value !== null ? value.value : value;
  });
