/**
 * Process lineage as the oracle keeps it: every process ever seen, with its parent and the conditions its events met.
 *
 * A process is known by its entity id, else by pid. A pid begins a new life with a start event that comes after its
 * exit or names another parent. What a process met is handed down to descendants that came to be at that time or later.
 */
import type { LineageExpr } from '../../src/rule/ir.js';
import { type OracleEvent, scalarsAt } from './event.js';

interface Process {
  parent: Process | undefined;
  parentText: string | undefined;
  exited: boolean;
  /** When it was first heard of, or started, whichever is earlier. */
  readonly bornUs: number;
  readonly children: Set<Process>;
  /** Texts of the lineage queries that an event of this process has matched. */
  readonly met: Set<string>;
  /** Those that ancestors had matched when the process came to be. */
  readonly inherited: Set<string>;
}

export class Lineage {
  private readonly processes = new Map<string, Process>();

  /** Records what an event says about its process; undefined when it names none. */
  observe(event: OracleEvent): Process | undefined {
    const name = processName(event, 'process');
    if (name === undefined) return undefined;
    const parentName = processName(event, 'process.parent');
    const isStart = isAny(event, ['start', 'process_started', 'fork', 'exec', 'creation']);
    let process = this.processes.get(name);
    const isReborn = isStart && process !== undefined && name.includes('|pid|') && this.endsLife(process, parentName);
    if (process === undefined || isReborn) process = this.create(name, event.timeUs);
    if (process.parent === undefined && parentName !== undefined && parentName !== name) {
      const parent = this.processes.get(parentName) ?? this.create(parentName, event.timeUs);
      process.parentText = parentName;
      this.connect(process, parent);
    }
    if (isAny(event, ['end', 'process_terminated', 'exit', 'termination'])) process.exited = true;
    return process;
  }

  /** An event of the process at `timeUs` matched a query. */
  meet(process: Process, query: string, timeUs: number): void {
    if (process.met.has(query)) return;
    process.met.add(query);
    this.handDown(process, query, timeUs);
  }

  holds(process: Process | undefined, relation: LineageExpr['relation'], query: string): boolean {
    if (process === undefined) return false;
    if (relation === 'event') return process.met.has(query);
    if (relation === 'child') return process.parent?.met.has(query) === true;
    return process.inherited.has(query);
  }

  private create(name: string, bornUs: number): Process {
    const sets = { children: new Set<Process>(), met: new Set<string>(), inherited: new Set<string>() };
    const process = { parent: undefined, parentText: undefined, exited: false, bornUs, ...sets };
    this.processes.set(name, process);
    return process;
  }

  private connect(process: Process, parent: Process): void {
    for (let up: Process | undefined = parent; up !== undefined; up = up.parent) if (up === process) return;
    process.parent = parent;
    parent.children.add(process);
    for (const query of [...parent.met, ...parent.inherited]) this.inherit(process, query, Number.NEGATIVE_INFINITY);
  }

  private inherit(process: Process, query: string, sinceUs: number): void {
    if (process.inherited.has(query) || process.bornUs < sinceUs) return;
    process.inherited.add(query);
    this.handDown(process, query, sinceUs);
  }

  private handDown(process: Process, query: string, sinceUs: number): void {
    for (const child of process.children) this.inherit(child, query, sinceUs);
  }

  private endsLife(process: Process, parentName: string | undefined): boolean {
    return process.exited || (parentName !== undefined && process.parentText !== parentName);
  }
}

function processName(event: OracleEvent, prefix: string): string | undefined {
  const entity = scalarsAt(event.source, `${prefix}.entity_id`)[0];
  if (entity !== undefined) return `${event.host}|entity|${entity}`;
  const pid = scalarsAt(event.source, `${prefix}.pid`)[0];
  return pid === undefined ? undefined : `${event.host}|pid|${pid}`;
}

function isAny(event: OracleEvent, words: readonly string[]): boolean {
  const said = [...scalarsAt(event.source, 'event.type'), ...scalarsAt(event.source, 'event.action')].map(String);
  return said.some((word) => words.includes(word));
}
