import { describe, expect, it } from 'vitest';
import { accessibleName, compact, labelOf, valueSummary } from '../../src/model/describe';
import {
  buildHierarchy,
  groupElement,
  inputElement,
  outputElement,
  type Hierarchy,
} from '../../src/model/hierarchy';
import { closeScope, allScopes, openScope, openAncestors, validScopes } from '../../src/model/openstate';
import { buildIndex, search } from '../../src/model/search';
import { visibleIndexOf, visibleFor } from '../../src/model/visible';
import { firstPicture } from '../../src/explorer/core/firstpicture';
import { layout } from '../../src/layout/layout';
import { DocumentBuilder } from '../fixtures/builder';
import { gpt, mlp, resnet18 } from '../fixtures/models';

const scopeAt = (h: Hierarchy, path: string): number => h.paths.indexOf(path);
const nothing = new Set<number>();

function names(h: Hierarchy, opened: Set<number>): string[] {
  return visibleFor(h, opened).elements.map((element) => labelOf(h, element).title);
}

describe('hierarchy', () => {
  it('shows a module of one operator as that operator, with the name of the module', () => {
    const h = buildHierarchy(mlp());
    expect(labelOf(h, 0)).toEqual({ title: 'linear', subtitle: 'fc1', detail: '32×256' });
  });

  it('calls an output by its path in the result', () => {
    const document = mlp();
    const path = document.strings.push('past_key_values.0.keys') - 1;
    const last = document.outputs.length - 1;
    const h = buildHierarchy({
      ...document,
      output_names: document.outputs.map((_, index) => (index === last ? path : -1)),
    });
    expect(labelOf(h, outputElement(h, last)).title).toBe('past_key_values.0.keys');
    expect(search(h, buildIndex(h), 'past_key_values')).toEqual([outputElement(h, last)]);
  });

  it('says of an output that it is an input', () => {
    const document = mlp();
    document.outputs.push(document.inputs[0]);
    const h = buildHierarchy(document);
    expect(accessibleName(h, outputElement(h, 1), false)).toBe('x, graph output, 32×784 · is input x');
  });

  it('lists inputs, then the trace, then outputs', () => {
    expect(names(buildHierarchy(mlp()), new Set())).toEqual([
      'x',
      'linear',
      'relu',
      'linear',
      'relu',
      'linear',
      'mean',
      'mul',
      'scaled',
    ]);
  });

  it('does not draw parameters', () => {
    expect(buildHierarchy(mlp()).inputs).toHaveLength(1);
  });

  it('counts operators of nested modules', () => {
    const h = buildHierarchy(resnet18());
    expect(h.opCount[scopeAt(h, 'layer1')]).toBe(14);
  });

  it('counts each parameter once', () => {
    const h = buildHierarchy(resnet18());
    expect(h.parameterCount[0]).toBe(11_689_512);
  });

  it('raises warnings to every group around them', () => {
    const h = buildHierarchy(resnet18());
    expect([h.scopeWarnings[scopeAt(h, 'layer3')], h.scopeWarnings[scopeAt(h, 'layer2')]]).toEqual([1, 0]);
  });

  it('names the second call of a module', () => {
    const document = resnet18();
    document.scopes.call[1] = 1;
    expect(buildHierarchy(document).paths[1]).toBe('conv1#2');
  });
});

