/**
 * What people read in the explorer. Each text has a name, and values that it holds are given to it: so every text is a
 * function, and speaks the language that is set when it is called. `runstrings.ts` has the texts of running a graph,
 * `toolstrings.ts` those of the other features that come when the first picture is up.
 */

import { integerText, trans } from './translation';

// Elements of a graph.
export const ops = (count: number) => trans._n('%2 op', '%2 ops', count, integerText(count));
export const params = (count: string) => trans.__('%1 params', count);
export const call = (name: string, number: number) => trans.__('%1 (call %2)', name, number);
/** The name of a box that holds what nothing depends on. */
export const unusedOps = (count: number) => trans._n('%1 unused operator', '%1 unused operators', count);
export const unusedNote = () => trans.__('No output depends on them, and they change nothing.');
export const constants = () => trans.__('constants');
export const constantsNote = () => trans.__('Made from sizes and numbers alone: positions, masks, zeros.');
/** What a group is that is a call of a Python function. */
export const functionCall = () => trans.__('function call');
export const similarBlocks = (count: number, ops: string) => trans.__('%1 blocks, %2', count, ops);
export const repeatedBlocks = (count: number, ops: string) =>
  trans.__('%1 repeated blocks, %2 each', count, ops);
/** In the box of repeated blocks, under `× 12`. */
export const each = (ops: string) => trans.__('%1 each', ops);
export const scalar = () => trans.__('scalar');
export const values = (count: number) => trans.__('%1 values', count);
export const openGroup = () => trans.__('open group');
export const closedGroup = () => trans.__('closed group');
export const operator = () => trans.__('operator');
/** In a box that stands for several outputs of one structure. */
export const inputCount = (count: number) => trans._n('%1 input', '%1 inputs', count);
export const outputCount = (count: number) => trans._n('%1 output', '%1 outputs', count);
/** Of an output that is one of the inputs, unchanged. */
export const sameAsInput = (name: string) => trans.__('is input %1', name);
export const graphInput = () => trans.__('graph input');
export const graphOutput = () => trans.__('graph output');
export const failed = () => trans.__('failed');
export const affectedByWarning = () => trans.__('affected by a warning');
export const warnings = (count: number) => trans._n('%2 warning', '%2 warnings', count, integerText(count));
export const differences = (count: number) =>
  trans._n('%2 difference', '%2 differences', count, integerText(count));
export const elements = (count: number) => trans._n('%2 element', '%2 elements', count, integerText(count));

// What became of an element between two graphs.
export const same = () => trans.__('unchanged');
export const added = () => trans.__('added');
export const removed = () => trans.__('removed');
export const changed = () => trans.__('changed');
export const inputsChanged = () => trans.__('Inputs changed');
export const onlyInSecond = () => trans.__('Only in the second graph.');
export const onlyInFirst = () => trans.__('Only in the first graph.');
export const changedInside = () => trans.__('Contains differences.');

// Details of an element: names, and what stands beside them.
export const kind = () => trans.__('kind');
export const module = () => trans.__('module');
export const classLabel = () => trans.__('class');
export const path = () => trans.__('path');
export const repeated = () => trans.__('repeated');
export const operators = () => trans.__('operators');
export const parameters = () => trans.__('parameters');
export const warningsName = () => trans.__('warnings');
export const memory = () => trans.__('parameter memory');
export const torch = () => trans.__('torch');
export const value = () => trans.__('value');
export const role = () => trans.__('role');
export const type = () => trans.__('type');
export const source = () => trans.__('source');
export const usedByName = () => trans.__('used by');
export const producedByName = () => trans.__('produced by');
export const input = (value: string) => trans.__('input %1', value);
export const output = (value: string) => trans.__('output %1', value);
export const numberedInput = (number: number) => trans.__('input %1', number);
export const numberedOutput = (number: number) => trans.__('output %1', number);
export const warningOf = (kind: string) => trans.__('warning %1', kind);
export const bytes = (count: number) => trans._n('%2 byte', '%2 bytes', count, integerText(count));
export const strides = (strides: string) => trans.__('strides [%1]', strides);
export const numbered = (name: string, number: number) => trans.__('%1 %2', name, number);
export const backward = () => trans.__('backward');
export const gradients = (count: number) => trans._n('%1 gradient', '%1 gradients', count);
export const gradientOf = (name: string) => trans.__('gradient of %1', name);
export const trainingPhase = () => trans.__('part of a training loop');
export const tracedSizes = (shape: string) => trans.__('traced with %1', shape);
export const noStrides = () => trans.__('no strides');
export const fromProducer = (maker: string) => trans.__('from %1', maker);
export const parameter = (path: string) => trans.__('parameter %1', path).trim();
export const buffer = (path: string) => trans.__('buffer %1', path).trim();
export const constant = (path: string) => trans.__('constant %1', path).trim();
export const unused = () => trans.__('unused');
export const usersAndMore = (user: string, more: number) => trans.__('%1 and %2 more', user, more);
export const usedByUsers = (users: string) => trans.__('used by %1', users);
export const inputLine = (name: string, type: string, origin: string) =>
  trans.__('input %1: %2, %3', name, type, origin);
