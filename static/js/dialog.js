// [data-open-dialog="id"] opens a <dialog>, [data-close-dialog] or a click beside it closes it.
document.addEventListener('click', (event) => {
  const opener = event.target.closest('[data-open-dialog]');
  if (opener) document.getElementById(opener.dataset.openDialog)?.showModal();
  else if (event.target.closest('[data-close-dialog]')) event.target.closest('dialog')?.close();
  else if (event.target.matches('dialog[open]') && event.target.id !== 'confirm') event.target.close();
  // The mobile drawer and the menus close once something in them was chosen.
  const popover = event.target.closest('.menu[popover], .sidebar[popover]');
  if (popover?.matches(':popover-open') && event.target.closest('a, [data-palette], .menu button')) popover.hidePopover();
});
