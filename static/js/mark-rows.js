// Rows that are marked in a table: all at once, and how many they are. Without this each is marked by itself.
const words = { person: "people" };
const all = () => document.querySelector("[data-mark-all]");
const rows = () => [...document.querySelectorAll("input[data-mark]")];

function show() {
  const head = all();
  if (!head) return;
  const marked = rows().filter((one) => one.checked).length;
  head.hidden = false;
  head.checked = marked > 0 && marked === rows().length;
  head.indeterminate = marked > 0 && !head.checked;
  const count = document.querySelector("[data-mark-count]");
  const word = count?.dataset.markCount || "row";
  if (count) count.textContent = `${marked} ${marked === 1 ? word : words[word] || `${word}s`} marked`;
}

document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-mark-all]")) for (const one of rows()) one.checked = event.target.checked;
  if (event.target.matches?.("[data-mark-all], input[data-mark]")) show();
});
document.addEventListener("htmx:after:swap", show);
show();
