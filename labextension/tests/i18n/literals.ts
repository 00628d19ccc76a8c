/** Texts in the source that people would read, and that no table of `src/i18n` and no `trans` call holds. */

import ts from 'typescript';

/** What is shown, or read out, of an element, a command, a dialog or a setting. */
const SHOWN = new Set([
  'alt',
  'aria-description',
  'aria-label',
  'aria-roledescription',
  'aria-valuetext',
  'ariaLabel',
  'body',
  'caption',
  'displayName',
  'innerText',
  'label',
  'okLabel',
  'placeholder',
  'text',
  'textContent',
  'title',
]);

/** Functions that show what they are given. */
const SHOWING = new Set([
  'button',
  'createTextNode',
  'DocumentError',
  'error',
  'fail',
  'highlight',
  'info',
  'light',
  'message',
  'notify',
  'option',
  'replaceChildren',
  'say',
  'setStatus',
  'section',
  'showMessage',
  'success',
  'tell',
  'warning',
]);

/** Colors are no texts. */
const isWritten = (text: string): boolean => /\p{L}{2}/u.test(text) && !text.startsWith('#');

/** The literals of which a value is made; what functions return is their own matter. */
function literalsIn(node: ts.Expression): ts.Node[] {
  if (ts.isStringLiteralLike(node)) {
    return isWritten(node.text) ? [node] : [];
  }
  if (ts.isTemplateExpression(node)) {
    const own = [node.head, ...node.templateSpans.map(({ literal }) => literal)];
    return [
      ...(own.some(({ text }) => isWritten(text)) ? [node] : []),
      ...node.templateSpans.flatMap(({ expression }) => literalsIn(expression)),
    ];
  }
  if (ts.isConditionalExpression(node)) {
    return [...literalsIn(node.whenTrue), ...literalsIn(node.whenFalse)];
  }
  if (ts.isBinaryExpression(node)) {
    return [...literalsIn(node.left), ...literalsIn(node.right)];
  }
  if (ts.isArrayLiteralExpression(node)) {
    return node.elements.flatMap(literalsIn);
  }
  if (ts.isParenthesizedExpression(node) || ts.isAsExpression(node) || ts.isNonNullExpression(node)) {
    return literalsIn(node.expression);
  }
  if (ts.isArrowFunction(node) && !ts.isBlock(node.body)) {
    return literalsIn(node.body);
  }
  return [];
}

const nameOf = (node: ts.Node): string =>
  ts.isPropertyAccessExpression(node) ? node.name.text : ts.isIdentifier(node) ? node.text : '';

function shownBy(node: ts.Node): ts.Node[] {
  if (ts.isPropertyAssignment(node) && (ts.isIdentifier(node.name) || ts.isStringLiteral(node.name))) {
    const name = node.name.text;
    if (name === 'help' && ts.isArrayLiteralExpression(node.initializer)) {
      // The keys as they are printed on a keyboard, and what they do.
      return node.initializer.elements.slice(1).flatMap(literalsIn);
    }
    return SHOWN.has(name) ? literalsIn(node.initializer) : [];
  }
  if (
    ts.isBinaryExpression(node) &&
    node.operatorToken.kind === ts.SyntaxKind.EqualsToken &&
    SHOWN.has(nameOf(node.left))
  ) {
    return literalsIn(node.right);
  }
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) {
    const name = nameOf(node.expression);
    const given = node.arguments ?? [];
    if (name === 'setAttribute') {
      const [attribute, value] = given;
      return ts.isStringLiteral(attribute) && SHOWN.has(attribute.text) ? literalsIn(value) : [];
    }
    return SHOWING.has(name) ? given.flatMap(literalsIn) : [];
  }
  return [];
}

/** `line: text` for each text that is shown as it stands in the source. */
export function shownLiterals(source: string): string[] {
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    for (const literal of shownBy(node)) {
      const { line } = file.getLineAndCharacterOfPosition(literal.getStart());
      found.push(`${line + 1}: ${literal.getText()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}
