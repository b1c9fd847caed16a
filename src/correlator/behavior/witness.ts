/**
 * What the kernel tells of one event that satisfied an item of a behaviour rule. The contract between the per-event
 * work (kernel) and the per-witness judgement (this folder).
 */

/** A value of an event's field as evidence keeps it; multi-valued fields are arrays. */
export type EvidenceValue = string | number | boolean | readonly (string | number | boolean)[];

/** Evidence fields by ECS name; missing fields are absent. */
export type EvidenceFields = Readonly<Record<string, EvidenceValue>>;

/** One program image of a process, oldest first in {@link ProcessNode.images}. */
export interface ProcessImage {
  /** When the image was first seen, in microseconds since the epoch. */
  readonly timeUs: number;
  readonly executable?: string | undefined;
  readonly name?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly commandLine?: string | undefined;
  readonly user?: string | undefined;
}

/** One process on the way from an event's subject up to the last known ancestor. */
export interface ProcessNode {
  /** Stable and unique within the host: the entity id, or pid and start or generation. Equal in every replay. */
  readonly identity: string;
  /** The identity rests on a pid alone. */
  readonly weak: boolean;
  readonly pid?: number | undefined;
  readonly startUs?: number | undefined;
  readonly images: readonly ProcessImage[];
  /** Names of the rule's marks that this process itself carries, not those it inherits. */
  readonly marks: readonly string[];
  /** How the link to the next node (the parent) is known; `none` on the last. */
  readonly link: 'entity' | 'fork' | 'ancestry' | 'pid' | 'none';
  /** Known only from events that mention it, never from its own start. */
  readonly implicit: boolean;
  readonly exited: boolean;
}

export interface Witness {
  readonly itemId: string;
  readonly timeUs: number;
  readonly ordinal: number;
  /** Identity of the event: its `event.id`, else the hash that stands for it. */
  readonly eventId: string;
  readonly host: { readonly id: string; readonly name?: string };
  readonly fields: EvidenceFields;
  /** Subject first, then its ancestors. Empty when the event names no process. */
  readonly chain: readonly ProcessNode[];
  /** There are ancestors beyond the last node of `chain`. */
  readonly chainTruncated: boolean;
  /** The event came after the watermark of its host. */
  readonly late: boolean;
}
