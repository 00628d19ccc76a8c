/** Work that waits until nothing else is to be done. */

const SLICE_MS = 8;

/** Calls `step` while the page is idle, until it says that there is no more to do. */
export function whileIdle(step: () => boolean): void {
  const wait = (): void => {
    if (typeof requestIdleCallback === 'function') {
      requestIdleCallback(work);
    } else {
      setTimeout(work, 50);
    }
  };
  const work = (): void => {
    const end = performance.now() + SLICE_MS;
    while (performance.now() < end) {
      if (!step()) {
        return;
      }
    }
    wait();
  };
  wait();
}

/** Waits until nothing else is to be done, but no longer than so many milliseconds. */
export const whenIdle = (most: number): Promise<void> =>
  new Promise((done) => {
    if (typeof requestIdleCallback === 'function') {
      requestIdleCallback(() => done(), { timeout: most });
    } else {
      setTimeout(done);
    }
  });
