/** The key map: each feature binds its own keys, and the help lists them all. */

export interface KeyBinding {
  /** As in `KeyboardEvent.key`; with `Shift+` where that must be held for a key that types nothing. */
  keys: string[];
  run(event: KeyboardEvent): void;
  /** What the help says: the keys as a person reads them, and what they do. Absent: the help is silent. */
  help?: [keys: string, what: string];
  /** Also while a button or the panel has the focus, not only the picture. */
  anywhere?: boolean;
}

export interface Keys {
  bind(binding: KeyBinding): void;
  readonly bindings: readonly KeyBinding[];
  /** Runs what is bound to an event's key; says whether something was. */
  press(event: KeyboardEvent, onPicture: boolean): boolean;
}

const SHIFTED = /^(Arrow|Enter|Escape|Tab|Home|End|Page|Backspace|Delete|F\d)/;

/** `Shift+ArrowDown`, but `?` and not `Shift+?`: what the key types says it already. */
export function keyName(event: KeyboardEvent): string {
  return event.shiftKey && SHIFTED.test(event.key) ? `Shift+${event.key}` : event.key;
}

export function createKeys(): Keys {
  const bindings: KeyBinding[] = [];
  const byKey = new Map<string, KeyBinding>();
  return {
    bindings,
    bind(binding) {
      bindings.push(binding);
      for (const key of binding.keys) {
        if (byKey.has(key)) {
          throw new Error(`the key ${key} is bound twice`);
        }
        byKey.set(key, binding);
      }
    },
    press(event, onPicture) {
      const binding = byKey.get(keyName(event));
      if (binding === undefined || (!onPicture && !binding.anywhere)) {
        return false;
      }
      binding.run(event);
      return true;
    },
  };
}
