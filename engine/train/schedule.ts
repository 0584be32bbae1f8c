import type { Training } from '../../contract/study.ts';

/** PyTorch's OneCycleLR defaults: rise over 30 % of the steps from peak / 25, end at peak / 250,000. */
const RISE = 0.3;
const START_DIVISOR = 25;
const END_DIVISOR = 1e4;

/**
 * Learning rate of a step (0-based, counted over the whole training).
 * one-cycle is `torch.optim.lr_scheduler.OneCycleLR` with cosine annealing; cosine falls to 0;
 * multistep multiplies by gamma after each milestone epoch. Warm-up rises linearly to the peak
 * over the first epochs and does not apply to one-cycle.
 */
export function learningRateAt(training: Training, step: number, stepsPerEpoch: number): number {
  const { lr, epochs } = training;
  const total = epochs * stepsPerEpoch;
  if (lr.schedule === 'one-cycle') return oneCycle(lr.peak, step, total);
  const warmUp = Math.round(lr['warmup-epochs'] * stepsPerEpoch);
  if (step < warmUp) return (lr.peak * (step + 1)) / warmUp;
  switch (lr.schedule) {
    case 'constant':
      return lr.peak;
    case 'cosine':
      return cosine(lr.peak, 0, (step - warmUp) / Math.max(1, total - warmUp));
    case 'multistep': {
      const epoch = Math.floor(step / stepsPerEpoch);
      const passed = (lr.milestones ?? []).filter((milestone) => epoch >= milestone).length;
      return lr.peak * lr.gamma ** passed;
    }
  }
}

function oneCycle(peak: number, step: number, total: number): number {
  const top = RISE * total - 1;
  const start = peak / START_DIVISOR;
  if (step <= top) return cosine(start, peak, top <= 0 ? 1 : step / top);
  const share = (step - top) / Math.max(1e-9, total - 1 - top);
  return cosine(peak, start / END_DIVISOR, Math.min(1, share));
}

/** From `from` to `to` along half a cosine; share in [0, 1]. */
function cosine(from: number, to: number, share: number): number {
  return to + ((from - to) / 2) * (1 + Math.cos(Math.PI * share));
}
