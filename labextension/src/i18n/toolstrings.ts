/** What people read of the features that come when the first picture is up, runs aside. More in `strings.ts`. */

import { integerText, trans } from './translation';

// Help and legend.
export const keysAndLegend = () => trans.__('Keyboard shortcuts and legend');
export const keysAndLegendKey = () => trans.__('Keyboard shortcuts and legend (?)');
export const closeHelp = () => trans.__('Close help');
export const keys = () => trans.__('Keyboard shortcuts');
export const legend = () => trans.__('Legend');
export const pointerHelp = () =>
  trans.__(
    'Drag to pan. Click the graph, then scroll to zoom, or pinch. Double-click a group to open it. Shift-click a node to pin it for comparison.',
  );
export const helpHelp = () => trans.__('show this help');
export const legendInput = () => trans.__('Graph input');
export const legendOutput = () => trans.__('Graph output');
export const legendClosed = () => trans.__('Module (closed)');
export const legendOpen = () => trans.__('Module (open)');
export const legendIncoming = () => trans.__('Incoming edges (blue)');
export const legendOutgoing = () => trans.__('Outgoing edges (orange)');
export const legendWarning = () => trans.__('▲ Tracing warning');
export const legendFailed = () => trans.__('✕ Failed operator');
export const categoryCompute = () => trans.__('Matrix products, convolutions, attention');
export const categoryNorm = () => trans.__('Normalization, dropout');
export const categoryActivation = () => trans.__('Activations');
export const categoryPool = () => trans.__('Pooling, reductions');
export const categoryShape = () => trans.__('Shapes, views, indexing');
export const categoryRegion = () => trans.__('Python functions, opaque regions');
export const categoryOther = () => trans.__('Other operators');

// The overview.
export const helpMinimap = () => trans.__('show or hide the minimap');
export const helpEdgeWidth = () => trans.__('edge width by tensor size');
export const edgeWidthByBytes = () => trans.__('Edge width by tensor size');
export const edgeWidthEqual = () => trans.__('Equal edge width');

// The tooltip.
export const operators = (count: number) =>
  trans._n('%2 operator', '%2 operators', count, integerText(count));
export const parameters = (count: number) =>
  trans._n('%2 parameter', '%2 parameters', count, integerText(count));
export const moreInputs = (count: number) => trans.__('← and %1 more', count);
export const warned = (warnings: string) => trans.__('▲ %1', warnings);
export const failedHere = () => trans.__('✕ failed here');
export const failedInside = () => trans.__('✕ failed inside');
export const boundary = (kind: string, name: string) => trans.__('%1 %2', kind, name);

// The source.
export const source = () => trans.__('Source');
export const pressLine = () => trans.__('Select a line to highlight the operators it ran.');
export const highlightOperators = (operators: string) => trans.__('Highlight %1', operators);
export const lineHighlighted = (operators: string, line: number) =>
  trans.__('Line %2: %1 highlighted', operators, line);

// Comparing elements.
export const compare = () => trans.__('Compare');
export const comparison = () => trans.__('Comparison');
export const sideBySide = () => trans.__('Side by side');
export const selected = () => trans.__('selected');
export const pin = () => trans.__('Pin');
export const unpin = () => trans.__('Unpin');
export const unpinElement = (name: string) => trans.__('Unpin %1', name);
export const pinNumber = (number: number) => trans.__('pin %1', number);
export const copyAsText = () => trans.__('Copy as text');
export const selectAnother = () =>
  trans.__('Select another node to compare, or pin more nodes: Shift-click them, or press m.');
export const rowsDiffer = (count: number, total: number) =>
  trans.__('%1 of %2 properties differ (marked ≠).', count, total);
export const helpPin = () => trans.__('pin or unpin the selected node');
export const helpCopy = () => trans.__('copy the selected node as text');

// Two graphs.
export const differences = () => trans.__('Differences');
export const previousDifference = () => trans.__('Previous difference (p)');
export const nextDifference = () => trans.__('Next difference (n)');
export const showDifferences = () => trans.__('Show differences');
export const showDifferenceCount = (differences: string) => trans.__('Show %1', differences);
export const noDifference = () => trans.__('no differences');
export const moreDifferences = (count: number) =>
  trans._n('… and %1 more difference', '… and %1 more differences', count);
export const was = (name: string) => trans.__('was %1', name);
export const before = () => trans.__('before');
export const after = () => trans.__('after');
export const valuesOnNodes = () => trans.__('Values on nodes');
export const noValues = () => trans.__('no values');

// Export.
export const exportMenu = () => trans.__('Export');
export const exportKey = () => trans.__('Export (s)');
export const saved = (file: string) => trans.__('Saved %1', file);
export const pngScreen = () => trans.__('PNG, visible area');
export const pngWhole = () => trans.__('PNG, entire graph');
export const svgScreen = () => trans.__('SVG, visible area');
export const svgWhole = () => trans.__('SVG, entire graph');
export const figureSvg = () => trans.__('SVG, figure for print');
export const figurePdf = () => trans.__('PDF, figure for print');
export const figureTikz = () => trans.__('TikZ, figure for print');
export const drawingFigure = () => trans.__('The kernel draws the figure …');
export const dot = () => trans.__('DOT, for Graphviz');
export const json = () => trans.__('JSON, the view document');
export const html = () => trans.__('HTML, standalone explorer');
export const copyLink = () => trans.__('Copy link to this view');
export const noPng = () => trans.__('This browser cannot create a PNG of this size.');
export const noPage = () => trans.__('To save a standalone page here, call traced.to_html(path) in Python.');
export const helpExport = () => trans.__('export as PNG, SVG, PDF, DOT, JSON or HTML; copy a link');

/** The menu of what is drawn as it stands, or steps aside. */
export const story = () => trans.__('What is drawn (l)');
export const storyMenu = () => trans.__('What is drawn');
export const functionGroups = () => trans.__('Calls of functions as groups');
export const foldSizes = () => trans.__('Sizes and no-ops in other boxes');
export const foldUnused = () => trans.__('Unused operators and constants in notes');
export const trainingGroups = () => trans.__('Training as groups, modes aside');
export const nameSizes = () => trans.__('Sizes by name');
export const namesShown = () => trans.__('Sizes by name');
export const namesHidden = () => trans.__('Sizes as they were at the trace');
export const namesUnknown = () => trans.__('Sizes have no names here');
export const helpNameSizes = () => trans.__('sizes by name, or as they were at the trace');
export const leftToRight = () => trans.__('From left to right');
export const topToBottom = () => trans.__('From top to bottom');
export const columns = () => trans.__('In columns');
export const flowThatFits = () => trans.__('Turned as it fits');
export const helpTurn = () => trans.__('draw to the right, in columns, or down');
export const helpStory = () => trans.__('choose what is drawn');