describe('opening', () => {
  it('shows a small graph whole at first', () => {
    const h = buildHierarchy(mlp());
    expect(firstPicture(h, layout)).toEqual(allScopes(h));
  });

  it('leaves groups closed at first that would make text too small', () => {
    const h = buildHierarchy(resnet18());
    const opened = [...firstPicture(h, layout)].map((scope) => h.paths[scope]);
    expect(opened).toEqual(['layer1', 'layer2', 'layer3', 'layer4']);
  });

  it('opens the one group that holds the model', () => {
    const h = buildHierarchy(gpt());
    expect(names(h, firstPicture(h, layout))).toEqual([
      ...['input_ids', 'attention_mask', 'transformer', 'size', 'arange', 'embedding', 'embedding'],
      ...['view', 'rsub', 'mul', 'add', 'dropout', '× 12', 'layer_norm', 'linear', 'logits'],
    ]);
  });

  it('opens siblings of one class together, and no small groups', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    const chain = (name: string, className: string, count: number): void =>
      b.module(name, className, () => {
        for (let at = 0; at < count; at++) {
          x = b.op('relu', [x], [1]);
        }
      });
    chain('stem', 'Stem', 2);
    b.module('stages', 'Stages', () => {
      chain('0', 'Stage', 20);
      chain('1', 'Stage', 30);
    });
    b.output(x);
    const h = buildHierarchy(b.document);
    expect(names(h, firstPicture(h, layout))).toEqual(['x', 'stem', 'stages', '0', '1', 'relu']);
  });

  it('never has more than 25 boxes where a more closed picture has fewer', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    b.module('all', 'Wide', () => {
      b.op(
        'sum',
        Array.from({ length: 30 }, () => b.op('relu', [x], [1])),
        [1],
      );
      x = b.op('exp', [x], [1]);
    });
    b.output(x);
    const h = buildHierarchy(b.document);
    expect(names(h, firstPicture(h, layout))).toEqual(['x', 'all', 'exp']);
  });

  it('opens a lone group together with the one around it', () => {
    const b = new DocumentBuilder('f');
    const x = b.input('x', [1]);
    b.module('outer', 'Sequential', () =>
      b.module('inner', 'Sequential', () => [b.op('relu', [x], [1]), b.op('exp', [x], [1])]),
    );
    const h = buildHierarchy(b.document);
    expect(openScope(h, nothing, scopeAt(h, 'outer'))).toEqual(new Set([1, 2]));
  });

  it('closes what a closing group holds', () => {
    const h = buildHierarchy(resnet18());
    const opened = new Set([scopeAt(h, 'layer1'), scopeAt(h, 'layer1.0'), scopeAt(h, 'layer2')]);
    expect(closeScope(h, opened, scopeAt(h, 'layer1'))).toEqual(new Set([scopeAt(h, 'layer2')]));
  });

  it('reveals an operator by opening every group around it', () => {
    const h = buildHierarchy(resnet18());
    const node = h.children[scopeAt(h, 'layer1.0')][0];
    expect(openAncestors(h, nothing, node)).toEqual(new Set([scopeAt(h, 'layer1'), scopeAt(h, 'layer1.0')]));
  });

  it('ignores scopes that do not exist', () => {
    const h = buildHierarchy(resnet18());
    expect(validScopes(h, [-1, 0, 1.5, 1e6, scopeAt(h, 'layer1')])).toEqual(new Set([scopeAt(h, 'layer1')]));
  });
});

describe('visible', () => {
  it('draws one edge for all that flows between two boxes', () => {
    const h = buildHierarchy(resnet18());
    const visible = visibleFor(h, nothing);
    expect(visible.edges).toHaveLength(visible.elements.length - 1);
  });

  it('draws no edge inside a closed group', () => {
    const h = buildHierarchy(resnet18());
    const visible = visibleFor(h, nothing);
    expect(visible.edges.every((edge) => edge.source !== edge.target)).toBe(true);
  });

  it('puts a hidden operator into the closed group around it', () => {
    const h = buildHierarchy(resnet18());
    const visible = visibleFor(h, nothing);
    const node = h.children[scopeAt(h, 'layer1.0')][0];
    expect(visible.elements[visibleIndexOf(h, visible, node)]).toBe(groupElement(h, scopeAt(h, 'layer1')));
  });

  it('lets no edge end on an open group', () => {
    const h = buildHierarchy(gpt());
    const visible = visibleFor(h, allScopes(h));
    expect(
      visible.edges.some((edge) => [edge.source, edge.target].some((at) => visible.kinds[at] === 'open')),
    ).toBe(false);
  });
});

