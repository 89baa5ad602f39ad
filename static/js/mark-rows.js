// Rows that are marked in a table: all at once, and how many they are. Without this each is marked by itself.
const all = () => document.querySelector("[data-mark-all]");
const rows = () => [...document.querySelectorAll("input[name=runs]")];

function show() {
  const head = all();
  if (!head) return;
  const marked = rows().filter((one) => one.checked).length;
  head.hidden = false;
  head.checked = marked > 0 && marked === rows().length;
  head.indeterminate = marked > 0 && !head.checked;
  const count = document.querySelector("[data-mark-count]");
  if (count) count.textContent = marked === 1 ? "1 run marked" : `${marked} runs marked`;
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-mark-all]")) for (const one of rows()) one.checked = event.target.checked;
  if (event.target.matches?.("[data-mark-all], input[name=runs]")) show();
});
document.addEventListener("htmx:after:swap", show);
show();
