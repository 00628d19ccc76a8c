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