describe('inputs and outputs of one structure', () => {
  const cached = (count: number): Hierarchy => {
    const b = new DocumentBuilder('f');
    const x = b.input('x', [2]);
    const state = ['state.0', 'state.1', 'state.2', 'mask["left"]'].map((name) => b.input(name, [2]));
    const made = b.op('sum', [x, ...state], [2], 'logits');
    b.output(made);
    const names = [-1];
    for (let at = 0; at < count; at++) {
      b.output(b.op('relu', [made], [2]));
      names.push(b.string(`cache.${at}.keys`));
    }
    b.document.output_names = names;
    return buildHierarchy(b.document);
  };
  const labels = (h: Hierarchy, opened = nothing): string[] =>
    visibleFor(h, opened).elements.flatMap((at) =>
      at < h.nodes ? [] : [`${labelOf(h, at).title}, ${labelOf(h, at).detail}`],
    );

  it('are one box from three parts on', () => {
    expect(labels(cached(4))).toEqual([
      'x, 2',
      'state, 3 inputs',
      'mask["left"], 2',
      'logits, 2',
      'cache, 4 outputs',
    ]);
    expect(labels(cached(2)).slice(3)).toEqual(['logits, 2', 'cache.0.keys, 2', 'cache.1.keys, 2']);
  });

  it('stand each by itself once it is open', () => {
    const h = cached(3);
    const { scope } = h.bundles[1];
    expect(labels(h, new Set([scope])).slice(-4)).toEqual([
      'cache, 3 outputs',
      'cache.0.keys, 2',
      'cache.1.keys, 2',
      'cache.2.keys, 2',
    ]);
    expect(openAncestors(h, nothing, outputElement(h, 2))).toEqual(new Set([scope]));
  });

  it('are joined to what makes and what takes them', () => {
    const h = cached(3);
    const visible = visibleFor(h, nothing);
    const titles = visible.edges.map(({ source, target }) =>
      [source, target].map((at) => labelOf(h, visible.elements[at]).title).join(' > '),
    );
    expect(titles).toContain('state > sum');
    expect(titles.filter((title) => title === 'relu > cache')).toHaveLength(3);
  });

  it('have their own name, and say that a warning affects one of them', () => {
    const document = cached(3).document;
    document.warnings.push({
      ...mlp().warnings[0],
      node: -1,
      affects: [document.outputs[2]],
    });
    const h = buildHierarchy(document);
    expect(h.bundles.map(({ scope }) => accessibleName(h, groupElement(h, scope), false))).toEqual([
      'state, closed group, 3 inputs',
      'cache, closed group, 3 outputs, affected by a warning',
    ]);
  });

  it('are found by their name and by that of a part', () => {
    const h = cached(3);
    expect(search(h, buildIndex(h), 'cache.1.keys')).toEqual([outputElement(h, 2)]);
    expect(search(h, buildIndex(h), 'state')).toContain(groupElement(h, h.bundles[0].scope));
  });
});

describe('words', () => {
  it('names a closed group', () => {
    const h = buildHierarchy(resnet18());
    expect(accessibleName(h, groupElement(h, scopeAt(h, 'layer1')), false)).toBe(
      'layer1: Sequential, closed group, 14 ops',
    );
  });

  it('names a failed operator', () => {
    const document = mlp();
    document.nodes.failed = 1;
    expect(accessibleName(buildHierarchy(document), 1, false)).toBe('relu, operator, 32×256, failed');
  });

  it('names inputs and outputs', () => {
    const h = buildHierarchy(mlp());
    expect([inputElement(h, 0), outputElement(h, 0)].map((at) => accessibleName(h, at, false))).toEqual([
      'x, graph input, 32×784',
      'scaled, graph output, 32×10',
    ]);
  });

  it('says which outputs a warning affects', () => {
    const document = mlp();
    document.warnings[0].affects = document.outputs;
    const h = buildHierarchy(document);
    expect(accessibleName(h, outputElement(h, 0), false)).toBe(
      'scaled, graph output, 32×10, affected by a warning',
    );
  });

  it('calls a tensor without dimensions a scalar', () => {
    const document = mlp();
    const mean = document.nodes.outputs[5][0];
    expect(valueSummary(buildHierarchy(document), mean)).toBe('scalar');
  });

  it.each([
    [999, '999'],
    [1000, '1.0K'],
    [11_689_512, '11.7M'],
    [124_000_000, '124M'],
  ])('writes %i as %s', (count, text) => {
    expect(compact(count)).toBe(text);
  });
});

describe('search', () => {
  const h = buildHierarchy(resnet18());
  const index = buildIndex(h);
  const find = (query: string): string[] => search(h, index, query).map((at) => labelOf(h, at).title);

  it('finds operators by kind', () => {
    expect(find('flatten')).toEqual(['flatten']);
  });

  it('finds groups by class, before operators', () => {
    expect(find('basicblock')).toHaveLength(8);
  });

  it('wants every word', () => {
    expect(find('layer4.1 conv2d')).toEqual(['conv2d', 'conv2d']);
  });

  it('finds a shape however it is written', () => {
    expect(find('1x1000')).toEqual(find('[1, 1000]'));
  });

  it('finds parameters by path', () => {
    expect(find('layer1.0.conv1.weight')).toEqual(['conv2d']);
  });

  it('finds the text of warnings', () => {
    expect(find('freezes it')).toEqual(['add_']);
  });

  it('finds the text of source lines', () => {
    const small = buildHierarchy(mlp());
    expect(search(small, buildIndex(small), 'self.fc2(x)')).toEqual([2]);
  });

  it('finds nothing for an empty query', () => {
    expect(find('  ')).toEqual([]);
  });
});
