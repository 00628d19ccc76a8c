/** What a person chose, kept by the browser for the pictures that come. */

const SIZE_NAMES = 'tracelab:sizes-by-name';

/** Whether sizes are shown by name: unless a person chose their numbers. */
export function showsSizeNames(): boolean {
  try {
    return window.localStorage.getItem(SIZE_NAMES) !== 'no';
  } catch {
    // A page that may keep nothing.
    return true;
  }
}

export function rememberSizeNames(shown: boolean): void {
  try {
    if (shown) {
      window.localStorage.removeItem(SIZE_NAMES);
    } else {
      window.localStorage.setItem(SIZE_NAMES, 'no');
    }
  } catch {
    // As above.
  }
}
