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
export const repeatedBlocks = (count: number, ops: string) =>
  trans.__('%1 equal blocks, %2 each', count, ops);
export const scalar = () => trans.__('scalar');
export const values = (count: number) => trans.__('%1 values', count);
export const openGroup = () => trans.__('open group');
export const closedGroup = () => trans.__('closed group');
export const operator = () => trans.__('operator');
export const graphInput = () => trans.__('graph input');
export const graphOutput = () => trans.__('graph output');
export const failed = () => trans.__('failed');
export const affectedByWarning = () => trans.__('affected by a warning');
export const warnings = (count: number) => trans._n('%2 warning', '%2 warnings', count, integerText(count));
export const differences = (count: number) =>
  trans._n('%2 difference', '%2 differences', count, integerText(count));
export const elements = (count: number) => trans._n('%2 element', '%2 elements', count, integerText(count));

// What became of an element between two graphs.
export const same = () => trans.__('the same');
export const added = () => trans.__('added');
export const removed = () => trans.__('removed');
export const changed = () => trans.__('changed');
export const readsFromAnother = () => trans.__('Reads from another');
export const onlyInSecond = () => trans.__('Only the second graph has it.');
export const onlyInFirst = () => trans.__('Only the first graph has it.');
export const changedInside = () => trans.__('Something in it is different.');

// Details of an element: names, and what stands beside them.
export const kind = () => trans.__('kind');
export const module = () => trans.__('module');
export const classLabel = () => trans.__('class');
export const path = () => trans.__('path');
export const folded = () => trans.__('folded');
export const operators = () => trans.__('operators');
export const parameters = () => trans.__('parameters');
export const warningsName = () => trans.__('warnings');
export const memory = () => trans.__('in memory');
export const torch = () => trans.__('torch');
export const value = () => trans.__('value');
export const role = () => trans.__('role');
export const type = () => trans.__('type');
export const source = () => trans.__('source');
export const usedBy = () => trans.__('used');
export const madeBy = () => trans.__('made');
export const input = (value: string) => trans.__('takes %1', value);
export const output = (value: string) => trans.__('gives %1', value);
export const numberedInput = (number: number) => trans.__('takes %1', number);
export const numberedOutput = (number: number) => trans.__('gives %1', number);
export const warningOf = (kind: string) => trans.__('warning %1', kind);
export const bytes = (count: number) => trans._n('%2 byte', '%2 bytes', count, integerText(count));
export const strides = (strides: string) => trans.__('strides [%1]', strides);
export const noStrides = () => trans.__('no strides');
export const fromMaker = (maker: string) => trans.__('from %1', maker);
export const parameter = (path: string) => trans.__('parameter %1', path).trim();
export const buffer = (path: string) => trans.__('buffer %1', path).trim();
export const constant = (path: string) => trans.__('constant %1', path).trim();
export const notUsed = () => trans.__('not used');
export const toUser = (user: string) => trans.__('to %1', user);
export const toUsers = (user: string, more: number) => trans.__('to %1 and %2 more', user, more);
export const takes = (name: string, type: string, origin: string) =>
  trans.__('takes %1: %2, %3', name, type, origin);
export const gives = (name: string, type: string, users: string) =>
  trans.__('gives %1: %2, %3', name, type, users);
export const from = () => trans.__('from');
export const to = () => trans.__('to');
export const at = () => trans.__('at');
export const andMore = (count: number) => trans.__('and %1 more', count);
export const goTo = (what: string) => trans.__('Go to %1', what);
export const sharesStorage = (value: string) => trans.__('shares storage with %1', value);
export const tensors = (count: number) => trans._n('%2 tensor', '%2 tensors', count, integerText(count));
export const elementCount = (count: number) => trans.__('%1 elements', integerText(count));
export const isBuffer = () => trans.__('buffer');
export const frozenAs = (value: string) => trans.__('frozen as %1', value);
export const check = (verdict: string) => trans.__('check: %1', verdict);
export const affectsOutputs = (count: number, names: string) =>
  trans._n('affects %2 output: %3', 'affects %2 outputs: %3', count, integerText(count), names);
export const highlightAffected = () => trans.__('Light what it affects');
export const operatorFailed = () => trans.__('This operator raised an error.');
export const callFailedAt = () => trans.__('The call failed at');
export const calledFrom = (count: number) => trans._n('Called from %1 place', 'Called from %1 places', count);
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
export const emptyGraph = () => trans.__('Nothing was recorded: this graph has no operators.');
export const clickToZoom = () => trans.__('Click the graph, then turn the wheel to zoom');
export const opened = (ops: string) => trans.__('opened, %1', ops);
export const closed = (ops: string) => trans.__('closed, %1', ops);
export const pinned = (elements: string) => trans.__('pinned, %1 pinned', elements);
export const unpinned = (elements: string) => trans.__('let go, %1 pinned', elements);
export const copied = () => trans.__('Copied');
export const selectOperatorFirst = () => trans.__('Select an operator first');
export const partNotLoaded = (error: string) =>
  trans.__('This page kept a part of the explorer from loading: %1', error);

// Buttons, with their keys.
export const back = () => trans.__('Back ([)');
export const forward = () => trans.__('Forward (])');
export const zoomOut = () => trans.__('Zoom out');
export const zoomIn = () => trans.__('Zoom in');
export const fit = () => trans.__('Fit (f)');
export const expandAll = () => trans.__('Expand all (e)');
export const collapseAll = () => trans.__('Collapse all (c)');
export const toggleRepeatedBlocks = () => trans.__('Fold or unfold equal blocks (x)');
export const toggleDetails = () => trans.__('Details (i)');
export const showWarnings = () => trans.__('Show warnings');
export const showWarningCount = (warnings: string) => trans.__('Show %1', warnings);

