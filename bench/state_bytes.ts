/** The lane `state-bytes`: what the tables take for each live process and each live first-seen term. */
import { StateTable } from '../src/core/abi/stateful.js';
import { startCorrelator } from '../src/correlator/correlator.js';
import { encodeEvents, parseRules, type Rule } from '../src/index.js';
import type { Lane, LaneOptions, LaneWork } from './lane.js';
import { termsRule } from './prime.js';

const batchRows = 4096;
/** The tables' share of the budget for a live process and a term, with a little to spare. */
const budgetPerEntity = 560;
const budgetFixed = 48 * 2 ** 20;

/** Asks about lineage, so that processes are kept. */
const lineageRule = 'process where process.name == "none" and descendant of [process where process.name == "nobody"]';

function rules(): Rule[] {
  const parsed = [
    parseRules(termsRule, { file: 'terms.toml' }),
    parseRules(lineageRule, { language: 'eql', dialect: 'endpoint', file: 'lineage.eql' }),
  ];
  const [problem] = parsed.flatMap(({ problems }) => problems);
  if (problem !== undefined) throw new Error(`rules do not load: ${problem.message}`);
  return parsed.flatMap((one) => one.rules);
}

/** The start of a process that no other is like, of a program that is new, under the one before it on its host. */
function processStart(index: number, hosts: number): object {
  const host = index % hosts;
  const identity = `process-${index.toString(36)}`;
  return {
    '@timestamp': new Date(Date.UTC(2026, 4, 1) + (index >> 3)).toISOString(),
    host: { id: `host-${host}` },
    event: { category: 'process', type: 'start', action: 'exec' },
    process: {
      entity_id: identity,
      pid: 2 + Math.floor(index / hosts),
      executable: `/srv/bin/${index.toString(36)}`,
      ...(index < hosts ? {} : { parent: { entity_id: `process-${(index - hosts).toString(36)}` } }),
    },
  };
}

/** Tables in use, and their bytes for each entity that is held and for each that fits. */
export async function stateBytesWork(options: LaneOptions): Promise<LaneWork> {
  const { slices, terms, hosts } = options;
  const memory = budgetFixed + terms * budgetPerEntity;
  const part = await startCorrelator({ rules: rules(), memory, pretouch: true }, {});
  const eventsPerSlice = Math.ceil(terms / slices);
  let next = 0;
  return {
    eventsPerSlice,
    slices,
    run() {
      const end = Math.min(next + eventsPerSlice, terms);
      for (; next < end; next += batchRows) {
        const count = Math.min(batchRows, end - next);
        const events = Array.from({ length: count }, (_, index) => processStart(next + index, hosts));
        part.push(encodeEvents(events, { fields: part.fields }));
      }
      next = end;
    },
    summary() {
      const { processes, processCapacity, processBytes } = part.kernel.counts();
      const termTable = part.kernel.stateTable(StateTable.Terms);
      const lost = part.stats().losses.reduce((sum, { count }) => sum + count, 0);
      return [
        tableText('processes', { used: processes, capacity: processCapacity, bytes: processBytes }),
        tableText('terms', termTable),
        `${lost} losses`,
      ].join('; ');
    },
    close: () => part.close(),
  };
}

function tableText(name: string, { used, capacity, bytes }: { used: number; capacity: number; bytes: number }): string {
  const each = (bytes / Math.max(1, capacity)).toFixed(1);
  return `${used.toLocaleString('en')} live ${name} at ${each} bytes, room for ${capacity.toLocaleString('en')}`;
}

export const stateBytesLane: Lane = {
  name: 'state-bytes',
  describes: 'a live process and a live term for each event; bytes of the tables, indexes included, for each',
  prepare: stateBytesWork,
};
