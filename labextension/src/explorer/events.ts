/** Listeners by name: how the parts of the explorer hear of each other without knowing each other. */

export interface Events<M extends Record<keyof M, unknown[]>> {
  /** Calls back at each event of that name; returns what ends it. */
  on<K extends keyof M>(name: K, listener: (...args: M[K]) => void): () => void;
  emit<K extends keyof M>(name: K, ...args: M[K]): void;
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
  };
}
