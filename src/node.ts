/** The names that need files: `vedette/node`. */
export { shippedContent } from './engine/content.js';
export { loadRules } from './engine/load_rules.js';
