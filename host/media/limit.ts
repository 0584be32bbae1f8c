/** Runs tasks, at most so many at a time. */
export type Limit = <T>(task: () => Promise<T>) => Promise<T>;

/** At most `most` tasks at a time; of those that wait, the newest goes first (it is on screen). */
export function limit(most: number): Limit {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await task();
    } finally {
      const next = waiting.pop();
      if (next === undefined) running--;
      else next();
    }
  };
}

/** Joins calls of one key while the first is under way: all get its result. */
export function joined<T>(): (key: string, work: () => Promise<T>) => Promise<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const present = underWay.get(key);
    if (present !== undefined) return present;
    const started = work().finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  };
}
