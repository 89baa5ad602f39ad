// Runs before the first paint (blocking and tiny), so a chosen theme never flashes.
// The toggle's choice holds on this device until the account's own setting changes.
(() => {
  try {
    const root = document.documentElement;
    const [theme, account] = (localStorage.getItem('theme') || '').split(' ');
    if ((theme === 'light' || theme === 'dark') && (account || 'system') === (root.dataset.accountTheme || account || 'system')) root.dataset.theme = theme;
  } catch { /* storage can be switched off; the system theme is used then */ }
})();
