/** Does one piece of work after the other, in the order in which they are given. */
export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

/** Trainings wait for each other: each uses the whole machine. */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
}
