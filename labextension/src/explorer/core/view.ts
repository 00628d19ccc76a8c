/**
 * What features see of the explorer. They get a `View`, call it, and hear of changes by its events; none of them
 * knows another. `createview.ts` makes one.
 */

import type { SizeNames } from '../../model/sizenames';
import type { RunData } from '../../model/run/rundata';
import type { KernelConnection } from '../../protocol/connection';
import type { TraceCase } from '../../protocol/viewdocument';
import type { Flow } from '../../layout/types';
import type { Element, Hierarchy, Story } from '../../model/hierarchy';
import type { Camera } from '../canvas/camera';
import type { Events } from '../ui/events';
import type { Frame } from '../ui/frame';
import type { Keys } from '../ui/keys';
import type { Panel } from '../ui/panel';
import type { Scene } from '../canvas/scene';
import type { Stage } from '../canvas/stage';
import type { Theme } from '../ui/theme';
import type { Toolbar } from '../ui/toolbar';
import type { AccessibilityTree } from './accessibilitytree';

export interface ViewState {
  /** Scopes whose groups are open; null: as at first. */
  opened: number[] | null;
  height: number;
}

/** Makes a view with all its features in an element. */
export type MakeView = (host: HTMLElement, document: unknown) => View;

export interface ExplorerOptions {
  state?: Partial<ViewState>;
  /** The person selected a node, or a module by its path; null and '' where it is neither. */
  onSelect?(node: number | null, module: string): void;
  /** Another recording is going to be shown, by its row in `cases`. */
  onCase?(index: number): void;
  /** The person opened, closed or resized something. */
  onState?(state: ViewState): void;
  /** Takes the height of the host instead of one of its own. */
  fill?: boolean;
  /** The text of a script that can start a standalone page; null where there is none. */
  pageScript?(): string | null | Promise<string | null>;
  /** A link, or a line of code, that shows a view (see `model/link.ts`) again. */
  linkTo?(view: string): string;
  /** The kernel that can run the graph; absent where there is none. */
  kernel?: KernelConnection;
}

export interface ViewEvents {
  /** Another document: everything that was known of the old one is void. */
  graph: [h: Hierarchy];
  /** Other repeated blocks are collapsed; a new picture follows. */
  collapse: [];
  /** A picture was laid out and put up. */
  scene: [scene: Scene];
  /** Something else is selected; -1: nothing. `byPerson` is false where a program did it. */
  select: [selected: Element, byPerson: boolean];
  /** The pointer, or the cursor of a plot, came to another element; -1: to none. */
  hover: [hovered: Element];
  /** The query of the search changed. */
  query: [query: string];
  /** Other elements are highlighted; null: none. */
  highlight: [highlighted: ReadonlySet<Element> | null, why: string];
  /** Other elements are pinned. */
  pin: [pinned: readonly Element[]];
  /** The panel was opened, closed, or shows another tab. */
  panel: [shown: boolean];
  camera: [camera: Camera];
  theme: [theme: Theme];
  destroy: [];
}

/** What plugs itself into a view. */
export type Feature = (view: View) => void;

export interface ElementAction {
  label: string;
  available?(element: Element): boolean;
  run(element: Element): void;
}

/** A list of elements to step through, such as warnings or differences. */
export interface NavigationTargets {
  /** What is said of one of them: which of how many, and its name. */
  text(number: number, count: number, name: string): string;
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
  readonly tree: AccessibilityTree;
  /** Null while no document, or a bad one, is shown. */
  readonly graph: Hierarchy | null;
  /** Null until the picture is laid out. */
  readonly scene: Scene | null;
  readonly theme: Theme;
  readonly selected: Element;
  /** What is open was never changed: the view chose it. */
  readonly isDefaultOpened: boolean;
  /** The place of what is selected in the scene; -1 where it is not shown. */
  readonly selectedIndex: number;
  /** What of the graph steps aside. */
  readonly story: Story;
  /** Where the main path runs; a narrow explorer runs down all the same. */
  readonly flow: Flow;
  /** Whether it is the same for all graphs: else it is the one in which more of the first picture can be read. */
  readonly isFlowChosen: boolean;
  readonly opened: ReadonlySet<number>;
  readonly query: string;
  readonly highlighted: ReadonlySet<Element> | null;
  /** Kept for comparison, in the order in which they were pinned. */
  readonly pinned: readonly Element[];
  /** What can be done with an element; the details offer it. */
  readonly actions: ElementAction[];
  /** Where `n` and `p` lead: see `features/navigation.ts`. */
  readonly navigation: NavigationTargets[];
  /** The last run in place; null before the first. */
  lastRun: RunData | null;
  /** The recordings of which the document holds several; empty where there is one. */
  readonly cases: readonly TraceCase[];
  readonly caseIndex: number;
  /** Shows another recording. */
  showCase(index: number, byPerson?: boolean): void;
  setDocument(document: unknown): void;
  /** Tells the graph another way; what is open and what is selected stay so where they are still there. */
  setStory(story: Story): void;
  /** Turns the picture, null: as it fits; what is open and what is selected stay so. */
  setFlow(flow: Flow | null): void;
  /** What the sizes of the values are called; the labels follow. */
  nameSizes(names: SizeNames): void;
  /** Selects; `byPerson` where the person did it, so that the host is told. */
  select(to: Element, byPerson?: boolean): void;
  /** Lights the box that an element is drawn in, be it a closed group around it; -1: none. */
  hover(at: Element): void;
  /** Selects an element wherever it is: opens what hides it and brings it into view. */
  goTo(to: Element, byPerson?: boolean): Promise<void>;
  /** Opens or closes a group, by its place in the scene. */
  toggle(index: number): Promise<void>;
  /** Sets what is open. The toggle of `anchor` keeps its place on the screen; `first`: show it as at first. */
  open(scopes: ReadonlySet<number>, anchor?: Element, first?: boolean): Promise<void>;
  /**
   * As `open`, from outside: null goes back to what was open at first, and the host is not told. A host that does not
   * know of collapsed blocks closes none of them; a `link` does, and may have collapsed others.
   */
  setOpened(scopes: Iterable<number> | null, link?: { refolded: boolean }): void;
  /** Sets the query of the search. */
  setQuery(query: string): void;
  /** Highlights elements and dims all others; null clears the highlight. `why` is shown and announced. */
  highlight(elements: ReadonlySet<Element> | null, why: string): void;
  /** Shows a message for a moment, and announces it to screen readers. */
  notify(text: string): void;
  /** Puts text on the clipboard, and says so. */
  copy(text: string): void;
  /** Pins an element, or unpins it. */
  pin(element: Element): void;
  setHeight(height: number): void;
  openPanel(tab?: string, recenter?: boolean): void;
  closePanel(): void;
  /** Puts an element beside picture and panel, over both. */
  addDialog(node: HTMLElement): void;
  destroy(): void;
}
