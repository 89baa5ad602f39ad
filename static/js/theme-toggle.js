// [data-theme-toggle]: switch between light and dark and remember it.
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
}

export function toggleTheme() {
  const theme = isDark() ? 'light' : 'dark';
  document.documentElement.dataset.theme = theme;
  const account = document.documentElement.dataset.accountTheme || '';
  try { localStorage.setItem('theme', `${theme} ${account}`.trim()); } catch { /* it stays for this page only */ }
}

document.addEventListener('click', (event) => {
  if (event.target.closest('[data-theme-toggle]')) toggleTheme();
});
