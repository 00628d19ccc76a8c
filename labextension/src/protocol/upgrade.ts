/** Documents of older versions, which notebooks and files hold, in the form of this version. */

type Json = Record<string, unknown>;

/** What version 2 calls the fields of version 1. */
const WARNING = { value: 'constant', taints: 'affects', answer: 'verdict', mend: 'fix' };
const SCOPES = { class: 'class_name' };

/** With other names for some fields; what is no object stays, for the check to refuse. */
function renamed(value: unknown, names: Record<string, string>): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [names[name] ?? name, item]));
}

export function upgrade(document: Json): Json {
  if (document.version !== 1) {
    return document;
  }
  const { warnings } = document;
  return {
    ...document,
    version: 2,
    scopes: renamed(document.scopes, SCOPES),
    warnings: Array.isArray(warnings) ? warnings.map((warning) => renamed(warning, WARNING)) : warnings,
  };
}
