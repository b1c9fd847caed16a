/**
 * Divides a rule set between the shards and the global shard. Rules that stay within a host run in the shards as they
 * are. For every other rule the shards run *feeds*: match rules, one for each different query, whose matches are
 * forwarded; the global shard runs the rule itself over them, each query replaced by "came from feed n".
 */
import { digest } from '../core/digest.js';
import { fieldsOf } from '../correlator/evaluate.js';
import { ExceptionSet } from '../correlator/exceptions.js';
import { type CorrelatorOptions, readOptions } from '../correlator/options.js';
import { viewRule } from '../correlator/rule_view.js';
import type { EventQuery, Expr, Rule, Step } from '../rule/ir.js';
import { canonical } from '../rule/print.js';
import { scopesOf } from '../rule/scope.js';

/** Fields of forwarded events that no telemetry has. */
export const feedField = 'x.vedette.feed';
export const feedHostField = 'x.vedette.host';
/** There, and true, where the shard's evidence of the event was cut. */
export const feedCutField = 'x.vedette.cut';

export interface ShardPlan {
  /** Rules of the shards: those within a host, then the feeds. */
  readonly shardRules: readonly Rule[];
  /** Name of each feed by the id of its rule. */
  readonly feeds: ReadonlyMap<string, string>;
  /** Feeds that need no lineage: judged as their events arrive. */
  readonly earlyFeeds: ReadonlySet<string>;
  /** Fields that forwarded events carry. */
  readonly keptFields: readonly string[];
  /** Rules of the global shard; empty where none is needed. */
  readonly globalRules: readonly Rule[];
  /** Some rule is judged, or its alerts are put in order, by the time of rules across hosts. */
  readonly needsClock: boolean;
  /** Rules of the global shard that are there only for others to hear of: their alerts come from the shards. */
  readonly heardOnly: ReadonlySet<string>;
}

export function planShards(options: CorrelatorOptions): ShardPlan {
  const { rules, hostField, evidenceFields, tiebreakerField, processFields, exceptions, caps } = readOptions(options);
  const hidden = new ExceptionSet(exceptions).fields;
  const global = globalRulesOf(rules, hostField);
  const planner = new Planner(rules);
  const globalRules = rules.filter(({ id }) => global.has(id)).map((rule) => planner.rewrite(rule));
  const heard = planner.heardRules(global);
  const own = [processFields.eventId, 'host.name', tiebreakerField].filter((name) => name !== null);
  return {
    shardRules: [...rules.filter(({ id }) => !global.has(id)), ...planner.feedRules],
    feeds: planner.feeds,
    earlyFeeds: planner.early,
    keptFields: global.size === 0 ? [] : [...new Set([...own, ...evidenceFields, ...hidden, ...planner.fields])],
    globalRules: [...globalRules, ...heard],
    needsClock: global.size > 0 || rules.some((rule) => viewRule(rule, caps).isOrdered),
    heardOnly: new Set(heard.map(({ id }) => id)),
  };
}

/** Ids of the rules whose state is of no single host. */
function globalRulesOf(rules: readonly Rule[], hostField: string | undefined): ReadonlySet<string> {
  const scopes = scopesOf(rules, hostField);
  const global = new Set(rules.filter(({ id }) => scopes.get(id) === 'global').map(({ id }) => id));
  // A schedule runs over all events at once.
  for (const rule of rules) if (rule.kind === 'newTerms' && rule.mode === 'elasticCompat') global.add(rule.id);
  for (let size = -1; size !== global.size; ) {
    size = global.size;
    for (const rule of rules) {
      if (rule.kind !== 'temporal') continue;
      const stateful = rule.rules.filter(({ id }) => rules.some((one) => one.id === id && one.kind !== 'match'));
      const linked = [rule.id, ...stateful.map(({ id }) => id)];
      if (linked.some((id) => global.has(id))) for (const id of linked) global.add(id);
    }
  }
  return global;
}

