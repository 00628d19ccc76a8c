/** The explorer: one document, shown in one element. This file joins the parts; each part is a file beside it. */

import { createRunner } from '../layout/runner';
import { plural } from '../model/describe';
import {
  buildHierarchy,
  groupElement,
  inputElement,
  kindOf,
  outputElement,
  pillValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../model/hierarchy';
import { closeScope, everyScope, initiallyOpened, openScope, reveal, sanitize } from '../model/opening';
import { DocumentError, readDocument } from '../model/validate';
import { standsFor, visibleFor } from '../model/visible';
import type { Box } from './camera';
import { element } from './dom';
import { clampHeight, createGrip } from './grip';
import { createHelp } from './help';
import { neighbour } from './keyboard';
import { createPanel } from './panel';
import { watchPointer } from './pointer';
import {
  boxOf,
  buildScene,
  contains,
  createMeasure,
  hit,
  indexOf,
  layoutInput,
  toggleBox,
  type Scene,
} from './scene';
import { createSearchBox } from './searchbox';
import { createStage } from './stage';
import { STYLE } from './style';
import { cssVariables, readTheme, watchTheme } from './theme';
import { createToolbar } from './toolbar';
import { createTree } from './tree';

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
}

/** Places on the page, for tests and automation; also reachable as `host.tracelab`. */
export interface Position {
  x: number;
  y: number;
  /** The square that opens and closes a group. */
  toggle?: { x: number; y: number };
}

export interface Explorer {
  /** Selects a node, opening what hides it; -1 selects nothing. Does not call `onSelect`. */
  select(node: number): void;
  setOpened(scopes: number[] | null): void;
  setHeight(height: number): void;
  setDocument(document: unknown): void;
  fit(): void;
  /** Where a node (by index), a module (by path) or a graph input or output (by value name) is drawn. */
  positionOf(what: number | string): Position | null;
  destroy(): void;
}

export const DEFAULT_HEIGHT = 480;
/** Narrower than this, the panel lies over the picture instead of beside it. */
const NARROW = 720;

interface HostElement extends HTMLElement {
  tracelab?: Explorer;
}

