/** The file that a worker thread runs: one shard, asked by tasks of its pool. */
import type { ShardAnswer, ShardTask } from './messages.js';
import { Shard } from './shard.js';

const shard = new Shard();

/** Does one task. Piscina calls it by this name. */
export function runTask(task: ShardTask): Promise<ShardAnswer> {
  return shard.run(task);
}
