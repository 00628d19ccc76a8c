/** Listeners by name: how the parts of the explorer hear of each other without knowing each other. */

export interface Events<M extends Record<keyof M, unknown[]>> {
  /** Calls back at each event of that name; returns what ends it. */
  on<K extends keyof M>(name: K, listener: (...args: M[K]) => void): () => void;
  emit<K extends keyof M>(name: K, ...args: M[K]): void;
  /** Says to those who began to listen since `before` was taken by `listening()` what they missed. */
  catchUp<K extends keyof M>(before: ReadonlySet<unknown>, name: K, ...args: M[K]): void;
  listening(): ReadonlySet<unknown>;
}

export function createEvents<M extends Record<keyof M, unknown[]>>(): Events<M> {
  const listeners: { [K in keyof M]?: Set<(...args: M[K]) => void> } = {};
  return {
    on(name, listener) {
      const set = (listeners[name] ??= new Set());
      set.add(listener);
      return () => set.delete(listener);
    },
    emit(name, ...args) {
      listeners[name]?.forEach((listener) => listener(...args));
    },
    catchUp(before, name, ...args) {
      listeners[name]?.forEach((listener) => before.has(listener) || listener(...args));
    },
    listening: () =>
      new Set(Object.values<Set<unknown> | undefined>(listeners).flatMap((set) => [...(set ?? [])])),
  };
}
