/**
 * Process lineage as the oracle keeps it: every process ever seen, with its parent and the conditions its events met.
 *
 * A process is known by its entity id, else by pid. A pid begins a new life with a start event that comes after its
 * exit or names another parent.
 */
import type { LineageExpr } from '../../src/rule/ir.js';
import { type OracleEvent, scalarsAt } from './event.js';

interface Process {
  parent: Process | undefined;
  parentText: string | undefined;
  exited: boolean;
  /** Texts of the lineage queries that an event of this process has matched. */
  readonly met: Set<string>;
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
    if (process === undefined || isReborn) process = this.create(name);
    if (process.parent === undefined && parentName !== undefined && parentName !== name) {
      process.parentText = parentName;
      process.parent = this.processes.get(parentName) ?? this.create(parentName);
    }
    if (isAny(event, ['end', 'process_terminated', 'exit', 'termination'])) process.exited = true;
    return process;
  }

  holds(process: Process | undefined, relation: LineageExpr['relation'], query: string): boolean {
    if (process === undefined) return false;
    if (relation === 'event') return process.met.has(query);
    if (relation === 'child') return process.parent?.met.has(query) === true;
    const visited = new Set<Process>([process]);
    for (let at = process.parent; at !== undefined && !visited.has(at); at = at.parent) {
      if (at.met.has(query)) return true;
      visited.add(at);
    }
    return false;
  }

  private create(name: string): Process {
    const process = { parent: undefined, parentText: undefined, exited: false, met: new Set<string>() };
    this.processes.set(name, process);
    return process;
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
