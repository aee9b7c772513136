// Makes the page of the path that the browser is at, without asking the gateway for another one.
const CLOTHS = { linen: 'Woven from flax.', wool: 'Woven from what sheep grow.' };

function show() {
  const [, kind, name] = location.pathname.split('/');
  let text = 'Follow a link, then reload the page: the gateway has no file of that path, and answers with this page.';

  if (kind === 'cloth') text = CLOTHS[name] ?? 'There is no such cloth.';
  else if (kind) text = 'There is no such page.';
  document.getElementById('page').textContent = text;
}

document.querySelector('nav').addEventListener('click', (event) => {
  if (!event.target.href) return;
  event.preventDefault();
  history.pushState(null, '', event.target.href);
  show();
});
addEventListener('popstate', show);
show();
