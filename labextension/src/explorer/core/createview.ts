/** What is shown, what is open and what is selected: the one place that changes any of it. */

import * as strings from '../../i18n/strings';
import { createRunner } from '../../layout/runner';
import type { Flow, Wrap } from '../../layout/types';
import { contentsText } from '../../model/describe';
import {
  buildHierarchy,
  drawnAs,
  groupElement,
  kindOf,
  scopeOf,
  type Element,
  type Hierarchy,
  type Story,
} from '../../model/hierarchy';
import { documentSizeNames, type SizeNames } from '../../model/sizenames';
import { elementNamed, nameOf } from '../../model/link';
import {
  closeScope,
  isWithin,
  openedAlike,
  openScope,
  documentScopes,
  openAncestors,
  validScopes,
} from '../../model/openstate';
import { repeatOf } from '../../model/repeats';
import { DocumentError, readDocument } from '../../protocol/validate';
import type { TraceCase, ViewDocument } from '../../protocol/viewdocument';
import { visibleElementsFor, visibleIndexOf, visibleFor } from '../../model/visible';
import { copyText, element } from '../ui/dom';
import { createEvents } from '../ui/events';
import { createFrame } from '../ui/frame';
import { createKeys } from '../ui/keys';
import { firstPicture, fittingAs, flowThatFits } from './firstpicture';
import { hostSelection } from './links';
import { middleElement } from './positions';
import { rememberedFlow, rememberedStory, rememberFlow, rememberStory } from './remembered';
import { sameCamera, type Camera } from '../canvas/camera';
import { transitionBetween } from '../canvas/transition';
import { createPanel } from '../ui/panel';
import { createPanelPlacement } from './panelplacement';
import {
  anchorsAbove,
  buildScene,
  createMeasure,
  indexOf,
  layoutInput,
  wrapIn,
  type Scene,
} from '../canvas/scene';
import { createStage } from '../canvas/stage';
import type { Theme } from '../ui/theme';
import { createToolbar } from '../ui/toolbar';
import { createAccessibilityTree } from './accessibilitytree';
import type { ExplorerOptions, View, ViewEvents } from './view';

/** What is kept of a recording while another one is shown. */
interface KeptView {
  h: Hierarchy;
  opened: ReadonlySet<number>;
  isDefaultOpened: boolean;
  selected: Element;
  pinned: Element[];
  camera: Camera;
  /** The width that the camera was for. */
  width: number;
  panel: boolean;
}

/** A narrower picture runs down whatever was chosen. */
const NARROW = 480;
/** What the bars above the picture and the handle below it take of its height. */
const BARS = 82;