class Planner {
  readonly feeds = new Map<string, string>();
  readonly early = new Set<string>();
  readonly feedRules: Rule[] = [];
  readonly fields = new Set<string>();
  readonly #rules: readonly Rule[];
  readonly #known = new Map<string, string>();
  readonly #heard = new Set<string>();

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /** The rule over forwarded events. */
  rewrite(rule: Rule): Rule {
    for (const name of readFieldsOf(rule)) this.fields.add(name);
    const query = (one: EventQuery): EventQuery => this.#fed(one, rule);
    const step = (one: Step): Step => {
      this.#carry(one.by);
      return { ...one, query: query(one.query) };
    };
    switch (rule.kind) {
      case 'sequence':
        return {
          ...rule,
          steps: rule.steps.map(step),
          ...(rule.until === undefined ? {} : { until: step(rule.until) }),
        };
      case 'sample':
        return { ...rule, steps: rule.steps.map(step) };
      case 'newTerms':
        this.#carry(rule.fields);
        return { ...rule, query: query(rule.query) };
      case 'aggregate':
        this.#carry(rule.by);
        this.#carry(rule.conditions.flatMap((one) => ('field' in one.function ? [one.function.field] : [])));
        return { ...rule, query: query(rule.query) };
      case 'temporal':
        for (const part of rule.rules) {
          this.#carry(part.by);
          this.#heard.add(part.id);
        }
        return rule;
      case 'match':
      case 'behavior':
        return rule;
    }
  }

  /** The match rules that rewritten temporal rules hear of, over forwarded events. */
  heardRules(global: ReadonlySet<string>): Rule[] {
    return this.#rules.flatMap((rule) => {
      if (rule.kind !== 'match' || !this.#heard.has(rule.id) || global.has(rule.id)) return [];
      const { pipes: _pipes, suppression: _suppression, overrides: _overrides, ...plain } = rule;
      return [{ ...plain, query: this.#fed(rule.query, rule) }];
    });
  }

  #carry(exprs: readonly Expr[]): void {
    for (const name of exprs.flatMap(fieldsOf)) this.fields.add(name);
  }

  /** "Came from the feed of this query". */
  #fed(query: EventQuery, rule: Rule): EventQuery {
    const { eventCategoryField } = rule;
    const key = JSON.stringify([eventCategoryField ?? null, canonical({ ...query, span: undefined })]);
    let feed = this.#known.get(key);
    if (feed === undefined) {
      // Named by its query, so that a changed query is another feed to the rules that read it.
      feed = digest(key);
      this.#known.set(key, feed);
      this.#addFeed(feed, query, eventCategoryField);
    }
    const value: Expr = { kind: 'field', name: feedField };
    const condition: Expr = { kind: 'match', value, patterns: [{ type: 'equals', text: feed }], case: 'exact' };
    return { category: null, condition };
  }

  #addFeed(feed: string, query: EventQuery, eventCategoryField: string | undefined): void {
    const id = `x.vedette.feed.${feed}`;
    this.feeds.set(id, feed);
    if (!hasLineage(query.condition)) this.early.add(id);
    this.feedRules.push({
      kind: 'match',
      id,
      name: id,
      severity: 'critical',
      riskScore: 0,
      threat: [],
      query,
      ...(eventCategoryField === undefined ? {} : { eventCategoryField }),
    });
  }
}

/** Fields that pipes, overrides and suppression of a rule read. */
function readFieldsOf(rule: Rule): string[] {
  return [
    ...(rule.pipes ?? [])
      .flatMap((pipe) => ('by' in pipe ? pipe.by : pipe.kind === 'filter' ? [pipe.condition] : []))
      .flatMap(fieldsOf),
    ...(rule.overrides ?? []).map(({ field }) => field),
    ...(rule.suppression?.by ?? []),
  ];
}

const hasLineage = (expr: unknown): boolean => {
  if (typeof expr !== 'object' || expr === null) return false;
  if ((expr as { kind?: unknown }).kind === 'lineage') return true;
  return Object.values(expr).some(hasLineage);
};
