import type { CompiledModel } from '../../train/step.ts';
import type { SessionOptions } from './session.ts';
import { OnnxSession } from './session.ts';

/** Where and how a trainer or evaluator computes. */
export type SessionSettings = Omit<SessionOptions, 'fixed' | 'keep'>;

/**
 * Sessions of one network, one per batch size, compiled when a size is first met: the full
 * batches and the ragged ends of the sources. No padding, which BatchNorm would see.
 */
export class SessionsBySize {
  readonly #build: (batch: number) => CompiledModel;
  readonly #options: (model: CompiledModel) => SessionOptions;
  readonly #sessions = new Map<number, Promise<OnnxSession>>();

  constructor(
    build: (batch: number) => CompiledModel,
    options: (model: CompiledModel) => SessionOptions,
  ) {
    this.#build = build;
    this.#options = options;
  }

  /** The session for batches of `size` examples. */
  at(size: number): Promise<OnnxSession> {
    const known = this.#sessions.get(size);
    if (known) return known;
    const model = this.#build(size);
    const created = OnnxSession.create(model.graph, this.#options(model));
    this.#sessions.set(size, created);
    return created;
  }

  /** Closes those that were compiled. */
  async close(): Promise<void> {
    for (const session of await Promise.allSettled(this.#sessions.values())) {
      if (session.status === 'fulfilled') await session.value.close();
    }
  }
}
