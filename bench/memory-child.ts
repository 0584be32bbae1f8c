/**
 * Ours in the memory bench: `node memory-child.ts '<job>'` does the job's training steps (null:
 * loads the runtime, nothing more) and prints {"bytes"}, the most that was in memory.
 */
import type { ArchitectureSpec } from '../contract/architecture.ts';
import { GraphBuilder } from '../engine/graph/builder.ts';
import { startingFrom } from '../engine/runtime/batch.ts';
import { OnnxSession } from '../engine/runtime/onnx/session.ts';
import { OnnxTrainer } from '../engine/runtime/onnx/trainer.ts';
import { RATE, networkAtStart } from './network.ts';
import { peakBytes } from './peak.ts';

export interface MemoryJob {
  architecture: ArchitectureSpec;
  batch: number;
  steps: number;
  threads: number;
}

async function idle(): Promise<void> {
  const g = new GraphBuilder();
  const graph = g.finish([['sum', g.add(g.input('x', [1]), g.constant(1))]]);
  const session = await OnnxSession.create(graph, { threads: 1 });
  await session.run(new Map([['x', Float32Array.of(1)]]));
}

async function train({ architecture, batch, steps, threads }: MemoryJob): Promise<void> {
  const { options, training, weights, batch: data } = networkAtStart(architecture, batch);
  const trainer = await OnnxTrainer.create(options, training, startingFrom(weights), { threads });
  for (let step = 1; step <= steps; step++) await trainer.step(data, RATE, () => step);
}

const job = JSON.parse(process.argv[2] ?? 'null') as MemoryJob | null;
await (job ? train(job) : idle());
process.stdout.write(`${JSON.stringify({ bytes: peakBytes() })}\n`);