/** `complete` plugs in what the first picture can do without; it is called once, when that picture is up. */
export function createView(
  host: HTMLElement,
  options: ExplorerOptions,
  defaultHeight: number,
  complete: (view: View) => Promise<void>,
): View {
  let h: Hierarchy | null = null;
  let scene: Scene | null = null;
  let opened: ReadonlySet<number> = new Set();
  let isDefaultOpened = (options.state?.opened ?? null) === null;
  let selected: Element = -1;
  let hovered: Element = -1;
  let query = '';
  let story: Story = rememberedStory();
  /** As it was chosen; null: as each graph fits. */
  let flow = rememberedFlow();
  let fitting = fittingAs(flow);
  /** What fits is to be found, with the next picture. */
  let isFlowSought = true;
  let highlighted: ReadonlySet<Element> | null = null;
  let pinned: Element[] = [];
  let theme: Theme | null = null;
  let generation = 0;
  let cases: readonly TraceCase[] = [];
  let caseIndex = 0;
  /** By their rows: the recordings that were shown before. */
  const kept = new Map<number, KeptView>();
  /** The names of sizes of each document, shown or not. */
  const sizeNames = new WeakMap<ViewDocument, SizeNames>();
  /** The camera of the first view: while nobody moved it, a picture that changes is shown as at first. */
  let firstCamera: Camera | null = null;
  /** The document that came, which holds those of all recordings. */
  let whole: unknown = null;
  /** The first picture of a document is still to be shown. */
  let fresh = true;
  /** No picture was up yet: the state that the host gave is of the recording that is shown first. */
  let unseen = true;
  /** As the picture that comes was looked at before; null: as at first. */
  let before: KeptView | null = null;
  let destroyed = false;
  let completed: Promise<void> | null = null;
  const measure = createMeasure();
  const runner = createRunner();
  const atFirst = (graph: Hierarchy): Set<number> => firstPicture(graph, runner.now);
  const events = createEvents<ViewEvents>();
  const keys = createKeys();
  const toolbar = createToolbar();
  const stage = createStage(measure, (camera) => {
    tree.follow(camera);
    events.emit('camera', camera);
  });
  const tree = createAccessibilityTree(
    (index) => view.select(scene?.visible.elements[index] ?? -1),
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
    onResize: fitted,
    onHeight: () => report(),
  });
  // Bars come and go above and below the picture.
  frame.observe(stage.node, fitted);
  if (options.fill) {
    frame.fillHost();
  }

  function report(): void {
    options.onState?.({
      opened: isDefaultOpened || h === null ? null : documentScopes(h, opened).sort((a, b) => a - b),
      height: frame.height,
    });
  }

  function showError(text: string): void {
    scene = null;
    h = null;
    frame.showError(text);
    host.dataset.tracelabReady = 'true';
    host.dataset.tracelabError = text;
  }

  function seekFlow(): void {
    isFlowSought = true;
    fitting = fittingAs(flow);
  }

  /** `renamed`: other labels in the same boxes, of which none keeps its size. */
  async function relayout(anchor: Element, renamed = false): Promise<void> {
    const graph = h;
    if (graph === null) {
      return;
    }
    const mine = ++generation;
    host.dataset.tracelabReady = 'false';
    try {
      const visible = visibleFor(graph, opened);
      const laidOut = (to: Flow, wrap?: Wrap): ReturnType<typeof layoutInput> =>
        layoutInput(graph, visible, measure, theme!.font, false, to, wrap);
      if (isFlowSought && stage.width > 0) {
        isFlowSought = false;
        // With or without a kernel, before its bar has come and after, it is one picture.
        const height = options.fill ? stage.height : Math.min(stage.height, frame.height - BARS);
        fitting = flowThatFits(
          { width: stage.width, height },
          (to, wrap) => {
            const { input, labels } = laidOut(to, wrap);
            return buildScene(visible, labels, input, runner.now(input));
          },
          visible.elements.length,
          flow,
        );
      }
      const to = stage.width > 0 && stage.width < NARROW ? 'down' : fitting.flow;
      const stays = scene !== null && scene.flow === to && !renamed;
      const group = fitting.group < 0 ? -1 : visible.indexOf.get(fitting.group);
      const { input, labels } = laidOut(
        to,
        to !== 'columns' || group === undefined
          ? undefined
          : stays && scene!.columns !== null && anchor >= 0
            ? wrapIn(visible, scene!.columns)
            : { group, columns: fitting.columns },
      );
      const anchors = stays ? anchorsAbove(scene!, visible, anchor) : undefined;
      const result = await runner.run(anchors === undefined ? input : { ...input, anchors });
      if (graph.document.diff !== undefined) {
        // A difference without its marks would be another picture.
        await (completed ??= complete(view));
      }
      if (mine !== generation || destroyed) {
        return;
      }
      show(graph, buildScene(visible, labels, input, result), anchor);
      await (completed ??= complete(view));
      if (mine === generation && !destroyed) {
        host.dataset.tracelabReady = 'true';
      }
    } catch (error) {
      if (mine === generation && !destroyed) {
        showError(strings.cannotShow(error instanceof Error ? error.message : String(error)));
      }
    }
  }

  function show(graph: Hierarchy, next: Scene, anchor: Element): void {
    const old = scene;
    const camera = stage.camera;
    const transition = transitionBetween(old, next, anchor);
    scene = next;
    unseen = false;
    stage.show(graph, next, transition.before);
    tree.update(graph, next);
    if (transition.anchored) {
      stage.setCamera({
        ...camera,
        x: camera.x + transition.x * camera.scale,
        y: camera.y + transition.y * camera.scale,
      });
    } else if (fresh && stage.width > 0) {
      firstView(next);
    } else if (old !== null && old.flow !== next.flow) {
      // Turned: nothing is where it was.
      stage.first();
      firstCamera = stage.camera;
      stage.reveal(view.selectedIndex);
    } else {
      tree.follow(camera);
    }
    markHovered();
    markSelected();
    markHighlighted();
    events.emit('scene', next);
  }

  /** Shows the names of sizes, or their numbers, in the picture as it is. */
  async function rename(): Promise<void> {
    for (const graph of [h, ...[...kept.values()].map((each) => each.h)]) {
      if (graph !== null) {
        graph.sizeNames = (story.nameSizes && sizeNames.get(graph.document)) || new Map();
      }
    }
    panel.refresh();
    if (scene === null || h === null) {
      return;
    }
    const unmoved = sameCamera(stage.camera, firstCamera);
    const anchor = view.selectedIndex >= 0 ? selected : middleElement(scene, stage);
    await relayout(unmoved ? -1 : anchor, true);
    if (unmoved && stage.width > 0) {
      stage.first();
      firstCamera = stage.camera;
    }
  }

  function firstView(shown: Scene): void {
    fresh = false;
    if (before !== null && before.width === stage.width) {
      stage.setCamera(before.camera);
      return;
    }
    stage.first();
    firstCamera = stage.camera;
    if (selected >= 0) {
      // Selected before there was a picture: by Python, in the line that shows it.
      view.openPanel();
      stage.reveal(indexOf(shown, selected));
    }
  }

  function markSelected(): void {
    stage.mark({ selected: view.selectedIndex });
    tree.select(view.selectedIndex);
    host.dataset.selected = String(hostSelection(h, selected)[0]);
  }

  function markHovered(): void {
    const isShown = h !== null && scene !== null && hovered >= 0;
    stage.mark({ hovered: isShown ? visibleIndexOf(h!, scene!.visible, hovered) : -1 });
  }

  function markHighlighted(): void {
    stage.mark({
      highlighted:
        highlighted === null || h === null || scene === null
          ? null
          : visibleElementsFor(h, scene.visible, highlighted),
    });
  }

  function resized(): void {
    frame.resized();
    stage.resize();
    // Drawn while hidden (a closed tab, a collapsed output): the first view waits for a size.
    if (fresh && scene !== null && stage.width > 0) {
      firstView(scene);
    }
  }

  /** Takes another size: what was in the middle stays there, and what is selected stays in view. */
  function fitted(): void {
    const { width, height } = stage;
    const wasShown = stage.shows(view.selectedIndex);
    resized();
    if (width > 0 && stage.width > 0 && stage.width !== width) {
      stage.pan((stage.width - width) / 2, 0);
    }
    if (wasShown && stage.height > 0 && (stage.height < height || !stage.shows(view.selectedIndex))) {
      stage.reveal(view.selectedIndex);
    }
  }

  /** What is shown, to come back to. */
  function keptNow(): KeptView | null {
    return h === null
      ? null
      : {
          h,
          opened,
          isDefaultOpened,
          selected,
          pinned,
          camera: stage.camera,
          width: stage.width,
          panel: panel.shown,
        };
  }

  /** Of another recording, what was open in the one beside it is open, too; one that was shown before is as it was. */
  function showDocument(
    document: unknown,
    again: KeptView | null = null,
    beside: KeptView | null = null,
  ): void {
    generation++;
    before = again;
    fresh = true;
    seekFlow();
    scene = null;
    selected = hovered = -1;
    query = '';
    highlighted = null;
    pinned = again?.pinned ?? [];
    delete host.dataset.tracelabError;
    try {
      h = again?.h ?? buildHierarchy(readDocument(document), story);
      noteSizeNames(h);
      noteCases(h.document);
    } catch (error) {
      showError(
        error instanceof DocumentError ? error.message : strings.cannotShow(strings.documentDamaged()),
      );
      return;
    }
    frame.fill(toolbar.node, body, ...overlays);
    toolbar.setGraph(h);
    panel.hide();
    if (again !== null || beside !== null) {
      isDefaultOpened = (again ?? beside!).isDefaultOpened;
      opened =
        again?.opened ??
        (isDefaultOpened ? atFirst(h) : openedAlike(h, beside!.h, beside!.opened, atFirst(h)));
    } else {
      opened = isDefaultOpened ? atFirst(h) : validScopes(h, options.state?.opened ?? []);
    }
    events.emit('graph', h);
    markSelected();
    resized();
    void relayout(-1);
  }

  function noteSizeNames(graph: Hierarchy): void {
    const told = sizeNames.get(graph.document);
    if (told === undefined) {
      sizeNames.set(graph.document, documentSizeNames(graph.document));
    } else {
      graph.sizeNames = story.nameSizes ? told : new Map();
    }
  }

  /** Of a document with several recordings; that of one of them, which stands in it, names none. */
  function noteCases({ cases: given }: ViewDocument): void {
    if (given !== undefined && given !== cases) {
      cases = given;
      caseIndex = Math.max(
        0,
        given.findIndex((each) => each.document === undefined),
      );
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
    get story() {
      return story;
    },
    get flow() {
      return fitting.flow;
    },
    get isFlowChosen() {
      return flow !== null;
    },
    get opened() {
      return opened;
    },
    get query() {
      return query;
    },
    get highlighted() {
      return highlighted;
    },
    get pinned() {
      return pinned;
    },
    actions: [],
    navigation: [],
    lastRun: null,
    get isDefaultOpened() {
      return isDefaultOpened;
    },
    get cases() {
      return cases;
    },
    get caseIndex() {
      return caseIndex;
    },
    showCase(index, byPerson = true) {
      if (index === caseIndex || cases[index] === undefined) {
        return;
      }
      const beside = unseen ? null : keptNow();
      const again = kept.get(index) ?? null;
      const searched = query;
      if (beside !== null) {
        kept.set(caseIndex, beside);
      }
      caseIndex = index;
      if (byPerson) {
        // First, so that the kernel hears of it before the picture asks for anything.
        if (selected >= 0) {
          options.onSelect?.(null, '');
        }
        options.onCase?.(index);
      }
      isDefaultOpened = unseen ? isDefaultOpened : isDefaultOpened || beside === null;
      showDocument(cases[index].document ?? whole, again, beside);
      if (h === null) {
        return;
      }
      if (searched !== '') {
        view.setQuery(searched);
      }
      if (byPerson) {
        if (again !== null) {
          view.select(again.selected);
          if (again.panel) {
            panel.show();
            events.emit('panel', true);
            resized();
          }
        }
        report();
      }
    },
    setDocument(document) {
      whole = document;
      cases = [];
      caseIndex = 0;
      kept.clear();
      showDocument(document);
    },
    setStory(next) {
      const onlyNames = { ...next, nameSizes: story.nameSizes };
      const isRenaming = (Object.keys(next) as (keyof Story)[]).every(
        (part) => onlyNames[part] === story[part],
      );
      story = next;
      rememberStory(story);
      if (isRenaming) {
        void rename();
        return;
      }
      kept.clear();
      const beside = keptNow();
      if (beside === null) {
        return;
      }
      const [searched, at] = [query, beside.selected];
      const name = at < 0 ? '' : nameOf(beside.h, at);
      showDocument(beside.h.document, null, beside);
      if (searched !== '') {
        view.setQuery(searched);
      }
      const again = h === null || name === '' ? -1 : elementNamed(h, name);
      if (again >= 0) {
        void view.goTo(again);
      } else if (at >= 0) {
        options.onSelect?.(null, '');
      }
    },
    setFlow(next) {
      flow = next;
      seekFlow();
      rememberFlow(flow);
      kept.clear();
      void relayout(-1);
    },
    nameSizes(names) {
      if (h !== null) {
        sizeNames.set(h.document, names);
        void rename();
      }
    },
    select(to, byPerson = true) {
      if (to === selected) {
        return;
      }
      const before = hostSelection(h, selected);
      selected = to;
      markSelected();
      panel.refresh();
      events.emit('select', to, byPerson);
      const [node, module] = hostSelection(h, to);
      if (byPerson && (node !== before[0] || module !== before[1])) {
        options.onSelect?.(node < 0 ? null : node, module);
      }
    },
    hover(at) {
      if (at !== hovered) {
        hovered = at;
        markHovered();
        events.emit('hover', at);
      }
    },
    async goTo(to, byPerson = true) {
      if (h === null) {
        return;
      }
      to = drawnAs(h, to);
      if (kindOf(h, to) === 'group' && h.inlined[scopeOf(h, to)]) {
        // A row of blocks that is not collapsed any more: its first block stands for it.
        const repeat = repeatOf(h, scopeOf(h, to));
        to = repeat === undefined ? to : groupElement(h, repeat.members[0]);
      }
      const wanted = openAncestors(h, opened, to);
      view.select(to, byPerson);
      if (wanted.size !== opened.size) {
        const surrounding = scene === null ? -1 : visibleIndexOf(h, scene.visible, to);
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
      if (!opening && selected >= 0 && selected !== at && isWithin(h, selected, scope)) {
        view.select(at);
      }
      await view.open(opening ? openScope(h, opened, scope) : closeScope(h, opened, scope), at);
      const contents = contentsText(h, scope);
      frame.announce(opening ? strings.opened(contents) : strings.closed(contents));
    },
    async open(scopes, anchor = -1, first = false) {
      opened = scopes;
      isDefaultOpened = false;
      await relayout(anchor);
      if (first && scene !== null) {
        stage.first();
      }
      report();
    },
    setOpened(scopes, link) {
      if (h === null) {
        return;
      }
      const next = scopes === null ? atFirst(h) : validScopes(h, scopes);
      if (scopes !== null && link === undefined) {
        // The host does not know of collapsed blocks: those that are open stay open.
        const own = new Set(documentScopes(h, opened));
        opened.forEach((scope) => own.has(scope) || next.add(scope));
      }
      isDefaultOpened = scopes === null;
      if (link?.refolded) {
        events.emit('collapse');
      } else if (next.size === opened.size && [...next].every((scope) => opened.has(scope))) {
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
    setQuery(text) {
      query = text;
      events.emit('query', text);
    },
    highlight(elements, why) {
      highlighted = elements;
      markHighlighted();
      events.emit('highlight', elements, why);
      frame.announce(why);
    },
    notify: (text) => frame.notify(text),
    copy: (text) => void copyText(frame.root, text).then(() => frame.notify(strings.copied())),
    pin(at) {
      pinned = pinned.includes(at) ? pinned.filter((other) => other !== at) : [...pinned, at];
      const { length } = pinned;
      frame.announce(pinned.includes(at) ? strings.pinned(length) : strings.unpinned(length));
      events.emit('pin', pinned);
      stage.repaint();
      panel.refresh();
    },
    setHeight: (height) => frame.setHeight(height),
    openPanel(tab, recenter) {
      if (h !== null) {
        placement.open(tab, recenter);
      }
    },
    closePanel: () => placement.close(),
    addDialog(node) {
      overlays.push(node);
      if (h !== null) {
        body.after(node);
      }
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
  const placement = createPanelPlacement(view, resized);
  return view;
}
