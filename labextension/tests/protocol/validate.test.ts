import { describe, expect, it } from 'vitest';
import { Role, type ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentError, readDocument } from '../../src/protocol/validate';
import difference from '../fixtures/difference.json';
import { gpt, mlp, resnet18 } from '../fixtures/models';

/** A good document, spoilt. */
function spoilt(change: (document: ViewDocument & Record<string, unknown>) => void): () => unknown {
  const document = JSON.parse(JSON.stringify(mlp()));
  change(document);
  return () => readDocument(document);
}

describe('readDocument', () => {
  it.each([
    ['mlp', mlp],
    ['resnet18', resnet18],
    ['gpt', gpt],
  ])('accepts %s', (_, make) => {
    expect(readDocument(make()).format).toBe('tracelab.view');
  });

  it('accepts a constant among the values', () => {
    const accepted = spoilt((document) => (document.values.role[0] = Role.Constant))() as ViewDocument;
    expect(accepted.values.role[0]).toBe(4);
  });

  it('refuses a role that there is not', () => {
    expect(spoilt((document) => (document.values.role[0] = 5))).toThrow('values.role');
  });

  it.each([null, undefined, 1, 'x', [], {}])('refuses %j', (raw) => {
    expect(() => readDocument(raw)).toThrow('This graph cannot be shown: it is not a tracelab document.');
  });

  it('asks to update for a newer version', () => {
    expect(spoilt((document) => (document.version = 3))).toThrow(/newer tracelab \(document version 3/);
  });

  it('refuses a missing column', () => {
    expect(spoilt((document) => delete (document.values as Partial<ViewDocument['values']>).dtype)).toThrow(
      'the column "values.dtype" is missing',
    );
  });

  it('refuses columns of different lengths', () => {
    expect(spoilt((document) => document.nodes.scope.pop())).toThrow('have different lengths');
  });

  it('refuses an index out of range', () => {
    expect(spoilt((document) => (document.nodes.kind[0] = 1e6))).toThrow(
      '"nodes.kind" has an index out of range',
    );
  });

  it('refuses an index that is no integer', () => {
    expect(spoilt((document) => (document.nodes.kind[0] = 0.5))).toThrow(DocumentError);
  });

  it('refuses scopes that form a ring', () => {
    expect(spoilt((document) => (document.scopes.parent[1] = 2))).toThrow('is not a tree');
  });

  it('refuses a source line that is no string', () => {
    expect(spoilt((document) => (document.files[0].lines['1'] = {} as string))).toThrow('is not a string');
  });

  it('refuses a warning that points nowhere', () => {
    expect(spoilt((document) => (document.warnings[0].affects = [9999]))).toThrow('warnings.affects');
  });

  it('refuses a diff with other rows than nodes', () => {
    const { diff } = difference as unknown as { diff: NonNullable<ViewDocument['diff']> };
    const bad = { ...structuredClone(difference), diff: { ...diff, nodes: { ...diff.nodes, status: [0] } } };
    expect(() => readDocument(bad)).toThrow('the column "diff.nodes.status" has the wrong length');
  });

  it('refuses an argument of three parts', () => {
    expect(spoilt((document) => document.nodes.arguments[0].push([0, 0, 0] as never))).toThrow(
      '"nodes.arguments" has an entry of the wrong length',
    );
  });

  it('refuses an overlay of something else than numbers', () => {
    const values = (document: ViewDocument): unknown[] => document.nodes.kind.map(() => ({}));
    expect(
      spoilt((document) => (document.overlays = [{ name: 'error', values: values(document) as never }])),
    ).toThrow('"overlays.values" has an entry that is neither a number nor text');
  });

  it('refuses a document without scopes', () => {
    expect(
      spoilt((document) => (document.scopes = { parent: [], name: [], class_name: [], call: [] })),
    ).toThrow('it has no root scope');
  });

  it('says one sentence', () => {
    expect(spoilt((document) => (document.strings = null as unknown as string[]))).toThrow(
      /^This graph cannot be shown: [^.]*("strings")[^.]*\.$/,
    );
  });
});

describe('a document of version 1', () => {
  /** The document as version 1 wrote it. */
  function older(document: ViewDocument): Record<string, unknown> {
    const { class_name, ...scopes } = document.scopes;
    return {
      ...document,
      version: 1,
      scopes: { ...scopes, class: class_name },
      warnings: document.warnings.map(({ constant, affects, verdict, fix, ...rest }) => ({
        ...rest,
        value: constant,
        taints: affects,
        ...(verdict === undefined ? {} : { answer: verdict }),
        ...(fix === undefined ? {} : { mend: fix }),
      })),
    };
  }

  it.each([
    ['mlp', mlp],
    ['resnet18', resnet18],
  ])('is read as the same document of this version: %s', (_, make) => {
    const document = make();
    Object.assign(document.warnings[0], {
      verdict: 'wrong for x negated',
      fix: { line: 1, column: 0, end_line: 1, end_column: 1, text: 'y', reason: 'It may.' },
    });
    expect(readDocument(older(document))).toEqual(document);
  });

  it.each([null, 3, [], 'x'])('with %j for its scopes and warnings is refused', (bad) => {
    expect(() => readDocument({ ...mlp(), version: 1, scopes: bad })).toThrow(DocumentError);
    expect(() => readDocument({ ...mlp(), version: 1, warnings: [bad] })).toThrow(DocumentError);
  });
});
