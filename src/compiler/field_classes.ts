/**
 * How fields of the Elastic Common Schema may be kept. A field that is not named here may hold anything, lists too.
 *
 * `number` fields hold one number: text that writes one counts, anything else counts as missing. `identity` fields hold
 * one unique name each, so their values are not kept for reuse. `distinct` fields hold one text each that is seldom met
 * again: kept for reuse only where a condition reads it.
 */
import type { FieldClass } from './columns.js';

const processes = [
  'process',
  'process.parent',
  'process.group_leader',
  'process.session_leader',
  'process.entry_leader',
];
const endpoints = ['source', 'destination', 'client', 'server'];

const numberFields = new Set([
  ...processes.flatMap((path) => [
    `${path}.pid`,
    `${path}.ppid`,
    `${path}.args_count`,
    `${path}.thread.id`,
    `${path}.exit_code`,
  ]),
  ...endpoints.flatMap((path) => [`${path}.port`, `${path}.bytes`, `${path}.packets`]),
  'process.parent.group_leader.pid',
  'process.Ext.relative_file_creation_time',
  'process.Ext.relative_file_name_modify_time',
  'dll.Ext.relative_file_creation_time',
  'dll.Ext.relative_file_name_modify_time',
  'event.sequence',
  'event.duration',
  'event.severity',
  'event.risk_score',
  'file.size',
  'file.Ext.entropy',
  'network.bytes',
  'network.packets',
  'http.response.status_code',
  'http.request.bytes',
  'http.response.bytes',
  'x.process.pidversion',
]);

const identityFields = new Set([
  ...processes.map((path) => `${path}.entity_id`),
  'event.id',
  'host.id',
  'host.name',
  'agent.id',
]);

const distinctFields = new Set([
  'event.ingested',
  'file.name',
  'source.ip',
  'process.working_directory',
  'process.Ext.script.hash.sha256',
]);

/** The class of an ECS field; `text` for every other field. */
export function ecsFieldClass(field: string): FieldClass {
  if (numberFields.has(field)) return 'number';
  if (distinctFields.has(field)) return 'distinct';
  return identityFields.has(field) ? 'identity' : 'text';
}
