/** The explorer: one document, shown in one element. A `View` holds its state, `FEATURES` make up the rest. */

import { FEATURES } from './features';
import { linkOf, restore } from './links';
import { positionOf, type Position } from './places';
import { sidesFeature } from './sides';
import { createView, type ExplorerOptions, type View } from './view';

export type { Position } from './places';
export type { ExplorerOptions, ViewState } from './view';

export interface Explorer {
  /** Selects a node, opening what hides it; -1 selects nothing. Does not call `onSelect`. */
  select(node: number): void;
  /** Lets nodes stand out; an empty list shows all alike. */
  light(nodes: readonly number[], why: string): void;
  setOpened(scopes: number[] | null): void;
  setHeight(height: number): void;
  setDocument(document: unknown): void;
  fit(): void;
  /** What is open, selected and searched for, as text that `restore` reads. */
  link(): string;
  restore(link: string): void;
  /** Where a node (by index), a module (by path) or a graph input or output (by value name) is drawn. */
  positionOf(what: number | string): Position | null;
  destroy(): void;
}

export const DEFAULT_HEIGHT = 480;

interface HostElement extends HTMLElement {
  tracelab?: Explorer;
}

/** A view inside another: all its features, and the height of its host. */
function makePane(host: HTMLElement, document: unknown): View {
  const view = createView(host, { fill: true }, DEFAULT_HEIGHT);
  FEATURES.forEach((feature) => feature(view));
  view.frame.applyTheme();
  view.setDocument(document);
  return view;
}

export function createExplorer(host: HTMLElement, raw: unknown, options: ExplorerOptions = {}): Explorer {
  const view = createView(host, options, DEFAULT_HEIGHT);
  FEATURES.forEach((feature) => feature(view));
  sidesFeature(view, makePane);
  const explorer: Explorer = {
    select(node) {
      if (view.graph === null || node < 0 || node >= view.graph.nodes) {
        view.choose(-1, false);
      } else if (node !== view.selected) {
        void view.goTo(node, false).then(() => view.openPanel());
      }
    },
    light(nodes, why) {
      const known = view.graph === null ? [] : nodes.filter((node) => node >= 0 && node < view.graph!.nodes);
      view.light(known.length === 0 ? null : new Set(known), why);
    },
    setOpened: (scopes) => view.prescribe(scopes),
    setHeight: (height) => view.setHeight(height),
    setDocument: (document) => view.setDocument(document),
    fit: () => view.stage.fit(),
    link: () => linkOf(view),
    restore: (link) => restore(view, link),
    positionOf: (what) => positionOf(view, what),
    destroy() {
      view.destroy();
      delete (host as HostElement).tracelab;
    },
  };
  (host as HostElement).tracelab = explorer;
  view.frame.applyTheme();
  view.setDocument(raw);
  return explorer;
}
