/** The shape at the end of a line. */

import { WidgetType } from '@codemirror/view';

export class Hint extends WidgetType {
  constructor(
    readonly text: string,
    readonly stale: string,
  ) {
    super();
  }

  override eq(other: Hint): boolean {
    return other.text === this.text && other.stale === this.stale;
  }

  toDOM(): HTMLElement {
    const node = document.createElement('span');
    node.className = 'tracelab-hint' + (this.stale ? ' tracelab-hint-stale' : '');
    node.textContent = this.text;
    node.title = this.stale;
    // What a screen reader should read is the code.
    node.setAttribute('aria-hidden', 'true');
    return node;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}
