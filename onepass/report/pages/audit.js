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
const map = document.querySelector(".map");
const dots = [...map.querySelectorAll("circle")];
const picture = map.querySelector(".pointed img");
let here = -1;
const point = number => {
  if (number < 0 || number >= dots.length) return;
  dots[here]?.classList.remove("here");
  here = number;
  const dot = dots[here];
  dot.classList.add("here");
  picture.hidden = dot.dataset.picture === "";
  picture.src = dot.dataset.picture;
  picture.alt = dot.dataset.file;
  map.querySelector(".pointed .label").textContent = dot.dataset.label;
  map.querySelector(".pointed .note").textContent = dot.dataset.file;
};
map.addEventListener("pointerover", event => point(dots.indexOf(event.target)));
map.addEventListener("keydown", event => {
  const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
  if (step) {
    event.preventDefault();
    point(here < 0 ? 0 : here + step);
  }
});
refresh();
