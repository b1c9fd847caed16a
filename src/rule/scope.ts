/**
 * Where a rule's state lives: with its host, or across hosts. Decided from the rules alone, when they are compiled.
 *
 * A rule is of scope `host` when its group key determines the host: at some place of the key every step has a value that
 * no two hosts share. All else that joins events is `global`. Rules without state judge each event where it is.
 */
import type { Expr, KeyExpr, Rule, Step } from './ir.js';

export type Scope = 'host' | 'global';

/** What kind of identity a field holds; equal values of one kind belong to one host. */
type Identity = 'host' | 'agent' | 'process';

/** Decides the scope of each rule of a set. Rules that hear of each other's alerts share one. */
export function scopesOf(rules: readonly Rule[], hostField = 'host.id'): Map<string, Scope> {
  const scopes = new Map(rules.map((rule) => [rule.id, ownScope(rule, hostField)] as const));
  const links = rules.flatMap((rule) => heardRules(rule, rules).map((id) => [rule.id, id] as const));
  for (let changed = true; changed; ) {
    changed = false;
    for (const [id, heard] of links) {
      if (scopes.get(id) === scopes.get(heard)) continue;
      scopes.set(id, 'global').set(heard, 'global');
      changed = true;
    }
  }
  return scopes;
}

/** The stateful rules whose alerts a temporal rule hears of. Rules on single events are judged anew where it is. */
function heardRules(rule: Rule, rules: readonly Rule[]): string[] {
  if (rule.kind !== 'temporal') return [];
  const stateful = new Set(rules.filter(({ kind }) => kind !== 'match').map(({ id }) => id));
  return rule.rules.map(({ id }) => id).filter((id) => stateful.has(id));
}

function ownScope(rule: Rule, hostField: string): Scope {
  switch (rule.kind) {
    case 'match':
    case 'behavior':
      return 'host';
    case 'sequence':
      return scopeOfSteps(rule.until === undefined ? rule.steps : [...rule.steps, rule.until], hostField);
    case 'sample':
      return scopeOfSteps(rule.steps, hostField);
    case 'newTerms':
      // The cap of a scheduled run counts over all hosts.
      return rule.mode === 'elasticCompat' ? 'global' : scopeOfKeys([rule.fields], hostField);
    case 'aggregate':
      return scopeOfKeys([rule.by], hostField);
    case 'temporal':
      return scopeOfKeys(
        rule.rules.map(({ by }) => by),
        hostField,
      );
  }
}

function scopeOfSteps(steps: readonly Step[], hostField: string): Scope {
  return scopeOfKeys(
    steps.map(({ by }) => by),
    hostField,
  );
}

/** `host` when at one place of the key all of them have an identity of one kind. */
function scopeOfKeys(keys: readonly (readonly KeyExpr[])[], hostField: string): Scope {
  const [first, ...others] = keys;
  const determines = first?.some((component, place) => {
    const identity = identityOf(component, hostField);
    return identity !== undefined && others.every((key) => identityOf(key[place], hostField) === identity);
  });
  return determines === true ? 'host' : 'global';
}

/** Optional fields join null with null, which any host may have; fallbacks may hold anything. */
function identityOf(component: Expr | undefined, hostField: string): Identity | undefined {
  if (component?.kind !== 'field' || component.optional === true || component.fallback !== undefined) return undefined;
  if (component.name === hostField || component.name === 'host.id') return 'host';
  if (component.name === 'agent.id') return 'agent';
  return /^process\.(.+\.)?entity_id$/.test(component.name) ? 'process' : undefined;
}
