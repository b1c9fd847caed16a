import type { FieldTypes } from '../field_types.js';

/** The Elasticsearch dialect of EQL, or the endpoint's. */
export type ElasticDialect = 'elasticsearch' | 'endpoint';

export interface ElasticOptions {
  readonly file?: string;
  /** EQL dialect where the file does not choose one. */
  readonly dialect?: ElasticDialect;
  /** How `new_terms` and `threshold` keep time where the file does not say: by event time unless given. */
  readonly mode?: 'event_time' | 'elastic_compat';
  /** Restricts each rule to its index patterns, matched against the event's `_index`. Off unless asked for. */
  readonly indexPatterns?: boolean;
  /** Items of exception lists that rules refer to, by list id, each as Kibana exports it. Added to those in the file. */
  readonly exceptionItems?: readonly unknown[];
  /** Types of fields that ECS does not name. */
  readonly fieldTypes?: FieldTypes;
  /** What `now` means in dates inside queries, in milliseconds since the epoch. */
  readonly nowMs?: number;
}