export const outputLine = (name: string, type: string, users: string) =>
  trans.__('output %1: %2, %3', name, type, users);
export const fromPrefix = () => trans.__('from');
export const usedByPrefix = () => trans.__('used by');
export const atPrefix = () => trans.__('at');
export const moreValues = (count: number) => trans.__('%1 more', count);
export const andMore = (count: number) => trans.__('and %1 more', count);
export const goTo = (what: string) => trans.__('Go to %1', what);
export const sharesStorage = (value: string) => trans.__('shares storage with %1', value);
export const tensors = (count: number) => trans._n('%2 tensor', '%2 tensors', count, integerText(count));
export const elementCount = (count: number) => trans.__('%1 elements', integerText(count));
export const isBuffer = () => trans.__('buffer');
export const specializedOn = (value: string) => trans.__('specialized on %1', value);
export const check = (verdict: string) => trans.__('check: %1', verdict);
export const affectsOutputs = (count: number, names: string) =>
  trans._n('affects %2 output: %3', 'affects %2 outputs: %3', count, integerText(count), names);
export const highlightAffected = () => trans.__('Highlight affected nodes');
export const operatorFailed = () => trans.__('This operator raised an error.');
export const failedAt = () => trans.__('Failed at');
export const callStack = (count: number) =>
  trans._n('Call stack: %1 more frame', 'Call stack: %1 more frames', count);
export const inFunction = (place: string, name: string) => trans.__('%1, in %2', place, name);
export const headingArguments = () => trans.__('Arguments');
export const headingInputs = () => trans.__('Inputs');
export const headingOutputs = () => trans.__('Outputs');
export const headingSource = () => trans.__('Source');
export const headingOperators = () => trans.__('Operators');
export const headingParameters = () => trans.__('Parameters and buffers');
export const headingValue = () => trans.__('Value');

// The frame around the picture.
export const graph = () => trans.__('Graph');
export const graphOf = (name: string) => trans.__('Graph of %1', name);
export const panel = () => trans.__('Panel');
export const details = () => trans.__('Details');
export const closeDetails = () => trans.__('Close details');
export const actions = () => trans.__('Actions');
export const breadcrumbs = () => trans.__('Breadcrumbs');
export const resize = () => trans.__('Drag to change the height');
export const heightInPixels = () => trans.__('Height of the graph in pixels');
export const emptyGraph = () => trans.__('No operators were recorded in this graph.');
export const clickToZoom = () => trans.__('Click the graph, then scroll to zoom');
export const opened = (ops: string) => trans.__('Opened, %1', ops);
export const closed = (ops: string) => trans.__('Closed, %1', ops);
export const pinned = (count: number) =>
  trans._n('Pinned. %1 node is pinned.', 'Pinned. %1 nodes are pinned.', count);
export const unpinned = (count: number) =>
  trans._n('Unpinned. %1 node is pinned.', 'Unpinned. %1 nodes are pinned.', count);
export const copied = () => trans.__('Copied');
export const selectOperatorFirst = () => trans.__('Select an operator first.');
export const partNotLoaded = (error: string) =>
  trans.__('Part of the explorer could not be loaded: %1', error);

// Buttons, with their keys.
export const back = () => trans.__('Back ([)');
export const forward = () => trans.__('Forward (])');
export const zoomOut = () => trans.__('Zoom out');
export const zoomIn = () => trans.__('Zoom in');
export const fit = () => trans.__('Fit (f)');
export const expandAll = () => trans.__('Expand all (e)');
export const collapseAll = () => trans.__('Collapse all (c)');
export const toggleRepeatedBlocks = () => trans.__('Collapse or expand repeated blocks (x)');
export const toggleDetails = () => trans.__('Details (i)');
export const showWarnings = () => trans.__('Show warnings');
export const showWarningCount = (warnings: string) => trans.__('Show %1', warnings);

// Repeated blocks.
export const collapseBlocks = () => trans.__('Collapse repeated blocks');
export const expandBlocks = () => trans.__('Expand repeated blocks');
export const blocksCollapsed = (count: number) =>
  trans._n('Collapsed %1 row of repeated blocks', 'Collapsed %1 rows of repeated blocks', count);
export const blocksExpanded = (count: number) =>
  trans._n('Expanded %1 row of repeated blocks', 'Expanded %1 rows of repeated blocks', count);
export const noRepeatedBlocks = () => trans.__('This graph has no four repeated blocks in a row.');

