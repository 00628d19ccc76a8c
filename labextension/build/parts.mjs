// The widget's two parts. `first` is a module: all that shows a picture. `later` is the text of one function that takes
// what it needs of the first part and returns what `src/explorer/later.ts` exports. A Blob has no address from which
// another part could be imported by name, and a saved page must be one script: so the parts are joined by text.
//
// The first part asks for the second by `TRACELAB.later()` and for the script of a page by `TRACELAB.page()`; what
// stands before it, written by `composed`, gives both.
import { relative } from 'node:path';
import { build } from 'esbuild';

const SHARED = 'shared:';

/** What stands in the place of `src/explorer/parts.ts`. */
const reaching = (part) =>
  `export const later = () => ${part}; export const pageText = () => TRACELAB.page();`;

const oneText = async (options) => (await build(options)).outputFiles[0].text;

/** Builds both; `joint` is the module by which the first part reaches for the second. */
export async function bundleParts({ entry, later, joint, settings, plugins }) {
  const without = {
    name: 'without-later',
    setup({ onLoad }) {
      onLoad({ filter: /parts\.ts$/ }, ({ path }) =>
        path === joint ? { contents: reaching('TRACELAB.later()') } : undefined,
      );
    },
  };
  const { metafile } = await build({
    ...settings,
    entryPoints: [entry],
    plugins: [without, ...plugins],
    metafile: true,
  });
  const inFirst = new Set(Object.keys(metafile.inputs));

  // Each module has its place in one part; what the second part takes from the first stays an import for a moment.
  const fromFirst = {
    name: 'from-first',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^\./ }, async ({ path, pluginData, ...rest }) => {
        if (pluginData === SHARED) {
          return undefined;
        }
        const found = await resolve(path, { ...rest, pluginData: SHARED });
        return inFirst.has(relative(process.cwd(), found.path).replaceAll('\\', '/'))
          ? { path: SHARED + found.path, external: true }
          : found;
      });
    },
  };
  const text = await oneText({ ...settings, entryPoints: [later], plugins: [fromFirst, ...plugins] });
  const taken = [];
  const alone = text.replace(/import\{([^}]*)\}from"shared:([^"]*)";/g, (_, names, path) => {
    for (const each of names.split(',')) {
      const [name, local = name] = each.split(' as ');
      taken.push({ name, local, path });
    }
    return '';
  });
  const [, body, exported] = /^(.*)export\{(.*?)\};?\s*$/s.exec(alone);
  if (body.includes(SHARED)) {
    throw new Error('the second part imports something in a way that build/parts.mjs does not know');
  }
  const returned = exported.split(',').map((each) => each.split(' as ').reverse().join(':'));

  const given = {
    name: 'given-to-later',
    setup({ onLoad }) {
      onLoad({ filter: /parts\.ts$/ }, ({ path }) =>
        path === joint
          ? {
              contents: [
                ...taken.map(
                  ({ name, path: from }, at) => `import { ${name} as t${at} } from ${JSON.stringify(from)};`,
                ),
                // A list that is made when it is asked for: modules may import each other in a circle.
                reaching(`TRACELAB.later().then((part) => part([${taken.map((_, at) => `t${at}`)}]))`),
              ].join('\n'),
            }
          : undefined,
      );
    },
  };
  return {
    first: await oneText({ ...settings, entryPoints: [entry], plugins: [given, ...plugins] }),
    later: `([${taken.map(({ local }) => local)}])=>{${body}return{${returned.join(',')}}}`,
  };
}

/** The arguments of `new Blob` that make a script of the parts, which the packed module holds in variables. */
export function composed(what, ...names) {
  const quoted = JSON.stringify;
  switch (what) {
    case 'later':
      return `${quoted('export default ')},${names[0]}`;
    case 'page': {
      const [first, later] = names;
      return [quoted('const TRACELAB={later:async()=>'), later, quoted('};'), first].join();
    }
    default: {
      const [addresses, first] = names;
      const start =
        'const TRACELAB={later:async()=>(await import(a)).default,page:async()=>(await fetch(b)).text()};';
      return [quoted('const[a,b]='), addresses, quoted(`;${start}`), first].join();
    }
  }
}
