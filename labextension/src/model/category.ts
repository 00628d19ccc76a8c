/** Families of operators: a stripe of color that lets the eye find the heavy ones. */

export type Category = 'compute' | 'norm' | 'activation' | 'pool' | 'shape' | 'region' | 'other';

const FAMILIES: [Category, RegExp][] = [
  ['region', /^(PythonOp|CallFunction|CallMethod|HigherOrder)$/],
  [
    'compute',
    /(linear|matmul|conv|addmm|^mm$|bmm|einsum|attention|embedding|lstm|gru|rnn|bilinear|^dot$|^mv$|baddbmm)/,
  ],
  ['norm', /(norm|dropout)/],
  [
    'activation',
    /(relu|gelu|silu|sigmoid|tanh|softmax|softplus|mish|hardswish|hardtanh|elu|swish|logsigmoid|glu)/,
  ],
  [
    'pool',
    /(pool|interpolate|upsample|^(sum|mean|max|min|amax|amin|argmax|argmin|std|var|logsumexp|cumsum)$)/,
  ],
  [
    'shape',
    /(view|reshape|permute|transpose|^t$|expand|slice|select|squeeze|flatten|cat|stack|chunk|split|contiguous|narrow|gather|index|size|unbind|repeat|pad|getitem|clone|movedim|^to$|roll)/,
  ],
];

const known = new Map<string, Category>();

export function categoryOf(kind: string): Category {
  let category = known.get(kind);
  if (category === undefined) {
    category = FAMILIES.find(([, pattern]) => pattern.test(kind))?.[0] ?? 'other';
    known.set(kind, category);
  }
  return category;
}
