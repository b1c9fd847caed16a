/** What needs Node: rule files, workers, durable state. */
export { loadRules } from './engine/load_rules.js';
