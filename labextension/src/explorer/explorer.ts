/** The explorer: one document, shown in one element. A `View` holds its state, `FEATURES` make up the rest. */

import * as strings from '../i18n/strings';
import { elementNamed } from '../model/link';
import type { SizeNames } from '../model/sizenames';
import type { RunData } from '../model/run/rundata';
import { keyboardFeature } from './features/input/keyboard';
import { pointerFeature } from './features/input/pointer';
import { historyFeature } from './features/history';
import { breadcrumbsFeature } from './features/breadcrumbs';
import { searchFeature } from './features/search/find';
import { zoomFeature } from './features/input/zoom';
import { groupsFeature } from './features/groups';
import { repeatedBlocksFeature } from './features/repeatedblocks';
import { detailsFeature } from './panels/details';
import { highlightFeature } from './features/highlight';
import { warningsFeature } from './features/warnings';
import { navigationFeature } from './features/navigation';
import { emptyStateFeature } from './features/emptystate';
import { casesFeature } from './features/cases';
import { linkOf, restore } from './core/links';
import { positionOf, type Position } from './core/positions';
import { whenIdle } from './ui/idle';
import { createView } from './core/createview';
import { loadDeferred } from './loaddeferred';
import type { ExplorerOptions, Feature, View } from './core/view';
import { showWarning } from './features/warnings';

export type { Position } from './core/positions';
export type { ExplorerOptions, ViewState } from './core/view';

export interface Explorer {
  /**
   * Selects a node by its index, or a group by its module's path, opening what hides it; -1, and what is not there,
   * selects nothing. Does not call `onSelect`.
   */
  select(what: number | string): void;
  /** Highlights nodes; an empty list clears the highlight. */
  highlight(nodes: readonly number[], why: string): void;
  setOpened(scopes: number[] | null): void;
  setHeight(height: number): void;
  setDocument(document: unknown): void;
  /** Shows one of several recordings, by its row; the host is not told. */
  showCase(index: number): void;
  fit(): void;
  /** What is open, selected and searched for, as text that `restore` reads. */
  link(): string;
  restore(link: string): void;
  /** Where a node (by index), a module (by path) or a graph input or output (by value name) is drawn. */
  positionOf(what: number | string): Position | null;
  /** Puts something among what can be done with a node: in its details, in its menu, and by a key. */
  offer(action: NodeAction): void;
  /** Goes to a warning, by its row, and highlights what it affects. */
  showWarning(index: number): void;
  /** The last run in place; null before the first. */
  lastRun(): RunData | null;
  /**
   * What the sizes of the values are called; empty where numbers are shown. Null while the picture is of another
   * recording than the first of the document.
   */
  sizeNames(): SizeNames | null;
  /** Puts the keyboard on the picture. */
  focus(): void;
  destroy(): void;
}

export interface NodeAction {
  label: string;
  key: string;
  run(node: number): void;
}

export const DEFAULT_HEIGHT = 480;

/** What the explorer can do as soon as it shows a picture; `deferred.ts` lists what can wait until then. */
const FEATURES: Feature[] = [
  keyboardFeature,
  pointerFeature,
  historyFeature,
  breadcrumbsFeature,
  searchFeature,
  zoomFeature,
  groupsFeature,
  repeatedBlocksFeature,
  detailsFeature,
  highlightFeature,
  warningsFeature,
  navigationFeature,
  emptyStateFeature,
  casesFeature,
];

interface HostElement extends HTMLElement {
  tracelab?: Explorer;
}

/** Nobody waits longer than this for the rest of the buttons. */
const SOON_MS = 100;

/** A view with all its features; those that can wait come when its first picture is up. */
function makeView(host: HTMLElement, options: ExplorerOptions, isPane = false): View {
  let gone = false;
  const view = createView(host, options, DEFAULT_HEIGHT, async () => {
    await whenIdle(SOON_MS);
    try {
      const { plugIn } = await loadDeferred();
      if (!gone) {
        plugIn(view, isPane ? undefined : makePane);
      }
    } catch (error) {
      view.notify(strings.partNotLoaded(String(error)));
    }
  });
  view.events.on('destroy', () => (gone = true));
  FEATURES.forEach((feature) => feature(view));
  view.frame.applyTheme();
  return view;
}

/** A view inside another, as high as its host. */
function makePane(host: HTMLElement, document: unknown): View {
  const view = makeView(host, { fill: true }, true);
  view.setDocument(document);
  return view;
}

export function createExplorer(host: HTMLElement, raw: unknown, options: ExplorerOptions = {}): Explorer {
  const view = makeView(host, options);
  const explorer: Explorer = {
    select(what) {
      const at = view.graph === null ? -1 : elementNamed(view.graph, what);
      if (at < 0) {
        view.select(-1, false);
      } else if (at !== view.selected) {
        void view.goTo(at, false).then(() => view.openPanel());
      }
    },
    highlight(nodes, why) {
      const known = view.graph === null ? [] : nodes.filter((node) => node >= 0 && node < view.graph!.nodes);
      view.highlight(known.length === 0 ? null : new Set(known), why);
    },
    setOpened: (scopes) => view.setOpened(scopes),
    setHeight: (height) => view.setHeight(height),
    setDocument: (document) => view.setDocument(document),
    showCase: (index) => view.showCase(index, false),
    fit: () => view.stage.fit(),
    link: () => linkOf(view),
    restore: (link) => restore(view, link),
    positionOf: (what) => positionOf(view, what),
    offer({ label, key, run }) {
      const isNode = (at: number): boolean => view.graph !== null && at >= 0 && at < view.graph.nodes;
      view.actions.push({ label, available: isNode, run });
      view.keys.bind({
        keys: [key],
        help: [key, label.toLowerCase()],
        run: () => (isNode(view.selected) ? run(view.selected) : view.notify(strings.selectOperatorFirst())),
      });
      view.panel.refresh();
    },
    showWarning: (index) => showWarning(view, index),
    lastRun: () => view.lastRun,
    sizeNames: () =>
      view.graph === null || view.cases[view.caseIndex]?.document !== undefined ? null : view.graph.sizeNames,
    focus: () => view.tree.node.focus(),
    destroy() {
      view.destroy();
      delete (host as HostElement).tracelab;
    },
  };
  (host as HostElement).tracelab = explorer;
  view.setDocument(raw);
  return explorer;
}