export function createExplorer(host: HTMLElement, raw: unknown, options: ExplorerOptions = {}): Explorer {
  const home = element('div', {
    class: 'tracelab',
    // JupyterLab's own shortcuts (d d deletes a cell!) stay out of here.
    attributes: { 'data-lm-suppress-shortcuts': 'true' },
  });
  const shadow = home.attachShadow({ mode: 'open' });
  const root = element('div', { class: 'root' });
  shadow.append(element('style', { text: STYLE }), root);
  host.append(home);

  let h: Hierarchy | null = null;
  let scene: Scene | null = null;
  let opened: Set<number> = new Set();
  let byDefault = (options.state?.opened ?? null) === null;
  let selected: Element = -1;
  let height = clampHeight(options.state?.height ?? DEFAULT_HEIGHT);
  let theme = readTheme(host);
  let generation = 0;
  let fresh = true;
  let destroyed = false;
  const measure = createMeasure();
  const runner = createRunner();

  const stage = createStage(measure, (camera) => tree.follow(camera));
  const tree = createTree((index) => selectIndex(index));
  const panel = createPanel(() => closePanel());
  const help = createHelp(() => tree.node.focus());
  const box = createSearchBox({
    onStep: (match) => void goTo(match),
    onMatches: (matches) => {
      stage.mark({ matches: marksFor(matches) });
    },
    onLeave: () => tree.node.focus(),
  });
  let found: Element[] = [];
  const toolbar = createToolbar(box.node, {
    zoom: (factor) => stage.zoom(factor),
    fit: () => stage.fit(),
    expandAll: () => void changeOpened(everyScope(h!), -1, true),
    collapseAll: () => void changeOpened(new Set(), -1, true),
    details: () => togglePanel(),
    warnings: () => {
      choose(-1, true);
      openPanel(true);
    },
    help: () => help.toggle(),
  });
  const hint = element('div', { class: 'hint', text: 'Click the graph, then turn the wheel to zoom' });
  /** How far the picture stepped aside for the panel, in pixels. */
  let shifted = 0;
  let hintTimer = 0;
  stage.node.append(tree.node, hint);
  const live = element('div', {
    attributes: {
      role: 'status',
      style: 'position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)',
    },
  });
  const body = element('div', { class: 'body' }, stage.node, panel.node);
  const grip = createGrip(
    () => height,
    (to, final) => {
      setHeight(to);
      if (final) {
        report();
      }
    },
  );

  function setHeight(to: number): void {
    height = clampHeight(to);
    home.style.height = `${height}px`;
  }

  function report(): void {
    options.onState?.({ opened: byDefault ? null : [...opened].sort((a, b) => a - b), height });
  }

  function applyTheme(): void {
    theme = readTheme(host);
    for (const [name, value] of Object.entries(cssVariables(theme))) {
      root.style.setProperty(name, value);
    }
    root.dataset.theme = theme.dark ? 'dark' : 'light';
    help.paint(theme);
    stage.setTheme(theme);
  }

  function marksFor(matches: Element[]): Set<number> {
    found = matches;
    const marks = new Set<number>();
    if (h !== null && scene !== null) {
      for (const match of matches) {
        const index = standsFor(h, scene.visible, match);
        if (index >= 0) {
          marks.add(scene.visible.elements[index]);
        }
      }
    }
    return marks;
  }

  function showMessage(text: string): void {
    scene = null;
    h = null;
    root.replaceChildren(element('p', { class: 'message', text, attributes: { role: 'alert' } }));
    home.style.height = 'auto';
    host.dataset.tracelabReady = 'true';
    host.dataset.tracelabError = text;
  }

  /** Lays out what is open now. The toggle of `anchor` keeps its place on the screen. */
  async function relayout(anchor: Element): Promise<void> {
    const graph = h;
    if (graph === null) {
      return;
    }
    const mine = ++generation;
    host.dataset.tracelabReady = 'false';
    try {
      const visible = visibleFor(graph, opened);
      const { input, labels } = layoutInput(graph, visible, measure, theme.font);
      const result = await runner.run(input);
      if (mine !== generation || destroyed) {
        return;
      }
      show(graph, buildScene(visible, labels, result), anchor);
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
      const was = toggleBox(old!, from);
      const is = toggleBox(next, to);
      shiftX = was.x - is.x;
      shiftY = was.y - is.y;
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
    stage.mark({ hovered: -1, matches: marksFor(found) });
    markSelected();
    host.dataset.tracelabReady = 'true';
  }

  function firstView(shown: Scene): void {
    fresh = false;
    stage.first();
    if (selected >= 0) {
      // Selected before there was a picture: by Python, in the line that shows it.
      openPanel();
      stage.reveal(indexOf(shown, selected));
    }
  }

  async function changeOpened(to: Set<number>, anchor: Element, fitAfter = false): Promise<void> {
    opened = to;
    byDefault = false;
    await relayout(anchor);
    if (fitAfter && scene !== null) {
      stage.first();
    }
    report();
  }

  async function toggle(index: number): Promise<void> {
    if (h === null || scene === null) {
      return;
    }
    const at = scene.visible.elements[index];
    const kind = scene.visible.kinds[index];
    if (kind !== 'open' && kind !== 'closed') {
      return;
    }
    const scope = scopeOf(h, at);
    const open = kind === 'closed';
    // What is selected inside a closing group would vanish: the group is selected in its place.
    if (!open && selected >= 0 && selected !== at && within(selected, scope)) {
      choose(at, true);
    }
    await changeOpened(open ? openScope(h, opened, scope) : closeScope(h, opened, scope), at);
    live.textContent = `${open ? 'opened' : 'closed'}, ${plural(h.opCount[scope], 'op')}`;
  }

  function within(inner: Element, scope: number): boolean {
    for (let at = h!.parent[inner]; at > 0; at = h!.parent[groupElement(h!, at)]) {
      if (at === scope) {
        return true;
      }
    }
    return false;
  }

  function markSelected(): void {
    const index = scene === null || selected < 0 ? -1 : indexOf(scene, selected);
    stage.mark({ selected: index });
    tree.select(index);
    const node = h !== null && selected >= 0 && kindOf(h, selected) === 'op' ? selected : -1;
    host.dataset.selected = String(node);
  }

  /** Selects; `tell` where the person did it. */
  function choose(to: Element, tell: boolean): void {
    if (to === selected) {
      return;
    }
    const node = (at: Element): number => (h !== null && at >= 0 && kindOf(h, at) === 'op' ? at : -1);
    const before = node(selected);
    selected = to;
    markSelected();
    if (panel.shown) {
      openPanel();
    }
    if (tell && node(to) !== before) {
      options.onSelect?.(node(to) < 0 ? null : node(to));
    }
  }

  function togglePanel(): void {
    if (panel.shown) {
      closePanel();
    } else {
      openPanel(true);
    }
  }

  /** With `recentre` the picture moves to the middle of what the panel leaves; never under a pointer. */
  function openPanel(recentre = false): void {
    if (h !== null) {
      const beside = !panel.shown;
      const before = stage.width;
      panel.show(h, selected, (to) => void goTo(to));
      if (beside) {
        resized();
        shifted = recentre ? (stage.width - before) / 2 : 0;
        stage.pan(shifted, 0);
        const index = scene === null || selected < 0 ? -1 : indexOf(scene, selected);
        if (index >= 0 && selectedIsHidden(index)) {
          stage.reveal(index);
        }
      }
    }
  }

  /** The panel took room away from the right: is the selected box still there to see? */
  function selectedIsHidden(index: number): boolean {
    const right = (scene!.x[index] + Math.min(scene!.width[index], 60)) * stage.camera.scale + stage.camera.x;
    return right > stage.width;
  }

  function closePanel(): void {
    panel.hide();
    resized();
    stage.pan(-shifted, 0);
    shifted = 0;
    tree.node.focus();
  }

  function selectIndex(index: number): void {
    choose(index < 0 || scene === null ? -1 : scene.visible.elements[index], true);
  }

  /** Selects an element wherever it is: opens what hides it and brings it into view. */
  async function goTo(to: Element, tell = true): Promise<void> {
    if (h === null) {
      return;
    }
    const wanted = reveal(h, opened, to);
    choose(to, tell);
    if (wanted.size !== opened.size) {
      const surrounding = scene === null ? -1 : standsFor(h, scene.visible, to);
      await changeOpened(wanted, surrounding < 0 ? -1 : scene!.visible.elements[surrounding]);
    }
    if (scene !== null) {
      stage.reveal(indexOf(scene, to));
    }
  }

  function worldAt(x: number, y: number): [number, number] {
    const { camera } = stage;
    return [(x - camera.x) / camera.scale, (y - camera.y) / camera.scale];
  }

  function hitAt(x: number, y: number): { index: number; onToggle: boolean } {
    if (scene === null) {
      return { index: -1, onToggle: false };
    }
    const [worldX, worldY] = worldAt(x, y);
    const index = hit(scene, worldX, worldY);
    const group = index >= 0 && ['open', 'closed'].includes(scene.visible.kinds[index]);
    return { index, onToggle: group && contains(toggleBox(scene, index), worldX, worldY) };
  }

  watchPointer(tree.node, {
    onPan: (dx, dy) => stage.pan(dx, dy),
    onZoom: (factor, x, y) => stage.zoom(factor, x, y),
    onHover(x, y) {
      const { index, onToggle } = hitAt(x, y);
      // An open group is ground, not a thing: only its header answers.
      const ground =
        index >= 0 && scene!.visible.kinds[index] === 'open' && worldAt(x, y)[1] > scene!.y[index] + 32;
      stage.mark({ hovered: ground ? -1 : index });
      tree.node.classList.toggle('over', onToggle || (index >= 0 && !ground));
    },
    onLeave: () => stage.mark({ hovered: -1 }),
    onClick(x, y) {
      tree.node.focus();
      const { index, onToggle } = hitAt(x, y);
      if (onToggle) {
        void toggle(index);
        return;
      }
      selectIndex(index);
      if (index >= 0) {
        openPanel();
      }
    },
    onDoubleClick(x, y) {
      const { index, onToggle } = hitAt(x, y);
      if (index >= 0 && !onToggle) {
        void toggle(index);
      }
    },
    onWheelRefused() {
      hint.classList.add('shown');
      clearTimeout(hintTimer);
      hintTimer = window.setTimeout(() => hint.classList.remove('shown'), 1400);
    },
    hasFocus: () => shadow.activeElement !== null,
  });

  const keys: Record<string, () => void> = {
    Enter: () => {
      const index = scene === null ? -1 : indexOf(scene, selected);
      if (
        index >= 0 &&
        (scene!.visible.kinds[index] === 'open' || scene!.visible.kinds[index] === 'closed')
      ) {
        void toggle(index);
      } else if (index >= 0) {
        openPanel();
      }
    },
    Backspace: () => {
      if (h !== null && selected >= 0 && h.parent[selected] > 0) {
        void goTo(groupElement(h, h.parent[selected]));
      }
    },
    Escape: () => {
      if (panel.shown) {
        closePanel();
      } else if (box.active) {
        box.clear();
      } else {
        choose(-1, true);
      }
    },
    Home: () => step(0),
    End: () => step(scene === null ? -1 : scene.x.length - 1),
    '/': () => box.focus(),
    f: () => stage.fit(),
    '+': () => stage.zoom(1.25),
    '=': () => stage.zoom(1.25),
    '-': () => stage.zoom(0.8),
    e: () => h && void changeOpened(everyScope(h), -1, true),
    c: () => h && void changeOpened(new Set(), -1, true),
    i: () => togglePanel(),
    '?': () => help.toggle(true),
  };
  keys[' '] = keys.Enter;
  for (const [key, direction] of [
    ['ArrowUp', 'up'],
    ['ArrowDown', 'down'],
    ['ArrowLeft', 'left'],
    ['ArrowRight', 'right'],
  ] as const) {
    keys[key] = () =>
      step(scene === null ? -1 : neighbour(scene, selected < 0 ? -1 : indexOf(scene, selected), direction));
  }

  function step(index: number): void {
    if (index >= 0) {
      selectIndex(index);
      stage.reveal(index);
    }
  }

  root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) {
      return;
    }
    if (help.shown) {
      if (event.key === 'Escape' || event.key === '?') {
        help.toggle(false);
        event.preventDefault();
      }
      event.stopPropagation();
      return;
    }
    const onTree = event.target === tree.node;
    const action = keys[event.key];
    // In the panel and on buttons only the keys that mean nothing there.
    if (action !== undefined && (onTree || ['Escape', '/', '?', 'f', 'i'].includes(event.key))) {
      action();
      event.preventDefault();
    }
    event.stopPropagation();
  });
  tree.node.addEventListener('focus', () => stage.mark({ focused: tree.node.matches(':focus-visible') }));
  tree.node.addEventListener('blur', () => stage.mark({ focused: false }));
  tree.node.addEventListener('keydown', () => stage.mark({ focused: true }));

  function resized(): void {
    root.classList.toggle('narrow', root.clientWidth < NARROW);
    stage.resize();
    // Drawn while hidden (a closed tab, a folded output): the first view waits for a size.
    if (fresh && scene !== null && stage.width > 0) {
      firstView(scene);
    }
  }

  function setDocument(document: unknown): void {
    generation++;
    fresh = true;
    scene = null;
    selected = -1;
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
    root.replaceChildren(toolbar.node, body, grip, help.node, live);
    setHeight(height);
    toolbar.setGraph(h);
    box.setGraph(h);
    panel.hide();
    opened = byDefault ? initiallyOpened(h) : sanitize(h, options.state?.opened ?? []);
    markSelected();
    resized();
    void relayout(-1);
  }

  const observer =
    typeof ResizeObserver === 'undefined'
      ? null
      : new ResizeObserver(() => {
          // What was in the middle stays there.
          const before = stage.width;
          resized();
          if (before > 0 && stage.width > 0 && stage.width !== before) {
            stage.pan((stage.width - before) / 2, 0);
          }
        });
  observer?.observe(home);
  const unwatch = watchTheme(applyTheme);

  const explorer: Explorer = {
    select(node) {
      if (h === null || node < 0 || node >= h.nodes) {
        choose(-1, false);
      } else if (node !== selected) {
        void goTo(node, false).then(() => openPanel());
      }
    },
    setOpened(scopes) {
      if (h === null) {
        return;
      }
      const next = scopes === null ? initiallyOpened(h) : sanitize(h, scopes);
      byDefault = scopes === null;
      if (next.size === opened.size && [...next].every((scope) => opened.has(scope))) {
        return;
      }
      opened = next;
      void relayout(selected);
    },
    setHeight,
    setDocument,
    fit: () => stage.fit(),
    positionOf(what) {
      if (h === null || scene === null) {
        return null;
      }
      const { document } = h;
      let at: Element = -1;
      if (typeof what === 'number') {
        at = what >= 0 && what < h.nodes ? what : -1;
      } else {
        const scope = h.paths.findIndex((path, index) => index > 0 && path === what && !h!.folded[index]);
        const pills = [
          ...h.inputs.map((_, index) => inputElement(h!, index)),
          ...h.outputs.map((_, index) => outputElement(h!, index)),
        ];
        const pill = pills.find(
          (each) => document.strings[document.values.name[pillValue(h!, each)]] === what,
        );
        at = scope > 0 ? groupElement(h, scope) : (pill ?? -1);
      }
      const index = at < 0 ? -1 : indexOf(scene, at);
      if (index < 0) {
        return null;
      }
      const bounds = tree.node.getBoundingClientRect();
      const { camera } = stage;
      const place = (box: Box): { x: number; y: number } => ({
        x: bounds.left + (box.x + box.width / 2) * camera.scale + camera.x,
        y: bounds.top + (box.y + box.height / 2) * camera.scale + camera.y,
      });
      const open = scene.visible.kinds[index] === 'open';
      const group = open || scene.visible.kinds[index] === 'closed';
      const area = boxOf(scene, index);
      // An open group answers to clicks by its header.
      const centre = place(open ? { ...area, height: 32 } : area);
      return group ? { ...centre, toggle: place(toggleBox(scene, index)) } : centre;
    },
    destroy() {
      destroyed = true;
      clearTimeout(hintTimer);
      observer?.disconnect();
      unwatch();
      runner.destroy();
      stage.destroy();
      home.remove();
      delete (host as HostElement).tracelab;
      delete host.dataset.tracelabReady;
      delete host.dataset.selected;
      delete host.dataset.tracelabError;
    },
  };
  (host as HostElement).tracelab = explorer;
  setHeight(height);
  applyTheme();
  setDocument(raw);
  return explorer;
}
