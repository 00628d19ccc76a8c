// The floors of the front end. A module imports from its own folder and from the rows above it, types included; what
// stands in one row does not know each other.
const FLOORS = [
  ['src/i18n'],
  ['src/protocol'],
  ['src/model', 'src/layout'],
  ['src/explorer'],
  ['src/page.ts'],
  ['src/widget.ts'],
  ['src/lab'],
];

const EXPLORER = [
  ['src/explorer/ui'],
  ['src/explorer/canvas'],
  ['src/explorer/core'],
  ['src/explorer/panels'],
  ['src/explorer/features', 'src/explorer/run', 'src/explorer/diff'],
  ['src/explorer/[^/]+.ts'],
];

const LAB = [
  ['src/lab/shell.ts', 'src/lab/celltrace.ts'],
  ['src/lab/renderer', 'src/lab/quickfix', 'src/lab/files'],
  ['src/lab/hints', 'src/lab/traces'],
  ['src/lab/index.ts'],
];

/** A folder, or a file, as a pattern. */
const pattern = (place) => `^${place.replace(/\.ts$/, '[.]ts')}${place.endsWith('.ts') ? '$' : '/'}`;

function floors(rows) {
  return rows.flatMap((row, at) =>
    row.map((place) => ({
      name: `${place} imports only from lower floors`,
      severity: 'error',
      from: { path: pattern(place) },
      to: { path: [...row.filter((other) => other !== place), ...rows.slice(at + 1).flat()].map(pattern) },
    })),
  );
}

const rules = [...floors(FLOORS), ...floors(EXPLORER), ...floors(LAB)];

export default {
  forbidden: [
    {
      name: 'no cycle, also of types',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    // The topmost file of a folder has nothing above it.
    ...rules.filter(({ to }) => to.path.length > 0),
    {
      name: 'only the plugins know JupyterLab',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/lab/' },
      to: { path: 'node_modules/@(jupyterlab|lumino|codemirror)/' },
    },
    {
      name: 'the layout stands alone: its text is a worker',
      severity: 'error',
      from: { path: '^src/layout/' },
      to: { pathNot: '^src/(layout|generated)/' },
    },
    {
      name: 'every import is found',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
