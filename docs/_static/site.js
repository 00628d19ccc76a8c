// What the theme leaves out for keyboards and screen readers.
document.addEventListener('DOMContentLoaded', () => {
  for (const caption of document.querySelectorAll('.caption[role="heading"]:not([aria-level])')) {
    caption.setAttribute('aria-level', '2');
  }
  // The search page has no heading of its own.
  const main = document.querySelector('article[role="main"], [role="main"]');
  if (main && !document.querySelector('h1')) {
    const heading = document.createElement('h1');
    heading.textContent = 'Search';
    main.prepend(heading);
  }
  // A heading without text is none.
  for (const cell of document.querySelectorAll('th')) {
    if (cell.textContent.trim()) continue;
    const plain = document.createElement('td');
    plain.style.cssText = cell.style.cssText;
    plain.className = cell.className;
    cell.replaceWith(plain);
  }
  // Long paths and names in tables break at their parts.
  for (const code of document.querySelectorAll('td code .pre')) {
    const parts = code.textContent.split(/(?<=[/_.]|::)/);
    if (code.textContent.length > 9) code.replaceChildren(...parts.flatMap((part) => [part, document.createElement('wbr')]));
  }
  document.querySelector('.sidebar-drawer')?.setAttribute('aria-label', 'Pages');
  document.querySelector('.toc-drawer')?.setAttribute('aria-label', 'On this page');
});

// Tables and code that are wider than the page. Narrow screens show a row of such a table as a card, each cell with the
// heading of its column. What is still too wide, and a table of many rows, is scrolled, by keyboard, too.
document.addEventListener('DOMContentLoaded', () => {
  const narrow = matchMedia('(max-width: 40em)');
  const wrappers = [...document.querySelectorAll('.table-wrapper, .output.text_html')];
  const overflows = (element) => element.scrollWidth > element.clientWidth + 1;

  const headingOf = (element) => {
    for (let at = element; at; at = at.parentElement) {
      for (let before = at.previousElementSibling; before; before = before.previousElementSibling) {
        if (/^H[1-6]$/.test(before.tagName)) return before.firstChild?.textContent.trim() ?? '';
      }
    }
    return '';
  };

  const stack = (table) => {
    const headings = [...table.querySelectorAll('thead :is(th, td)')].map((cell) => cell.textContent.trim());
    table.classList.add('stacked');
    // A table that is laid out as blocks is no table any more, unless it says so.
    table.setAttribute('role', 'table');
    table.querySelectorAll('thead, tbody').forEach((part) => part.setAttribute('role', 'rowgroup'));
    for (const row of table.rows) {
      row.setAttribute('role', 'row');
      [...row.cells].forEach((cell, at) => {
        const heads = cell.closest('thead');
        cell.setAttribute('role', heads ? 'columnheader' : 'cell');
        if (!heads) cell.dataset.label = headings[at] ?? '';
      });
    }
  };

  const fit = () => {
    document.querySelectorAll('table.stacked').forEach((table) => table.classList.remove('stacked'));
    for (const wrapper of narrow.matches ? wrappers : []) {
      const table = wrapper.querySelector('table');
      if (table?.tHead && table.rows.length <= 30 && overflows(wrapper)) stack(table);
    }
    const named = new Map();
    for (const element of [...wrappers, ...document.querySelectorAll('pre')]) {
      const wide = overflows(element);
      for (const name of ['tabindex', 'role', 'aria-label']) element.removeAttribute(name);
      if (!wide) continue;
      element.tabIndex = 0;
      if (element.tagName === 'PRE') continue;
      const name = `Table: ${headingOf(element) || document.title}`;
      const count = (named.get(name) ?? 0) + 1;
      named.set(name, count);
      element.setAttribute('role', 'region');
      element.setAttribute('aria-label', count > 1 ? `${name} (${count})` : name);
    }
  };
  fit();
  // Fonts and frames change widths.
  addEventListener('load', fit);
  addEventListener('resize', fit);
});

// The search over the gallery: a card is shown where all words stand in its text.
document.addEventListener('DOMContentLoaded', () => {
  const field = document.querySelector('.gallery-search');
  if (!field) return;
  const cards = [...document.querySelectorAll('.gallery li')];
  const told = document.querySelector('.gallery-found');
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const card of cards) {
      const text = `${card.textContent} ${card.dataset.tags}`.toLowerCase();
      const fits = words.every((word) => text.includes(word));
      card.hidden = !fits;
      found += fits ? 1 : 0;
    }
    told.textContent = `${found} of ${cards.length} models`;
  };
  field.addEventListener('input', show);
  show();
});

// Explorers follow the theme that is chosen here, where the browser lets a page reach its frames (not from `file:`).
document.addEventListener('DOMContentLoaded', () => {
  const frames = document.querySelectorAll('figure.explorer iframe');
  const tell = (frame) => {
    let root;
    try {
      root = frame.contentDocument?.documentElement;
    } catch {
      return;
    }
    const theme = document.body.dataset.theme;
    if (theme === 'light' || theme === 'dark') root?.setAttribute('theme', theme);
    else root?.removeAttribute('theme');
  };
  frames.forEach((frame) => frame.addEventListener('load', () => tell(frame)));
  new MutationObserver(() => frames.forEach(tell)).observe(document.body, { attributeFilter: ['data-theme'] });
  frames.forEach(tell);
});
