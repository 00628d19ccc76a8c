/**
 * What is shown, what is open and what is selected: the one place that changes any of it. Features get a `View`,
 * call it, and hear of changes by its events; none of them knows another.
 */

import { createRunner } from '../layout/runner';
import { plural } from '../model/describe';
import type { RunData } from '../model/run';
import type { KernelLink } from '../model/runmessages';
import {
  buildHierarchy,
  groupElement,
  kindOf,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../model/hierarchy';
import { closeScope, initiallyOpened, openScope, ownScopes, reveal, sanitize } from '../model/opening';
import { repeatOf } from '../model/repeats';
import { DocumentError, readDocument } from '../model/validate';
import { standsFor, visibleFor } from '../model/visible';
import type { Box, Camera } from './camera';
import { element } from './dom';
import { createEvents, type Events } from './events';
import { createFrame, type Frame } from './frame';
import { createKeys, type Keys } from './keys';
import { createPanel, type Panel } from './panel';
import { boxOf, buildScene, createMeasure, holdAbove, indexOf, layoutInput, type Scene } from './scene';
import { createStage, type Stage } from './stage';
import type { Theme } from './theme';
import { createToolbar, type Toolbar } from './toolbar';
import { createTree, type AriaTree } from './tree';

export interface ViewState {
  /** Scopes whose groups are open; null: as at first. */
  opened: number[] | null;
  height: number;
}

export interface ExplorerOptions {
  state?: Partial<ViewState>;
  /** The node selected by the person, or null when it is none (a group, an input, nothing). */
  onSelect?(node: number | null): void;
  /** The person opened, closed or resized something. */
  onState?(state: ViewState): void;
  /** Takes the height of the host instead of one of its own. */
  fill?: boolean;
  /** The text of a script that can start a standalone page; null where there is none. */
  pageScript?(): string | null | Promise<string | null>;
  /** A link, or a line of code, that shows a view (see `model/link.ts`) again. */
  linkTo?(view: string): string;
  /** The kernel that can run the graph; absent where there is none. */
  kernel?: KernelLink;
}

export interface ViewEvents {
  /** Another document: everything that was known of the old one is void. */
  graph: [h: Hierarchy];
  /** A picture was laid out and put up. */
  scene: [scene: Scene];
  /** Something else is selected; -1: nothing. `byPerson` is false where a program did it. */
  select: [selected: Element, byPerson: boolean];
  /** The query of the search changed. */
  find: [query: string];
  /** Other elements stand out, or, with null, none does. */
  light: [lit: ReadonlySet<Element> | null, why: string];
  /** Other elements are pinned. */
  pin: [pinned: readonly Element[]];
  /** The panel was opened, closed, or shows another tab. */
  panel: [shown: boolean];
  camera: [camera: Camera];
  theme: [theme: Theme];
  destroy: [];
}

export interface ElementAction {
  label: string;
  available?(element: Element): boolean;
  run(element: Element): void;
}

/** A list of places that a person may want to go through, such as warnings or differences. */
export interface Stops {
  /** One of them: `warning`. */
  noun: string;
  /** The first list that is not empty is the one that is walked. */
  elements(): Element[];
}

export interface View {
  readonly host: HTMLElement;
  readonly options: ExplorerOptions;
  readonly frame: Frame;
  readonly events: Events<ViewEvents>;
  readonly keys: Keys;
  readonly toolbar: Toolbar;
  readonly panel: Panel;
  readonly stage: Stage;
  readonly tree: AriaTree;
  /** Null while no document, or a bad one, is shown. */
  readonly graph: Hierarchy | null;
  /** Null until the picture is laid out. */
  readonly scene: Scene | null;
  readonly theme: Theme;
  readonly selected: Element;
  /** What is open was never changed: the view chose it. */
  readonly byDefault: boolean;
  /** The place of what is selected in the scene; -1 where it is not shown. */
  readonly selectedIndex: number;
  readonly opened: ReadonlySet<number>;
  readonly query: string;
  readonly lit: ReadonlySet<Element> | null;
  /** Kept for comparison, in the order in which they were pinned. */
  readonly pinned: readonly Element[];
  /** What can be done with an element; the details offer it. */
  readonly actions: ElementAction[];
  /** Where `n` and `p` lead: see `stops.ts`. */
  readonly stops: Stops[];
  /** The last run in place; null before the first. */
  lastRun: RunData | null;
  setDocument(document: unknown): void;
  /** Selects; `byPerson` where the person did it, so that the host is told. */
  choose(to: Element, byPerson?: boolean): void;
  /** Selects an element wherever it is: opens what hides it and brings it into view. */
  goTo(to: Element, byPerson?: boolean): Promise<void>;
  /** Opens or closes a group, by its place in the scene. */
  toggle(index: number): Promise<void>;
  /** Sets what is open. The toggle of `anchor` keeps its place on the screen; `first`: show it as at first. */
  open(scopes: ReadonlySet<number>, anchor?: Element, first?: boolean): Promise<void>;
  /** As `open`, from outside: null goes back to what was open at first, and the host is not told. */
  prescribe(scopes: Iterable<number> | null): void;
  /** Sets the query of the search. */
  search(query: string): void;
  /** Lets elements stand out while all others fade; null: none fades. `why` is said to screen readers. */
  light(elements: ReadonlySet<Element> | null, why: string): void;
  /** Says something to everybody, for a moment. */
  notify(text: string): void;
  /** Pins an element, or lets go of a pinned one. */
  pin(element: Element): void;
  setHeight(height: number): void;
  openPanel(tab?: string, recentre?: boolean): void;
  closePanel(): void;
  /** Puts an element beside picture and panel, over both. */
  overlay(node: HTMLElement): void;
  destroy(): void;
}

export function createView(host: HTMLElement, options: ExplorerOptions, defaultHeight: number): View {
  let h: Hierarchy | null = null;
  let scene: Scene | null = null;
  let opened: ReadonlySet<number> = new Set();
  let byDefault = (options.state?.opened ?? null) === null;
  let selected: Element = -1;
  let query = '';
  let lit: ReadonlySet<Element> | null = null;
  let pinned: Element[] = [];
  let theme: Theme | null = null;
  let generation = 0;
  /** The first picture of a document is still to be shown. */
  let fresh = true;
  let destroyed = false;
  /** How far the picture stepped aside for the panel, in pixels. */
  let shifted = 0;
  const measure = createMeasure();
  const runner = createRunner();
  const events = createEvents<ViewEvents>();
  const keys = createKeys();
  const toolbar = createToolbar();
  const stage = createStage(measure, (camera) => {
    tree.follow(camera);
    events.emit('camera', camera);
  });
  const tree = createTree(
    (index) => view.choose(scene?.visible.elements[index] ?? -1),
    (to) => void view.goTo(to),
  );
  const panel = createPanel(() => view.closePanel());
  stage.node.append(tree.node);
  const body = element('div', { class: 'body' }, stage.node, panel.node);
  const overlays: HTMLElement[] = [];
  const frame = createFrame(host, options.state?.height ?? defaultHeight, {
    onTheme(read) {
      theme = read;
      stage.setTheme(read);
      events.emit('theme', read);
    },
    onResize() {
      // What was in the middle stays there.
      const before = stage.width;
      resized();
      if (before > 0 && stage.width > 0 && stage.width !== before) {
        stage.pan((stage.width - before) / 2, 0);
      }
    },
    onHeight: () => report(),
  });
  if (options.fill) {
    frame.fillHost();
  }

  function report(): void {
    options.onState?.({
      opened: byDefault || h === null ? null : ownScopes(h, opened).sort((a, b) => a - b),
      height: frame.height,
    });
  }

  function showMessage(text: string): void {
    scene = null;
    h = null;
    frame.message(text);
    host.dataset.tracelabReady = 'true';
    host.dataset.tracelabError = text;
  }

  async function relayout(anchor: Element): Promise<void> {
    const graph = h;
    if (graph === null) {
      return;
    }
    const mine = ++generation;
    host.dataset.tracelabReady = 'false';
    try {
      const visible = visibleFor(graph, opened);
      const { input, labels } = layoutInput(graph, visible, measure, theme!.font);
      const hold = scene === null ? undefined : holdAbove(scene, visible, anchor);
      const result = await runner.run(hold === undefined ? input : { ...input, hold });
      if (mine !== generation || destroyed) {
        return;
      }
      show(graph, buildScene(visible, labels, input, result), anchor);
    } catch (error) {
      if (mine === generation && !destroyed) {
        showMessage(`This graph cannot be shown: ${error instanceof Error ? error.message : String(error)}.`);
      }
    }
  }

  function show(graph: Hierarchy, next: Scene, anchor: Element): void {
    const old = scene;
    const camera = stage.camera;
    const from = old === null || anchor < 0 ? -1 : indexOf(old, anchor);
    const to = indexOf(next, anchor);
    let shiftX = 0;
    let shiftY = 0;
    if (from >= 0 && to >= 0) {
      // Where the main line enters stays, so that nothing above moves; the header is drawn around it.
      shiftX = old!.axis[from] - next.axis[to];
      shiftY = old!.y[from] - next.y[to];
    }
    scene = next;
    // Boxes come from where they were on the screen; new ones grow out of the group that was clicked.
    const before = (index: number): Box | null => {
      if (old === null || anchor < 0) {
        return null;
      }
      const at = indexOf(old, next.visible.elements[index]);
      const source = at >= 0 ? at : from;
      if (source < 0) {
        return null;
      }
      const box = boxOf(old, source);
      return { ...box, x: box.x - shiftX, y: box.y - shiftY };
    };
    stage.show(graph, next, before);
    tree.update(graph, next);
    if (from >= 0 && to >= 0) {
      stage.setCamera({
        ...camera,
        x: camera.x + shiftX * camera.scale,
        y: camera.y + shiftY * camera.scale,
      });
    } else if (fresh && stage.width > 0) {
      firstView(next);
    } else {
      tree.follow(camera);
    }
    stage.mark({ hovered: -1 });
    markSelected();
    markLit();
    events.emit('scene', next);
    host.dataset.tracelabReady = 'true';
  }

  function firstView(shown: Scene): void {
    fresh = false;
    stage.first();
    if (selected >= 0) {
      // Selected before there was a picture: by Python, in the line that shows it.
      view.openPanel();
      stage.reveal(indexOf(shown, selected));
    }
  }

  function within(inner: Element, scope: number): boolean {
    for (let at = h!.parent[inner]; at > 0; at = h!.parent[groupElement(h!, at)]) {
      if (at === scope) {
        return true;
      }
    }
    return false;
  }

  const nodeOf = (at: Element): number => (h !== null && at >= 0 && kindOf(h, at) === 'op' ? at : -1);

  function markSelected(): void {
    stage.mark({ selected: view.selectedIndex });
    tree.select(view.selectedIndex);
    host.dataset.selected = String(nodeOf(selected));
  }

  /** Elements inside closed groups light the group. */
  function markLit(): void {
    let shown: Set<Element> | null = null;
    if (lit !== null && h !== null && scene !== null) {
      shown = new Set();
      for (const at of lit) {
        const index = standsFor(h, scene.visible, at);
        if (index >= 0) {
          shown.add(scene.visible.elements[index]);
        }
      }
    }
    stage.mark({ lit: shown });
  }

  function resized(): void {
    frame.resized();
    stage.resize();
    // Drawn while hidden (a closed tab, a folded output): the first view waits for a size.
    if (fresh && scene !== null && stage.width > 0) {
      firstView(scene);
    }
  }

  /** The panel took room away from the right: is the selected box still there to see? */
  function selectedIsHidden(index: number): boolean {
    const right = (scene!.x[index] + Math.min(scene!.width[index], 60)) * stage.camera.scale + stage.camera.x;
    return right > freeWidth();
  }

  /** What the panel leaves of the picture; on a narrow page it lies over it. */
  const freeWidth = (): number =>
    frame.root.classList.contains('narrow') ? stage.width - panel.node.offsetWidth : stage.width;

  function revealBeside(index: number): void {
    stage.reveal(index);
    const { scale, x } = stage.camera;
    const middle = (scene!.x[index] + scene!.width[index] / 2) * scale + x;
    if (selectedIsHidden(index) && freeWidth() > 0) {
      stage.pan(freeWidth() / 2 - middle, 0);
      shifted += freeWidth() / 2 - middle;
    }
  }

  const view: View = {
    host,
    options,
    frame,
    events,
    keys,
    toolbar,
    panel,
    stage,
    tree,
    get graph() {
      return h;
    },
    get scene() {
      return scene;
    },
    get theme() {
      return theme!;
    },
    get selected() {
      return selected;
    },
    get selectedIndex() {
      return scene === null || selected < 0 ? -1 : indexOf(scene, selected);
    },
    get opened() {
      return opened;
    },
    get query() {
      return query;
    },
    get lit() {
      return lit;
    },
    get pinned() {
      return pinned;
    },
    actions: [],
    stops: [],
    lastRun: null,
    get byDefault() {
      return byDefault;
    },
    setDocument(document) {
      generation++;
      fresh = true;
      scene = null;
      selected = -1;
      query = '';
      lit = null;
      pinned = [];
      delete host.dataset.tracelabError;
      try {
        h = buildHierarchy(readDocument(document));
      } catch (error) {
        showMessage(
          error instanceof DocumentError
            ? error.message
            : 'This graph cannot be shown: the document is damaged.',
        );
        return;
      }
      frame.fill(toolbar.node, body, ...overlays);
      toolbar.setGraph(h);
      panel.hide();
      opened = byDefault ? initiallyOpened(h) : sanitize(h, options.state?.opened ?? []);
      events.emit('graph', h);
      markSelected();
      resized();
      void relayout(-1);
    },
    choose(to, byPerson = true) {
      if (to === selected) {
        return;
      }
      const before = nodeOf(selected);
      selected = to;
      markSelected();
      panel.refresh();
      events.emit('select', to, byPerson);
      if (byPerson && nodeOf(to) !== before) {
        options.onSelect?.(nodeOf(to) < 0 ? null : nodeOf(to));
      }
    },
    async goTo(to, byPerson = true) {
      if (h === null) {
        return;
      }
      if (kindOf(h, to) === 'group' && h.folded[scopeOf(h, to)]) {
        // A group of equal blocks that is no more folded: its first block stands for it.
        const repeat = repeatOf(h, scopeOf(h, to));
        to = repeat === undefined ? to : groupElement(h, repeat.members[0]);
      }
      const wanted = reveal(h, opened, to);
      view.choose(to, byPerson);
      if (wanted.size !== opened.size) {
        const surrounding = scene === null ? -1 : standsFor(h, scene.visible, to);
        await view.open(wanted, surrounding < 0 ? -1 : scene!.visible.elements[surrounding]);
      }
      if (scene !== null) {
        stage.reveal(indexOf(scene, to));
      }
    },
    async toggle(index) {
      if (h === null || scene === null) {
        return;
      }
      const at = scene.visible.elements[index];
      const kind = scene.visible.kinds[index];
      if (kind !== 'open' && kind !== 'closed') {
        return;
      }
      const scope = scopeOf(h, at);
      const opening = kind === 'closed';
      // What is selected inside a closing group would vanish: the group is selected in its place.
      if (!opening && selected >= 0 && selected !== at && within(selected, scope)) {
        view.choose(at);
      }
      await view.open(opening ? openScope(h, opened, scope) : closeScope(h, opened, scope), at);
      frame.say(`${opening ? 'opened' : 'closed'}, ${plural(h.opCount[scope], 'op')}`);
    },
    async open(scopes, anchor = -1, first = false) {
      opened = scopes;
      byDefault = false;
      await relayout(anchor);
      if (first && scene !== null) {
        stage.first();
      }
      report();
    },
    prescribe(scopes) {
      if (h === null) {
        return;
      }
      const next = scopes === null ? initiallyOpened(h) : sanitize(h, scopes);
      if (scopes !== null) {
        // Those outside do not know of folded blocks: what is open of them stays so.
        const own = new Set(ownScopes(h, opened));
        opened.forEach((scope) => own.has(scope) || next.add(scope));
      }
      byDefault = scopes === null;
      if (next.size === opened.size && [...next].every((scope) => opened.has(scope))) {
        return;
      }
      opened = next;
      void relayout(selected).then(() => {
        // Nothing that could keep its place: the camera would look at where something else was.
        if (scene !== null && stage.width > 0 && view.selectedIndex < 0) {
          stage.first();
        }
      });
    },
    search(text) {
      query = text;
      events.emit('find', text);
    },
    light(elements, why) {
      lit = elements;
      markLit();
      events.emit('light', elements, why);
      frame.say(why);
    },
    notify: (text) => frame.notify(text),
    pin(at) {
      pinned = pinned.includes(at) ? pinned.filter((other) => other !== at) : [...pinned, at];
      frame.say(`${pinned.includes(at) ? 'pinned' : 'let go'}, ${plural(pinned.length, 'element')} pinned`);
      events.emit('pin', pinned);
      stage.repaint();
      panel.refresh();
    },
    setHeight: (height) => frame.setHeight(height),
    openPanel(tab, recentre = false) {
      if (h === null) {
        return;
      }
      const beside = !panel.shown;
      const before = stage.width;
      panel.show(tab);
      events.emit('panel', true);
      if (beside) {
        resized();
        // Recentred, the picture moves to the middle of what the panel leaves; never so under a pointer.
        shifted = recentre ? (stage.width - before) / 2 : 0;
        stage.pan(shifted, 0);
        const index = view.selectedIndex;
        if (index >= 0 && selectedIsHidden(index)) {
          revealBeside(index);
        }
      }
    },
    closePanel() {
      panel.hide();
      events.emit('panel', false);
      resized();
      stage.pan(-shifted, 0);
      shifted = 0;
      tree.node.focus();
    },
    overlay(node) {
      overlays.push(node);
    },
    destroy() {
      destroyed = true;
      events.emit('destroy');
      runner.destroy();
      stage.destroy();
      tree.destroy();
      frame.destroy();
      delete host.dataset.tracelabReady;
      delete host.dataset.selected;
      delete host.dataset.tracelabError;
    },
  };
  return view;
}
