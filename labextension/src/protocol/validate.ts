// Written by `npm run codegen` from tracelab/protocol/view_document.py.
/** Reading a document that nobody vouches for: it may be cut off, or written by hand to hurt. */

import { anything, index, integer, list, object, oneOf, optionalIndex, parents, range, readAs, record, rows, text, tuple } from './checks';
import { upgrade } from './upgrade';
import { FORMAT, VERSION, type ViewDocument } from './viewdocument';

export { DocumentError } from './checks';

/** Tables whose rows are named by integers, and their columns, of equal length. */
const TABLES = {
  strings: null,
  shapes: null,
  scopes: ['parent', 'name', 'class_name', 'call'],
  nodes: ['kind', 'scope', 'schema', 'source', 'inputs', 'outputs', 'arguments'],
  values: ['name', 'type', 'dtype', 'shape', 'device', 'node', 'role', 'path', 'alias'],
  sources: ['file', 'line', 'end_line', 'column', 'end_column', 'function', 'caller'],
  files: null,
};

const scopeColumns = object(
  {
    parent: parents,
    name: list(optionalIndex('strings')),
    class_name: list(optionalIndex('strings')),
    call: list(integer),
  },
  {
    functions: list(index('scopes')),
    phases: list(index('scopes')),
  },
);

const nodeColumns = object(
  {
    kind: list(index('strings')),
    scope: list(index('scopes')),
    schema: list(optionalIndex('strings')),
    source: list(optionalIndex('sources')),
    inputs: list(list(index('values'))),
    outputs: list(list(index('values'))),
    arguments: list(list(tuple(index('strings'), index('strings')))),
  },
  {
    failed: optionalIndex('nodes'),
    opaque: list(index('nodes')),
    sizes: list(tuple(index('nodes'), index('strings'))),
    unused: list(index('nodes')),
    constants: list(index('nodes')),
    markers: list(tuple(index('nodes'), optionalIndex('nodes'))),
    identities: list(tuple(index('nodes'), index('nodes'))),
    backward: list(index('nodes')),
  },
);

const valueColumns = object(
  {
    name: list(index('strings')),
    type: list(index('strings')),
    dtype: list(optionalIndex('strings')),
    shape: list(optionalIndex('shapes')),
    device: list(optionalIndex('strings')),
    node: list(optionalIndex('nodes')),
    role: list(range(5)),
    path: list(optionalIndex('strings')),
    alias: list(optionalIndex('values')),
  },
  {
    strides: list(tuple(index('values'), optionalIndex('shapes'))),
    sizes: list(tuple(index('values'), list(index('strings')))),
  },
);

const sourceColumns = object(
  {
    file: list(optionalIndex('files')),
    line: list(integer),
    end_line: list(integer),
    column: list(integer),
    end_column: list(integer),
    function: list(optionalIndex('strings')),
    caller: list(optionalIndex('sources')),
  },
);

const sourceFile = object(
  {
    name: text,
    lines: record(text),
  },
);

const quickFix = object(
  {
    line: integer,
    column: integer,
    end_line: integer,
    end_column: integer,
    text: text,
    reason: text,
  },
);

const traceDiagnostic = object(
  {
    kind: text,
    message: text,
    node: optionalIndex('nodes'),
    source: optionalIndex('sources'),
    constant: text,
    affects: list(index('values')),
  },
  {
    verdict: text,
    fix: quickFix,
  },
);

const summary = object(
  {
    ops: integer,
    parameters: integer,
    parameter_bytes: integer,
    warnings: integer,
  },
);

const diffNodes = object(
  {
    status: rows('nodes', list(range(4))),
    changes: list(tuple(index('nodes'), list(tuple(index('strings'), index('strings'), index('strings'))))),
    follows: list(index('nodes')),
    order: rows('nodes', list(optionalIndex('nodes'))),
    inputs: list(tuple(index('nodes'), list(index('values')))),
  },
);

const diffScopes = object(
  {
    status: rows('scopes', list(range(4))),
    was: rows('scopes', list(optionalIndex('strings'))),
    former: list(tuple(index('scopes'), index('strings'), index('strings'))),
    differences: rows('scopes', list(integer)),
  },
);

const diffValues = object(
  {
    status: list(tuple(index('values'), range(4))),
    changes: list(tuple(index('values'), list(tuple(index('strings'), index('strings'), index('strings'))))),
  },
);

const diffSection = object(
  {
    before: text,
    after: text,
    headline: text,
    nodes: diffNodes,
    scopes: diffScopes,
    values: diffValues,
    outputs: list(index('values')),
  },
);

const overlay = object(
  {
    name: text,
    values: rows('nodes', list(oneOf('null', 'number', 'string'))),
  },
);

const traceCase = object(
  {
    label: text,
  },
  {
    document: anything,
  },
);

const viewDocument = object(
  {
    format: text,
    version: integer,
    name: text,
    torch: text,
    strings: list(text),
    shapes: list(list(integer)),
    scopes: scopeColumns,
    nodes: nodeColumns,
    values: valueColumns,
    inputs: list(index('values')),
    outputs: list(index('values')),
    sources: sourceColumns,
    files: list(sourceFile),
    warnings: list(traceDiagnostic),
    summary: summary,
  },
  {
    output_names: list(optionalIndex('strings')),
    diff: diffSection,
    overlays: list(overlay),
    cases: list(traceCase),
  },
);

/**
 * Returns the document with its type, or throws a `DocumentError` whose message is one sentence.
 * Every index of what it returns is in range, so that the rest of the code need not look again.
 */
export function readDocument(raw: unknown): ViewDocument {
  return readAs<ViewDocument>(raw, { format: FORMAT, version: VERSION, upgrade }, TABLES, viewDocument);
}
