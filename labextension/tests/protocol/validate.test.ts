import { describe, expect, it } from 'vitest';
import { Role, type ViewDocument } from '../../src/protocol/document';
import { DocumentError, readDocument } from '../../src/protocol/validate';
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
    expect(spoilt((document) => (document.version = 2))).toThrow(/newer tracelab \(document version 2/);
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
    expect(spoilt((document) => (document.warnings[0].taints = [9999]))).toThrow('warnings.taints');
  });

  it('says one sentence', () => {
    expect(spoilt((document) => (document.strings = null as unknown as string[]))).toThrow(
      /^This graph cannot be shown: [^.]*("strings")[^.]*\.$/,
    );
  });
});
