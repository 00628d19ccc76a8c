/** The document of a page: as it stands, or, where it is large, packed into a text; see `tracelab.render.packed`. */

type Numbers = (number | Numbers)[];

/** Numbers that stand as differences from the one before become themselves, in a list and in the lists in it. */
function sum(list: Numbers): void {
  let last = 0;
  const walk = (items: Numbers): void =>
    items.forEach((item, at) => {
      if (typeof item === 'number') {
        items[at] = last += item;
      } else {
        walk(item);
      }
    });
  walk(list);
}

interface Packed {
  document: Record<string, Record<string, Numbers>>;
  differences: [string, string][];
}

/** What a data block holds; null where it is no JSON, or cannot be unpacked. */
export async function unpacked(text: string): Promise<unknown> {
  try {
    const found: unknown = JSON.parse(text);
    if (typeof found !== 'string') {
      return found;
    }
    const bytes = Uint8Array.from(atob(found), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    const { document, differences } = (await new Response(stream).json()) as Packed;
    differences.forEach(([table, column]) => sum(document[table][column]));
    return document;
  } catch {
    return null;
  }
}
