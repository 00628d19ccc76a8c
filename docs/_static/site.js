// What the theme leaves out for keyboards and screen readers.
document.addEventListener('DOMContentLoaded', () => {
  for (const caption of document.querySelectorAll('.caption[role="heading"]:not([aria-level])')) {
    caption.setAttribute('aria-level', '2');
  }
  // Code that is wider than the page is scrolled by keyboard, too.
  for (const code of document.querySelectorAll('pre')) {
    if (code.scrollWidth > code.clientWidth) code.tabIndex = 0;
  }
  document.querySelector('.sidebar-drawer')?.setAttribute('aria-label', 'Pages');
  document.querySelector('.toc-drawer')?.setAttribute('aria-label', 'On this page');
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
      const text = card.textContent.toLowerCase();
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
