/** What needs Node: rule files, workers, durable state. */
export { shippedContent } from './engine/content.js';
export { createEngine, type Engine, type IngestOptions } from './engine/engine.js';
export type { EngineStats } from './engine/engine_stats.js';
export { loadCoverageModel } from './engine/load_coverage.js';
export { loadRules } from './engine/load_rules.js';
export type { EngineOptions, StateOptions } from './engine/options.js';
export { DirectoryStore, type SnapshotStore } from './engine/snapshot_store.js';
export type { Recovery } from './engine/state.js';
