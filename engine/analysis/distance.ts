import type { ParameterSpec } from '../models/model.ts';
import type { Weights } from '../models/registry.ts';

/** L2 between two sets of weights. */
export interface Distance {
  absolute: number;
  /** Divided by the mean of the two norms; 0 where both are zero. */
  relative: number;
}

export interface ModuleDistance extends Distance {
  module: string;
  /** Numbers that were compared. */
  parameters: number;
}

/**
 * L2 between two networks of one architecture, by module and whole (Neyshabur et al. 2020, section
 * on parameter distance, Table 2). Running statistics of BatchNorm are no parameters and do not
 * count.
 * @param head whether the last stage counts: it is drawn anew at every start
 * @throws Error where a tensor of the parameters is missing or of another size
 */
export function weightDistance(
  a: Weights,
  b: Weights,
  parameters: readonly ParameterSpec[],
  head: 'excluded' | 'included',
): { whole: Distance; modules: ModuleDistance[] } {
  const total = new Sums();
  const byModule = new Map<string, Sums>();
  for (const { name, module, stage, role } of parameters) {
    if (role === 'statistic' || (stage === 'head' && head === 'excluded')) continue;
    const own = byModule.get(module) ?? new Sums();
    byModule.set(module, own);
    const [from, to] = [a.get(name), b.get(name)];
    if (!from || from.length !== to?.length) throw new Error(`"${name}" differs in its shape`);
    own.add(from, to);
    total.add(from, to);
  }
  const modules = [...byModule].map(([module, sums]) => ({
    module,
    parameters: sums.count,
    ...sums.distance(),
  }));
  return { whole: total.distance(), modules };
}

class Sums {
  count = 0;
  #difference = 0;
  #a = 0;
  #b = 0;

  add(a: Float32Array, b: Float32Array): void {
    this.count += a.length;
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [a[i]!, b[i]!];
      this.#difference += (x - y) ** 2;
      this.#a += x * x;
      this.#b += y * y;
    }
  }

  distance(): Distance {
    const absolute = Math.sqrt(this.#difference);
    const scale = (Math.sqrt(this.#a) + Math.sqrt(this.#b)) / 2;
    return { absolute, relative: scale === 0 ? 0 : absolute / scale };
  }
}
