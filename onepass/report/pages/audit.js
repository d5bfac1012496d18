const choices = [...document.querySelectorAll("select[data-hash]")];
const button = document.getElementById("download");
const counter = document.getElementById("decided");
const decided = () => new Map(choices.filter(one => one.value).map(one => [one.dataset.hash, one.value]));
const quoted = text => /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const refresh = changed => {
  // The same photo may stand out twice: one decision each.
  for (const one of choices) {
    if (changed && one !== changed && one.dataset.hash === changed.dataset.hash) {
      one.value = [...one.options].some(option => option.value === changed.value) ? changed.value : "";
    }
  }
  const count = decided().size;
  counter.textContent = count === 1 ? "1 decision" : `${count} decisions`;
  button.disabled = count === 0;
};
document.addEventListener("change", event => refresh(event.target));
button.addEventListener("click", () => {
  const lines = [...decided()].sort().map(([hash, label]) => `${hash},${quoted(label)}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(["hash,label\n", ...lines], {type: "text/csv"}));
  link.download = "fixes.csv";
  link.click();
  URL.revokeObjectURL(link.href);
});
for (const all of document.querySelectorAll("button[data-all]")) {
  all.addEventListener("click", () => {
    for (const one of document.querySelectorAll(`#${all.dataset.all} select`)) {
      one.selectedIndex = 1;
      refresh(one);
    }
  });
}
refresh();
