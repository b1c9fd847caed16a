/** The one order in which alerts leave the engine, whatever the number of shards. */
import type { Alert } from '../correlator/alert.js';

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const keyText = ({ key }: Alert): string => (key === null ? '' : JSON.stringify(key));

/** Orders alerts by time, rule id, key, id and revision. Their times are texts of one form, so they compare as such. */
export function compareAlerts(a: Alert, b: Alert): number {
  return (
    compareText(a.time, b.time) ||
    compareText(a.rule.id, b.rule.id) ||
    compareText(keyText(a), keyText(b)) ||
    compareText(a.id, b.id) ||
    a.revision - b.revision
  );
}
