// Runs before the first paint (blocking and tiny), so a chosen theme never flashes.
(() => {
  try {
    const theme = localStorage.getItem('theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch { /* storage can be switched off; the system theme is used then */ }
})();
