import type { ValueKind } from '../document/reader.js';

/**
 * Keys of a rule that say nothing about what it detects: text for analysts, bookkeeping of Kibana and of the rule
 * repository, and what Kibana does with an alert. They are type-checked and otherwise without effect here. `enabled`
 * is among them: a rule that is loaded runs.
 */
export const inertRuleKeys: Readonly<Record<string, ValueKind>> = {
  _id: 'string',
  _version: 'string',
  actions: 'any',
  alias_purpose: 'string',
  alias_target_id: 'string',
  author: 'strings',
  created_at: 'string',
  created_by: 'string',
  enabled: 'boolean',
  execution_summary: 'any',
  false_positives: 'strings',
  id: 'string',
  immutable: 'boolean',
  investigation_fields: 'any',
  license: 'string',
  meta: 'any',
  namespace: 'string',
  note: 'string',
  outcome: 'string',
  output_index: 'string',
  related_integrations: 'any',
  required_fields: 'any',
  response_actions: 'any',
  revision: 'number',
  rule_source: 'any',
  setup: 'string',
  throttle: 'string',
  timeline_id: 'string',
  timeline_title: 'string',
  updated_at: 'string',
  updated_by: 'string',
  version: 'number',
};

/** Keys of `[metadata]`, the bookkeeping of the rule repository. `vedette` is read apart. */
export const inertMetadataKeys: Readonly<Record<string, ValueKind>> = {
  bypass_bbr_timing: 'boolean',
  comments: 'string',
  creation_date: 'any',
  deprecated_reason: 'string',
  deprecation_date: 'any',
  extended: 'any',
  integration: 'strings',
  maturity: 'string',
  min_stack_comments: 'string',
  min_stack_version: 'string',
  os_type_list: 'strings',
  promotion: 'boolean',
  query_schema_validation: 'boolean',
  updated_date: 'any',
};

/** Tables of a rule file beside `rule` and `metadata`: investigation guides. */
export const inertTables: Readonly<Record<string, ValueKind>> = { transform: 'any' };

export const ruleTypes = ['query', 'eql', 'new_terms', 'threshold'] as const;
export type RuleType = (typeof ruleTypes)[number];

/** Rule types that Elastic has and this engine has not, with the reason. */
export const unsupportedTypes: Readonly<Record<string, string>> = {
  esql: 'ES|QL queries run inside Elasticsearch',
  machine_learning: 'machine learning jobs run inside Elasticsearch',
  saved_query: 'the query is saved in Kibana, not in the rule',
  threat_match: 'indicator matching joins with an index of indicators in Elasticsearch',
};

/** Query languages that Elastic has and this engine has not, with the reason. */
export const unsupportedLanguages: Readonly<Record<string, string>> = {
  esql: 'ES|QL queries run inside Elasticsearch',
  lucene: 'Lucene query strings depend on how Elasticsearch analyses each field',
};
