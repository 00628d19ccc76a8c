/** What people read when they run a graph: the bar, overlays, hot spots, values. More in `strings.ts`. */

import { integerText, trans } from './translation';

// What can be laid over the picture.
export const time = () => trans.__('time');
export const memory = () => trans.__('memory');
export const peakMemory = () => trans.__('peak memory');
export const nonfinite = () => trans.__('NaN and Inf');
export const parameters = () => trans.__('parameters');
export const dtype = () => trans.__('dtype');
export const device = () => trans.__('device');
export const flops = () => trans.__('FLOPs');
export const finite = () => trans.__('finite');
export const infinity = () => trans.__('Inf');
export const nan = () => trans.__('NaN');
export const mixed = () => trans.__('mixed');
export const overlay = () => trans.__('Overlay');
export const none = () => trans.__('none');
export const runFirst = (overlay: string) => trans.__('%1 (run first)', overlay);
export const overlayIs = (overlay: string) => trans.__('Overlay: %1', overlay);
export const total = (value: string) => trans.__('total %1', value);
export const failedHere = () => trans.__('✕ failed');
export const helpOverlay = () => trans.__('next overlay: time, memory, parameters, dtype …');

// The plot along the run.
export const plot = () => trans.__('Plot (u)');
export const plotOf = (metric: string) => trans.__('Plot of %1', metric);
export const pointOf = (name: string, value: string) => trans.__('%1, %2', name, value);
export const helpPlot = () => trans.__('show or hide the plot under the graph');
export const plotShown = () => trans.__('Plot shown');
export const plotHidden = () => trans.__('Plot hidden');
export const nothingToPlot = () => trans.__('Choose an overlay with numbers to plot it.');

// The table of hot spots.
export const hotSpots = () => trans.__('Hot spots');
export const showHotSpots = () => trans.__('Hot spots …');
export const hotSpotsBy = (metric: string) => trans.__('Hot spots by %1', metric);
export const operator = () => trans.__('operator');
export const module = () => trans.__('module');
export const share = () => trans.__('share');
export const percent = (share: string) => trans.__('%1 %', share);
export const rows = () => trans.__('Rows');
export const operators = () => trans.__('Operators');
export const modules = () => trans.__('Modules');

// The run bar.
export const run = () => trans.__('Run');
export const runLabel = () => trans.__('Run (r)');
export const runFace = () => trans.__('▶ Run');
export const runTo = () => trans.__('Run to the selected operator (t)');
export const runToHere = () => trans.__('Run to here');
export const stop = () => trans.__('Stop (.)');
export const stopFace = () => trans.__('■ Stop');
export const deviceLabel = () => trans.__('Device');
export const metaDevice = () => trans.__('meta (estimate)');
export const inputLabel = (name: string) => trans.__('Input %1', name);
export const tracedInput = (name: string) => trans.__('%1: as traced', name);
export const randomInput = (name: string) => trans.__('%1: random', name);
export const tracedInputHelp = (name: string, type: string) =>
  trans.__(
    '%1: %2. Leave empty for the traced input. Enter a shape such as 8×3×224×224 for random values, or the name of a variable.',
    name,
    type,
  );
export const randomInputHelp = (name: string, type: string) =>
  trans.__(
    '%1: %2. Leave empty for random values. Enter a shape such as 8×3×224×224 for random values of that shape, or the name of a variable.',
    name,
    type,
  );
export const starting = () => trans.__('starting …');
export const selectToRunTo = () => trans.__('Select an operator to run to.');
export const progress = (count: number, total: number) => trans.__('%1 of %2 operators', count, total);
export const failed = (message: string) => trans.__('✕ %1', message);
export const ran = (count: number, device: string) =>
  trans._n('%2 operator on %3', '%2 operators on %3', count, integerText(count), device);
export const stoppedBefore = (where: string) => trans.__('stopped before %1', where);
export const cancelledBefore = (where: string) => trans.__('cancelled before %1', where);
export const theEnd = () => trans.__('the end');
export const firstNan = (where: string) => trans.__('first NaN: %1', where);
export const firstInfinity = (where: string) => trans.__('first Inf: %1', where);
export const helpRun = () => trans.__('run the graph');
export const helpRunTo = () => trans.__('run to the selected operator');
export const helpStop = () => trans.__('stop the run');
export const kernelSilent = () =>
  trans.__('The kernel does not respond. It may be busy, or it may have been restarted or shut down.');
export const connectionLost = () => trans.__('The connection to the kernel was lost.');
export const kernelGone = () =>
  trans.__('The kernel was restarted or shut down. Run the cell again to run the graph.');

// Values of an element.
export const values = () => trans.__('Values');
export const value = () => trans.__('Value');
export const parameterNamed = (name: string) => trans.__('parameter %1', name);
export const bufferNamed = (name: string) => trans.__('buffer %1', name);
export const selectForValues = () => trans.__('Select an operator or an input to see its values.');
export const nothingRan = () => trans.__('No run yet. Press Run.');
export const noValue = () => trans.__('This operator did not run, or its output is not a tensor with data.');
export const tracedAs = (type: string) => trans.__('traced as %1', type);
export const elements = () => trans.__('elements');
export const min = () => trans.__('min');
export const max = () => trans.__('max');
export const mean = () => trans.__('mean');
export const std = () => trans.__('std');
export const zeros = () => trans.__('zeros');
export const infinite = () => trans.__('Inf');
export const countAndShare = (count: string, share: string) => trans.__('%1 (%2 %)', count, share);
export const histogram = (near: string) => trans.__('Histogram; most elements are near %1', near);
export const range = (low: string, high: string) => trans.__('%1 to %2', low, high);
export const bin = (low: string, high: string, count: number) => trans.__('%1 to %2: %3', low, high, count);

// The heatmap of a slice.
export const heatmap = () => trans.__('Heatmap');
export const drawHeatmap = () => trans.__('Draw a heatmap');
export const drawing = () => trans.__('drawing …');
export const heatmapOf = (rows: number, columns: number, range: string) =>
  trans.__('Heatmap, %1 rows of %2, %3', rows, columns, range);
export const noFinite = () => trans.__('no finite elements');
export const cellIsMean = (rows: number, columns: number) =>
  trans.__('each cell is the mean of %1×%2', rows, columns);
export const rowAxis = () => trans.__('Rows');
export const columnAxis = () => trans.__('Columns');
export const dimension = (dimension: number, extent: number) => trans.__('dim %1 (%2)', dimension, extent);
export const dimensionAt = (dimension: number) => trans.__('dim %1 index', dimension);
export const indexIn = (dimension: number) => trans.__('Index in dimension %1', dimension);
