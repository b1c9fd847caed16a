/**
 * A slow stand-in for the kernel's half of behaviour rules: process lineage with images and marks, item conditions by
 * the oracle's evaluator, and the witnesses that come of them. Events come in judged order.
 */
import type { EvidenceFields, EvidenceValue, ProcessImage, Witness } from '../../src/correlator/behavior/witness.js';
import type { BehaviorRule, EventQuery } from '../../src/rule/ir.js';
import { ecsFieldNames, type OracleEvent, scalarsAt } from '../oracle/event.js';
import { Subject } from '../oracle/judge.js';

interface Process {
  readonly identity: string;
  readonly weak: boolean;
  pid: number | undefined;
  startUs: number | undefined;
  parent: Process | undefined;
  link: 'entity' | 'fork' | 'ancestry' | 'pid' | 'none';
  images: ProcessImage[];
  readonly marks: Set<string>;
  implicit: boolean;
  exited: boolean;
}

const chainMax = 16;

export class WitnessSource {
  private readonly processes = new Map<string, Process>();
  private readonly generations = new Map<string, number>();

  constructor(private readonly rule: BehaviorRule) {}

  /** The witnesses of one event. */
  observe(event: OracleEvent, late = false): readonly Witness[] {
    const subject = new Subject(event, { categoryField: ecsFieldNames.eventCategoryField, lineage: () => null });
    const process = this.lineage(event);
    if (subject.truth(this.rule.scope) !== true) return [];
    for (const mark of this.rule.marks) if (subject.matches(mark.query)) process?.marks.add(mark.name);
    const chain = chainOf(process);
    const isInSession = chain.some((node) => node.marks.has(this.rule.root));
    return this.rule.items
      .filter((item) => (isInSession || item.unattributed === true) && matches(subject, item.query))
      .map((item) => ({
        itemId: item.id,
        timeUs: event.timeUs,
        ordinal: event.ordinal,
        eventId: String(scalarsAt(event.source, 'event.id')[0] ?? `#${event.ordinal}`),
        host: { id: event.host },
        fields: this.fieldsOf(event),
        chain: chain.map((node) => ({
          identity: node.identity,
          weak: node.weak,
          ...(node.pid === undefined ? {} : { pid: node.pid }),
          ...(node.startUs === undefined ? {} : { startUs: node.startUs }),
          images: [...node.images],
          marks: [...node.marks],
          link: node.parent === undefined ? 'none' : node.link,
          implicit: node.implicit,
          exited: node.exited,
        })),
        chainTruncated: false,
        late,
      }));
  }

  private fieldsOf(event: OracleEvent): EvidenceFields {
    const found: Record<string, EvidenceValue> = {};
    for (const name of this.rule.judgement.fields) {
      const values = scalarsAt(event.source, name);
      const [only] = values;
      if (only !== undefined) found[name] = values.length === 1 && name !== 'process.args' ? only : values;
    }
    return found;
  }

  private lineage(event: OracleEvent): Process | undefined {
    const get = (name: string) => scalarsAt(event.source, name)[0];
    const says = (...words: string[]): boolean =>
      [...scalarsAt(event.source, 'event.type'), ...scalarsAt(event.source, 'event.action')].some((word) =>
        words.includes(String(word)),
      );
    const isProcessEvent = scalarsAt(event.source, 'event.category').includes('process');
    const isFork = isProcessEvent && says('fork');
    const isStart = isProcessEvent && says('start', 'exec', 'fork');
    const found = this.find(event, 'process', isStart);
    if (found === undefined) return undefined;
    const { process, isNew } = found;
    if (process.parent === undefined) {
      const parent = this.find(event, 'process.parent', false);
      if (parent !== undefined && parent.process !== process) {
        process.parent = parent.process;
        process.link = isFork ? 'fork' : process.weak ? 'pid' : 'entity';
        if (parent.process.images.length === 0) addImage(parent.process, event, 'process.parent');
      }
    }
    if (isStart) {
      process.implicit = false;
      process.startUs ??= event.timeUs;
      if (isFork) process.images = process.images.length > 0 ? process.images : [...(process.parent?.images ?? [])];
      else addImage(process, event, 'process');
    } else if (isNew) addImage(process, event, 'process');
    if (isProcessEvent && says('end')) process.exited = true;
    const pid = get('process.pid');
    if (typeof pid === 'number') process.pid = pid;
    return process;
  }

  /** The process an event names, by entity id, else by the latest life of its pid. */
  private find(event: OracleEvent, prefix: string, isStart: boolean): { process: Process; isNew: boolean } | undefined {
    const entity = scalarsAt(event.source, `${prefix}.entity_id`)[0];
    const pid = scalarsAt(event.source, `${prefix}.pid`)[0];
    if (entity === undefined && pid === undefined) return undefined;
    const life = `${event.host}|pid|${pid}`;
    const key = entity !== undefined ? `${event.host}|${entity}` : `${life}|${this.generations.get(life) ?? 0}`;
    const known = this.processes.get(key);
    if (known !== undefined && entity === undefined && isStart && this.endsLife(event, known)) {
      this.generations.set(life, (this.generations.get(life) ?? 0) + 1);
      return this.find(event, prefix, isStart);
    }
    if (known !== undefined) return { process: known, isNew: false };
    const created: Process = {
      identity: entity === undefined ? key.slice(event.host.length + 1) : String(entity),
      weak: entity === undefined,
      pid: typeof pid === 'number' ? pid : undefined,
      startUs: undefined,
      parent: undefined,
      link: 'none',
      images: [],
      marks: new Set(),
      implicit: true,
      exited: false,
    };
    this.processes.set(key, created);
    return { process: created, isNew: true };
  }

  private endsLife(event: OracleEvent, known: Process): boolean {
    if (known.implicit) return false;
    const parent = scalarsAt(event.source, 'process.parent.pid')[0];
    return known.exited || (typeof parent === 'number' && known.parent !== undefined && known.parent.pid !== parent);
  }
}

function matches(subject: Subject, query: EventQuery): boolean {
  return subject.matches(query);
}

function chainOf(process: Process | undefined): readonly Process[] {
  const chain: Process[] = [];
  for (let at = process; at !== undefined && chain.length < chainMax && !chain.includes(at); at = at.parent)
    chain.push(at);
  return chain;
}

function addImage(process: Process, event: OracleEvent, prefix: string): void {
  const text = (name: string): string | undefined => {
    const value = scalarsAt(event.source, name)[0];
    return value === undefined ? undefined : String(value);
  };
  const args = scalarsAt(event.source, `${prefix}.args`).map(String);
  const image = {
    timeUs: event.timeUs,
    executable: text(`${prefix}.executable`),
    name: text(`${prefix}.name`),
    commandLine: text(`${prefix}.command_line`),
    user: prefix === 'process' ? text('user.name') : undefined,
  };
  const present = Object.fromEntries(Object.entries(image).filter(([, value]) => value !== undefined));
  if (image.executable === undefined && image.name === undefined) return;
  process.images.push({ ...(present as unknown as ProcessImage), ...(args.length > 0 ? { args } : {}) });
}
