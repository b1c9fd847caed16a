/** Pipes over a rule's findings. `head`, `unique` and `filter` pass results on as they come; the others wait for the end. */
import type { Expr, Pipe } from '../../src/rule/ir.js';
import { type KeyValue, keyText } from './evaluate.js';
import type { Finding, StepEvents, Subject } from './judge.js';
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
        take: (finding) => (subjectOf(finding).truth(pipe.condition, stepsOf(finding)) === true ? [finding] : []),
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
      return waiting((findings) => countGroups(findings, pipe.by));
  }
}

/** The first finding of each group, its event given the fields `count` and `percent`. */
function countGroups(findings: readonly Finding[], by: readonly Expr[]): Finding[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = keyText(pipeKey(finding, by));
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].map((group) => {
    const [first, ...rest] = (group[0] as Finding).evidence;
    const counted = { count: group.length, percent: group.length / findings.length };
    return { ...(group[0] as Finding), evidence: [first?.withFields(counted) ?? null, ...rest] };
  });
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

/** Fields without a step are those of the first event. */
const subjectOf = (finding: Finding): Subject => finding.evidence.find((subject) => subject !== null) as Subject;

const pipeKey = (finding: Finding, by: readonly Expr[]): KeyValue[] =>
  by.map((expr) => {
    const value = subjectOf(finding).values(expr)[0] ?? null;
    return typeof value === 'object' && value !== null ? value.value : value;
  });
