/** The file that a worker thread runs: one shard, asked by tasks of its pool. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import type { ShardAnswer, ShardTask } from './messages.js';
import { Shard } from './shard.js';

const shard = new Shard();

/** Does one task. Piscina calls it by this name. */
export async function runTask(task: ShardTask): Promise<ShardAnswer> {
  const answer = await shard.run(task);
  return answer.kind === 'snapshot' ? givenAway(answer, answer.bytes.buffer) : answer;
}

/** The answer as Piscina takes one whose memory is to be transferred. */
function givenAway(answer: ShardAnswer, buffer: ArrayBuffer): ShardAnswer {
  return move({ [transferableSymbol]: buffer, [valueSymbol]: answer } as never) as unknown as ShardAnswer;
}
