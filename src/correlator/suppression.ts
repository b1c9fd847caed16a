/** Exceptions at the end of the path: alerts of rules on events are judged here, and what is hidden is kept for those who ask. */
import { keepNewest } from '../core/bounded.js';
import type { Alert } from './alert.js';
import type { MadeAlert } from './alert_maker.js';
import type { EvidenceFields } from './behavior/witness.js';
import type { ExceptionNote, ExceptionSet } from './exceptions.js';

/** Hidden alerts kept until they are taken; beyond, the oldest goes. The audit counts them all. */
const hiddenMax = 10_000;

/** Hidden alerts, the newest form of each. */
export class HiddenAlerts {
  readonly #alerts = new Map<string, Alert>();

  add(alert: Alert): void {
    this.#alerts.delete(alert.id);
    this.#alerts.set(alert.id, alert);
    keepNewest(this.#alerts, hiddenMax);
  }

  /** The alert is published after all. */
  remove(id: string): void {
    this.#alerts.delete(id);
  }

  drain(): Alert[] {
    const drained = [...this.#alerts.values()];
    this.#alerts.clear();
    return drained;
  }
}

/** Judges an alert of a rule on events by its own time: the alert to publish, with what is told of exceptions, or a hidden one. */
export function exempt(made: MadeAlert, exceptions: ExceptionSet): MadeAlert {
  const { alert, timeUs, steps } = made;
  const host = alert.host?.id ?? '';
  const { matched, expired, nearMisses } = exceptions.judge({
    ruleId: alert.rule.id,
    host: alert.host,
    ...platformOf(steps),
    timeUs,
    values: (field) => valuesOf(steps, field),
  });
  const isHidden =
    matched !== undefined &&
    exceptions.mayHide(matched.id, alert.rule.severity) &&
    !exceptions.isSpent(matched.id, host, timeUs);
  const notes: ExceptionNote[] = [
    ...(matched === undefined ? [] : [{ id: matched.id, result: isHidden ? 'matched' : 'set_aside' } as const]),
    ...expired.map(({ id, expiresUs }) => ({ id, result: 'expired', expiresUs }) as const),
    ...nearMisses.map(({ id, failed }) => ({ id, result: 'near_miss', failed }) as const),
  ];
  for (const { id } of expired) if (!isHidden) exceptions.count(id, host, timeUs, true);
  if (isHidden) exceptions.count(matched.id, host, timeUs);
  if (notes.length === 0) return made;
  const told: Alert = { ...alert, exceptions: notes };
  if (!isHidden) return { ...made, alert: told };
  if (matched.effect === 'suppress') return { ...made, alert: { ...told, hiddenBy: [matched.id] } };
  return { ...made, alert: { ...told, rule: { ...alert.rule, severity: 'informational' } } };
}

/** Fields that stand for what only a process's lineage knows, where a rule keeps events alone. */
const standIns: Readonly<Record<string, readonly string[]>> = {
  'ancestor.executable': ['process.parent.executable'],
  'item.path': ['Persistence.path', 'file.path', 'registry.path'],
  'root.executable': [],
};

function valuesOf(steps: readonly (EvidenceFields | null)[], field: string): string[] {
  const names = standIns[field] ?? [field];
  return steps
    .flatMap((fields) => names.flatMap((name) => (fields?.[name] === undefined ? [] : [fields[name]].flat())))
    .map(String);
}

function platformOf(steps: readonly (EvidenceFields | null)[]): { readonly platform?: string } {
  const [platform] = valuesOf(steps, 'host.os.type');
  return platform === undefined ? {} : { platform };
}