// Repeated blocks.
export const collapseBlocks = () => trans.__('Fold equal blocks');
export const expandBlocks = () => trans.__('Unfold equal blocks');
export const blocksCollapsed = (count: number) =>
  trans._n('folded %1 row of equal blocks', 'folded %1 rows of equal blocks', count);
export const blocksExpanded = (count: number) =>
  trans._n('unfolded %1 row of equal blocks', 'unfolded %1 rows of equal blocks', count);
export const noRepeatedBlocks = () => trans.__('No four equal blocks stand in a row here.');

// Search.
export const search = () => trans.__('Search  /');
export const searchLabel = () => trans.__('Search operators, modules, shapes, source');
export const matches = () => trans.__('Matches');
export const noMatch = () => trans.__('No match');
export const found = (count: number) => trans.__('%1 found', count);
export const exampleOperator = () => trans.__('operators by kind');
export const exampleModule = () => trans.__('inside a module');
export const exampleShape = () => trans.__('results with that extent; 64x56 for two');
export const exampleSource = () => trans.__('source text; line:12 for a line');
export const exampleName = () => trans.__('values by name; dtype: and device: too');
export const exampleWarning = () => trans.__('with a tracing warning');
export const exampleNot = () => trans.__('all that is not so; words may be combined');

// Highlight.
export const highlightUpstream = () => trans.__('Light what it depends on');
export const highlightDownstream = () => trans.__('Light what depends on it');
export const highlightPath = () => trans.__('Light the way from the pinned');
export const clearHighlight = () => trans.__('Show all');
export const highlightCleared = () => trans.__('all shown alike');
export const highlighted = (count: number, what: string) =>
  trans._n('%2 element lit: %3', '%2 elements lit: %3', count, integerText(count), what);
export const upstream = () => trans.__('what it depends on');
export const downstream = () => trans.__('what depends on it');
export const pathSteps = (steps: number) =>
  trans._n('the shortest way between the two, %1 step', 'the shortest way between the two, %1 steps', steps);
export const pinFirst = () =>
  trans.__('Pin one element and select another: then w lights the way between them');
export const noPath = () => trans.__('No data flows between the two');
export const affectedBy = (kind: string) => trans.__('what the frozen %1 affects', kind);

// Through warnings and differences.
export const warningNumber = (number: number, warnings: string, name: string) =>
  trans.__('warning %1 of %2: %3', number, warnings, name);
export const differenceNumber = (number: number, differences: string, name: string) =>
  trans.__('difference %1 of %2: %3', number, differences, name);
export const noWarnings = () => trans.__('No warnings');

// What keys do.
export const helpAlongEdges = () => trans.__('along the edges');
export const helpBeside = () => trans.__('to the box beside');
export const helpPorts = () => trans.__('through what it takes and gives; Enter goes there');
export const helpFirstLast = () => trans.__('to the first box, the last');
export const helpEnter = () => trans.__('open or close a group, show details');
export const helpParent = () => trans.__('to the surrounding group');
export const helpExpandCollapse = () => trans.__('expand all, collapse all');
export const helpRepeatedBlocks = () => trans.__('fold or unfold equal blocks');
export const helpFit = () => trans.__('fit the graph into view');
export const helpZoom = () => trans.__('zoom');
export const helpBackForward = () => trans.__('back, forward');
export const helpSearch = () => trans.__('search');
export const helpEscape = () => trans.__('close the panel, end the search, unlight, deselect');
export const helpDetails = () => trans.__('show or hide details');
export const helpUpstream = () => trans.__('light what it depends on');
export const helpDownstream = () => trans.__('light what depends on it');
export const helpPath = () => trans.__('light the way from the pinned element');
export const helpNextPrevious = () => trans.__('next, previous warning or difference');

// Documents that cannot be shown.
export const cannotShow = (why: string) => trans.__('This graph cannot be shown: %1.', why);
export const documentDamaged = () => trans.__('the document is damaged');
export const notADocument = () => trans.__('it is not a tracelab document');
export const badVersion = () => trans.__('its version is not a number');
export const newerVersion = (version: string, known: number) =>
  trans.__(
    'it was written by a newer tracelab (document version %1, this viewer reads version %2); please update tracelab',
    version,
    known,
  );
export const missing = (name: string) => trans.__('"%1" is missing', name);
export const columnMissing = (column: string) => trans.__('the column "%1" is missing', column);
export const columnTooLong = (column: string) => trans.__('the column "%1" is too long', column);
export const notText = (name: string) => trans.__('"%1" is not text', name);
export const outOfRange = (column: string) => trans.__('the column "%1" points outside the document', column);
export const unequalColumns = (table: string) => trans.__('the columns of "%1" are of unequal length', table);
export const notATree = (column: string) => trans.__('the column "%1" is not a tree', column);
export const notOneRoot = (column: string) => trans.__('the column "%1" has not exactly one root', column);
export const notPairs = (column: string) => trans.__('the column "%1" does not hold pairs', column);
export const notLists = (column: string) => trans.__('the column "%1" does not hold lists', column);
export const otherLength = (column: string) => trans.__('the column "%1" is of another length', column);
export const badChange = () => trans.__('a change is not made of three texts');
export const badOverlay = () => trans.__('an overlay holds something that is no number');
export const badShape = () => trans.__('a shape is not a list');
export const badArgument = () => trans.__('an argument is not a pair');
export const noRoot = () => trans.__('it has no root scope');
