import { describe, expect, it } from 'vitest';
import { accessibleName, compact, labelOf, valueSummary } from '../../src/model/describe';
import {
  buildHierarchy,
  groupElement,
  inputElement,
  outputElement,
  type Hierarchy,
} from '../../src/model/hierarchy';
import {
  closeScope,
  allScopes,
  defaultOpened,
  openScope,
  openAncestors,
  validScopes,
} from '../../src/model/openstate';
import { buildIndex, search } from '../../src/model/search';
import { visibleIndexOf, visibleFor } from '../../src/model/visible';
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
  it('opens a small graph whole', () => {
    const h = buildHierarchy(mlp());
    expect(defaultOpened(h)).toEqual(allScopes(h));
  });

  it('leaves the groups of a large graph closed', () => {
    expect(defaultOpened(buildHierarchy(resnet18())).size).toBe(0);
  });

  it('opens the one group that holds the model', () => {
    const h = buildHierarchy(gpt());
    expect(defaultOpened(h)).toEqual(new Set([scopeAt(h, 'transformer')]));
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
    expect(valueSummary(document, mean)).toBe('scalar');
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
