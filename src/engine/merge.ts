/** The one order in which alerts leave the engine, whatever the number of shards. */
import { compareCodeUnits } from '../core/order.js';
import type { Alert } from '../correlator/alert.js';

const keyText = ({ key }: Alert): string => (key === null ? '' : JSON.stringify(key));

/** Orders alerts by time, rule id, key, id and revision. Their times are texts of one form, so they compare as such. */
export function compareAlerts(a: Alert, b: Alert): number {
  return (
    compareCodeUnits(a.time, b.time) ||
    compareCodeUnits(a.rule.id, b.rule.id) ||
    compareCodeUnits(keyText(a), keyText(b)) ||
    compareCodeUnits(a.id, b.id) ||
    a.revision - b.revision
  );
}
