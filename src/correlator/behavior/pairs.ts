/**
 * Items that count only together with another: the maps and then the memory of one process. Told by session and folder,
 * in either order of time. Bounded: the oldest gives way, and with it at most one of two events that no other saw.
 */
import { keepNewest } from '../../core/bounded.js';
import type { ItemSpec } from '../../rule/behavior.js';
import type { Instance } from './case.js';
import type { Session } from './session.js';

interface Sighting {
  /** Newest time of the partner item; absent before the first. */
  readonly partnerUs?: number;
  /** Waits for a partner. */
  readonly waiting?: Instance;
}

/** By host, session, item and folder. */
export type PairsState = readonly (Sighting & { readonly host: string; readonly key: string })[];

const sightingsMax = 4096;

export class Pairs {
  readonly #items: readonly ItemSpec[];
  /** By key, oldest first. */
  readonly #sightings = new Map<string, Sighting & { readonly host: string }>();

  constructor(items: readonly ItemSpec[]) {
    this.#items = items.filter(({ pair }) => pair !== undefined);
  }

  /** Whether the item counts only with another, or another with it. */
  isPart({ id, pair }: ItemSpec): boolean {
    return pair !== undefined || this.#items.some((item) => item.pair?.item === id);
  }

  /** The instances that a witness of the item completes. `path` names the folder that both must be about. */
  take(session: Session, spec: ItemSpec, path: string, instance: Instance): readonly Instance[] {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    const keyOf = (item: ItemSpec): string => JSON.stringify([session.host.id, session.rootIdentity, item.id, folder]);
    const { pair } = spec;
    if (pair !== undefined) {
      const known = this.#sightings.get(keyOf(spec));
      if (known?.partnerUs !== undefined && Math.abs(instance.firstUs - known.partnerUs) <= pair.withinUs) {
        return [instance];
      }
      this.#keep(keyOf(spec), { ...known, host: session.host.id, waiting: instance });
      return [];
    }
    return this.#items.flatMap((item) => {
      if (item.pair?.item !== spec.id) return [];
      const known = this.#sightings.get(keyOf(item));
      const waiting = known?.waiting;
      const partnerUs = Math.max(known?.partnerUs ?? instance.firstUs, instance.firstUs);
      const isComplete = waiting !== undefined && Math.abs(waiting.firstUs - instance.firstUs) <= item.pair.withinUs;
      const left = waiting === undefined || isComplete ? {} : { waiting };
      this.#keep(keyOf(item), { host: session.host.id, partnerUs, ...left });
      return isComplete ? [waiting] : [];
    });
  }

  #keep(key: string, sighting: Sighting & { readonly host: string }): void {
    this.#sightings.delete(key);
    this.#sightings.set(key, sighting);
    keepNewest(this.#sightings, sightingsMax);
  }

  snapshot(): PairsState {
    return [...this.#sightings].map(([key, sighting]) => ({ key, ...sighting }));
  }

  restore(state: PairsState): void {
    this.#sightings.clear();
    for (const { key, ...sighting } of state) this.#sightings.set(key, sighting);
  }
}
