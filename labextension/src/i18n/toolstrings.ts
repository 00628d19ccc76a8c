/** What people read of the features that come when the first picture is up, runs aside. More in `strings.ts`. */

import { integerText, trans } from './translation';

// Help and legend.
export const keysAndLegend = () => trans.__('Keys and legend');
export const keysAndLegendKey = () => trans.__('Keys and legend (?)');
export const closeHelp = () => trans.__('Close help');
export const keys = () => trans.__('Keys');
export const legend = () => trans.__('Legend');
export const pointerHelp = () =>
  trans.__(
    'Drag to pan. Click the graph, then turn the wheel to zoom; pinch zooms at any time. Double-click opens a group. Shift and a click pins, to compare.',
  );
export const helpHelp = () => trans.__('these keys and the legend');
export const legendInput = () => trans.__('Graph input');
export const legendOutput = () => trans.__('Graph output');
export const legendClosed = () => trans.__('Module, closed');
export const legendOpen = () => trans.__('Module, open');
export const legendIncoming = () => trans.__('Edges in (blue)');
export const legendOutgoing = () => trans.__('Edges out (orange)');
export const legendWarning = () => trans.__('▲ Tracing warning');
export const legendFailed = () => trans.__('✕ The operator that failed');
export const categoryCompute = () => trans.__('Matrix products, convolutions, attention');
export const categoryNorm = () => trans.__('Normalisation, dropout');
export const categoryActivation = () => trans.__('Activations');
export const categoryPool = () => trans.__('Pooling, reductions');
export const categoryShape = () => trans.__('Shapes, views, indexing');
export const categoryRegion = () => trans.__('Python functions, opaque regions');
export const categoryOther = () => trans.__('Everything else');

// The overview.
export const helpOverview = () => trans.__('show or hide the overview');
export const helpEdgeWidth = () => trans.__('lines as thick as the bytes that flow along them');
export const edgeWidthByBytes = () => trans.__('Lines as thick as their bytes');
export const edgeWidthEqual = () => trans.__('Lines all alike');

// The tooltip.
export const operators = (count: number) =>
  trans._n('%2 operator', '%2 operators', count, integerText(count));
export const parameters = (count: number) =>
  trans._n('%2 parameter', '%2 parameters', count, integerText(count));
export const moreInputs = (count: number) => trans.__('← and %1 more', count);
export const warned = (warnings: string) => trans.__('▲ %1', warnings);
export const failedHere = () => trans.__('✕ failed here');
export const failedInside = () => trans.__('✕ failed in here');
export const boundary = (kind: string, name: string) => trans.__('%1 %2', kind, name);

// The source.
export const source = () => trans.__('Source');
export const pressLine = () => trans.__('Press a line to light the operators that it ran.');
export const highlightOperators = (operators: string) => trans.__('Light %1', operators);
export const lineHighlighted = (operators: string, line: number) =>
  trans.__('%1 of line %2 lit', operators, line);

// Comparing elements.
export const compare = () => trans.__('Compare');
export const comparison = () => trans.__('Comparison');
export const sideBySide = () => trans.__('Side by side');
export const selected = () => trans.__('selected');
export const pin = () => trans.__('Pin');
export const unpin = () => trans.__('Let go');
export const unpinElement = (name: string) => trans.__('Let go of %1', name);
export const pinNumber = (number: number) => trans.__('pin %1', number);
export const copyAsText = () => trans.__('Copy as text');
export const selectAnother = () =>
  trans.__('Select another element to compare it with, or pin more: Shift and a click, or m.');
export const rowsDiffer = (count: number, total: number) =>
  trans.__('%1 of %2 facts differ, marked ≠.', count, total);
export const helpPin = () => trans.__('pin what is selected, or let go of it');
export const helpCopy = () => trans.__('copy what is selected as text');

// Two graphs.
export const differences = () => trans.__('Differences');
export const previousDifference = () => trans.__('Previous difference (p)');
export const nextDifference = () => trans.__('Next difference (n)');
export const showDifferences = () => trans.__('Show differences');
export const showDifferenceCount = (differences: string) => trans.__('Show %1', differences);
export const noDifference = () => trans.__('no difference');
export const moreDifferences = (count: number) =>
  trans._n('… and %1 more difference', '… and %1 more differences', count);
export const was = (name: string) => trans.__('was %1', name);
export const before = () => trans.__('before');
export const after = () => trans.__('after');
export const numbersOnBoxes = () => trans.__('Numbers on boxes');
export const noNumbers = () => trans.__('no numbers');

// Export.
export const save = () => trans.__('Save');
export const saveKey = () => trans.__('Save (s)');
export const saved = (file: string) => trans.__('Saved %1', file);
export const pngScreen = () => trans.__('PNG, what is on screen');
export const pngWhole = () => trans.__('PNG, the whole picture');
export const svgScreen = () => trans.__('SVG, what is on screen');
export const svgWhole = () => trans.__('SVG, the whole picture');
export const dot = () => trans.__('DOT, for Graphviz');
export const json = () => trans.__('JSON, the view document');
export const html = () => trans.__('HTML, this explorer in one file');
export const copyLink = () => trans.__('Copy a link to this view');
export const noPng = () => trans.__('This browser makes no PNG of that size');
export const noPage = () => trans.__('Here the page can be saved from Python: traced.to_html(path)');
export const helpSave = () => trans.__('save as PNG, SVG, DOT, JSON, HTML; copy a link');