// Search.
export const search = () => trans.__('Search  /');
export const searchLabel = () => trans.__('Search operators, modules, shapes, source');
export const matches = () => trans.__('Matches');
export const noMatch = () => trans.__('No match');
export const found = (count: number) => trans.__('%1 found', count);
export const exampleOperator = () => trans.__('operators by kind');
export const exampleModule = () => trans.__('inside a module');
export const exampleShape = () => trans.__('results with that size; 64x56 for two in a row');
export const exampleSource = () => trans.__('source text; line:12 for a line');
export const exampleName = () => trans.__('values by name; dtype: and device: too');
export const exampleWarning = () => trans.__('with a tracing warning');
export const exampleNot = () => trans.__('everything else; terms can be combined');

// Highlight.
export const highlightUpstream = () => trans.__('Highlight upstream');
export const highlightDownstream = () => trans.__('Highlight downstream');
export const highlightPath = () => trans.__('Highlight path from pinned node');
export const clearHighlight = () => trans.__('Clear highlight');
export const highlightCleared = () => trans.__('Highlight cleared');
export const highlighted = (count: number, what: string) =>
  trans._n('%2 node highlighted: %3', '%2 nodes highlighted: %3', count, integerText(count), what);
export const upstream = () => trans.__('upstream');
export const downstream = () => trans.__('downstream');
export const pathSteps = (steps: number) =>
  trans._n('shortest path, %1 edge', 'shortest path, %1 edges', steps);
export const pinFirst = () =>
  trans.__('Pin one node and select another, then press W to highlight the path between them.');
export const noPath = () => trans.__('No path connects these nodes.');
export const affectedBy = (kind: string) => trans.__('affected by specialization (%1)', kind);

// Through warnings and differences.
export const warningNumber = (number: number, warnings: string, name: string) =>
  trans.__('warning %1 of %2: %3', number, warnings, name);
export const differenceNumber = (number: number, differences: string, name: string) =>
  trans.__('difference %1 of %2: %3', number, differences, name);
export const noWarnings = () => trans.__('No warnings.');

// What keys do.
export const helpAlongEdges = () => trans.__('follow edges');
export const helpBeside = () => trans.__('go to the neighboring node');
export const helpPorts = () => trans.__('step through inputs and outputs; Enter goes there');
export const helpFirstLast = () => trans.__('go to the first or last node');
export const helpEnter = () => trans.__('open or close a group; show details');
export const helpParent = () => trans.__('go to the enclosing group');
export const helpExpandCollapse = () => trans.__('expand all; collapse all');
export const helpRepeatedBlocks = () => trans.__('collapse or expand repeated blocks');
export const helpFit = () => trans.__('fit the graph to the view');
export const helpZoom = () => trans.__('zoom');
export const helpBackForward = () => trans.__('go back; go forward');
export const helpSearch = () => trans.__('search');
export const helpEscape = () => trans.__('close the panel, clear search and highlight, deselect');
export const helpDetails = () => trans.__('show or hide details');
export const helpUpstream = () => trans.__('highlight upstream');
export const helpDownstream = () => trans.__('highlight downstream');
export const helpPath = () => trans.__('highlight path from pinned node');
export const helpNextPrevious = () => trans.__('next or previous warning or difference');

// Several recordings.
export const recording = () => trans.__('Recording');
export const recordingHelp = () =>
  trans.__('One of several recordings: its name says what tells it from the others');
export const recordingShown = (label: string) => trans.__('Recording shown: %1', label);

// Documents that cannot be shown.
export const cannotShow = (why: string) => trans.__('This graph cannot be shown: %1.', why);
export const documentDamaged = () => trans.__('the document is damaged');
export const notADocument = () => trans.__('it is not a tracelab document');
export const badVersion = () => trans.__('its version is not a number');
export const newerVersion = (version: string, known: number) =>
  trans.__(
    'it was written by a newer tracelab (document version %1, this viewer reads version %2); update tracelab',
    version,
    known,
  );
export const missing = (name: string) => trans.__('"%1" is missing', name);
export const columnMissing = (column: string) => trans.__('the column "%1" is missing', column);
export const columnTooLong = (column: string) => trans.__('the column "%1" is too long', column);
export const notText = (name: string) => trans.__('"%1" is not a string', name);
export const outOfRange = (column: string) => trans.__('the column "%1" has an index out of range', column);
export const unequalColumns = (table: string) =>
  trans.__('the columns of "%1" have different lengths', table);
export const notATree = (column: string) => trans.__('the column "%1" is not a tree', column);
export const notOneRoot = (column: string) =>
  trans.__('the column "%1" does not have exactly one root', column);
export const wrongEntry = (column: string) =>
  trans.__('the column "%1" has an entry of the wrong length', column);
export const wrongKind = (column: string) =>
  trans.__('the column "%1" has an entry that is neither a number nor text', column);
export const notLists = (column: string) => trans.__('the column "%1" is not a list', column);
export const otherLength = (column: string) => trans.__('the column "%1" has the wrong length', column);
export const noRoot = () => trans.__('it has no root scope');
