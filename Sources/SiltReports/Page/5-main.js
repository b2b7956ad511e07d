// What is chosen, and who has to know of it.

const page = {
  data: null, tree: null, view: null,
  measure: "inuse", isInverted: false, isByTime: false, search: "", from: 0, to: 0, isChosen: false, withMemory: true,
};
const byId = (id) => document.getElementById(id);

function describe(box) {
  const isSigned = page.measure === "growth";
  const file = box.label >= 0 ? page.tree.files[box.label] : "";
  return `${box.name}${file ? " (" + file.split("/").pop() + ")" : ""}: ${amount(box.value, page.data.unit, isSigned)}, `
    + `${share(box.weight, page.view.root.weight)} of all`;
}

const flame = new Flame(byId("flame"), showSelection, describe, (box) => amount(box.value, page.data.unit, page.measure === "growth"));
const timeline = new Timeline(byId("timeline"), (from, to) => chooseMoments(nearest(from, true), nearest(to, false)));

/** The state of the stacks' view as the fragment of an address: a link to it shows the same. */
function fragment() {
  const state = new URLSearchParams({ show: page.measure });
  if (page.isChosen && page.data.moments.length > 1) {
    state.set("from", page.from);
    state.set("to", page.to);
  }
  if (page.isByTime) state.set("order", "time");
  if (page.isInverted) state.set("inverted", "1");
  if (page.search) state.set("search", page.search);
  state.set("memory", page.withMemory ? "1" : "0");
  for (const box of flame.path(flame.focus).slice(1)) state.append("at", box.name);
  return "#" + state;
}

/** Takes what a fragment says, as far as it fits this page. */
function restore(text) {
  const state = new URLSearchParams(text.replace(/^#/, ""));
  if (!["inuse", "alloc", "peak", "growth"].includes(state.get("show"))) return;
  page.measure = state.get("show");
  const [from, to] = [Number(state.get("from") ?? NaN), Number(state.get("to") ?? NaN)];
  page.isChosen = Number.isInteger(from) && Number.isInteger(to) && from >= 0 && to > from && to < page.data.moments.length;
  if (page.isChosen) [page.from, page.to] = [from, to];
  if (page.measure === "growth" && page.data.moments.length < 2) page.measure = "inuse";
  page.isByTime = state.get("order") === "time";
  page.isInverted = state.get("inverted") === "1";
  page.search = state.get("search") ?? "";
  if (state.has("memory")) page.withMemory = state.get("memory") === "1";
  flame.focus = null;
  showChoices();
  recut();
  flame.go(state.getAll("at"));
}

/** What the controls show is what is chosen. */
function showChoices() {
  byId("measure").value = page.measure;
  byId("order").value = page.isByTime ? "time" : "weight";
  byId("inverted").checked = page.isInverted;
  byId("search").value = page.search;
  byId("memory").checked = page.withMemory;
  if (page.data.moments.length > 1) [byId("from").value, byId("to").value] = [String(page.from), String(page.to)];
}

/** Where growth is shown from unless somebody chooses: behind the start of a trace that ran freely. */
function firstMoment() {
  const { moments, is_hunt: isHunt } = page.data;
  const [start, end] = [moments[0].seconds, moments[moments.length - 1].seconds];
  return isHunt || page.tree.findings.length === 0 ? 0 : nearest(start + (end - start) / 4, true);
}

/** Whether what grows can be seen on the scale of resident memory: the heap alone is shown where it is a small part of that. */
function showsMemory() {
  const { inuse, rss } = page.data.timeline;
  return page.tree.findings.length === 0 || Math.max(0, ...inuse) * 3 > Math.max(0, ...rss);
}

/** As the page opens: what grew, where something grows, without what the start took. */
function open() {
  const { data, tree } = page;
  [page.isInverted, page.isByTime, page.search, page.isChosen] = [false, false, "", false];
  page.withMemory = showsMemory();
  const last = data.moments.length - 1;
  [page.from, page.to] = [0, Math.max(0, last)];
  if (tree.findings.length > 0 && last > 0) {
    page.measure = "growth";
    page.from = firstMoment();
  } else if (data.tree.inuse.some((value) => value > 0)) {
    page.measure = "inuse";
  } else {
    page.measure = data.tree.peak.some((value) => value > 0) ? "peak" : "alloc";
  }
  flame.focus = null;
  showChoices();
  recut();
}

function showSelection() {
  byId("link").setAttribute("href", fragment());
  byId("detail").textContent = flame.selected === null ? "" : describe(flame.selected);
  byId("path").textContent = flame.path(flame.focus).map((box) => box.name).join(" → ");
}

function recut() {
  page.view = new View(page.tree, page.measure, page.from, page.to, page.isInverted, page.isByTime);
  flame.matches = page.view.matches(page.search);
  flame.show(page.view, page.measure === "growth");
  showFound();
  showSelection();
  if (byId("table-part").open) showTable();
  const moments = page.data.moments;
  const isPart = page.measure === "growth" && (page.from > 0 || page.to < moments.length - 1);
  const range = isPart ? [moments[page.from].seconds, moments[page.to].seconds] : null;
  const memory = page.withMemory ? {} : { rss: [], parts: [] };
  const courses = page.tree.findingCourses();
  timeline.show({ ...page.data.timeline, ...memory, moments, courses, unit: page.data.unit }, range);
  showLegend();
}

function showFound() {
  byId("found").textContent = flame.matches === null ? ""
    : `${share(page.view.matchedWeight(flame.matches), page.view.root.weight)} in stacks that match`;
}

function showTable() {
  const isSigned = page.measure === "growth";
  byId("table").replaceChildren(...page.view.functions(100).map((row) => element("tr", {},
    element("td", {}, row.name), element("td", {}, amount(row.flat, page.data.unit, isSigned)),
    element("td", {}, amount(row.cumulative, page.data.unit, isSigned)))));
}

/** The moment before a time, or after it. */
function nearest(seconds, isBefore) {
  const moments = page.data.moments;
  let best = isBefore ? 0 : moments.length - 1;
  moments.forEach((moment, index) => {
    if (isBefore ? moment.seconds <= seconds : moment.seconds >= seconds && index < best) best = index;
  });
  return best;
}

function chooseMoments(from, to) {
  if (page.data.moments.length < 2) return;
  [page.from, page.to] = [Math.min(from, to), Math.max(from, to)];
  if (page.from === page.to) page.to = Math.min(page.to + 1, page.data.moments.length - 1);
  if (page.from === page.to) page.from = page.to - 1;
  page.isChosen = true;
  byId("from").value = String(page.from);
  byId("to").value = String(page.to);
  chooseMeasure("growth");
}

function chooseMeasure(measure) {
  page.measure = measure;
  byId("measure").value = measure;
  recut();
}

function look(site) {
  byId("search").value = site.name;
  page.search = site.name;
  recut();
  byId("flame").scrollIntoView({ block: "center" });
  byId("flame").focus();
}

function showMoments() {
  const moments = page.data.moments;
  const hasMoments = moments.length > 1;
  const { inuse, name } = page.data.timeline;
  byId("time-part").hidden = inuse.length === 0;
  byId("time-title").textContent = `${name[0].toUpperCase()}${name.slice(1)} over time`;
  byId("timeline").setAttribute("aria-label", `${name} over time`);
  byId("range").hidden = !hasMoments;
  byId("memory-part").hidden = !page.data.timeline.rss.some((value) => value > 0);
  byId("time-hint").hidden = !hasMoments;
  byId("measure").querySelector("[value=growth]").disabled = !hasMoments;
  if (!hasMoments) return;
  if (!page.data.exact_moments) {
    byId("time-hint").textContent = "Drag over the chart, or choose two moments, to see what came between them: of what each stack "
      + "held, the recording keeps the lowest in each of these spans, so what came and went is not in it.";
  }
  const kept = [page.from, page.to].map((index) => byId("from").options[index]?.textContent);
  for (const id of ["from", "to"]) {
    byId(id).replaceChildren(...moments.map((moment, index) => element("option", { value: String(index) }, moment.name)));
  }
  const find = (name, otherwise) => {
    const index = moments.findIndex((moment) => moment.name === name);
    return index < 0 ? otherwise : index;
  };
  page.from = page.isChosen ? find(kept[0], 0) : firstMoment();
  page.to = page.isChosen ? find(kept[1], moments.length - 1) : moments.length - 1;
  byId("from").value = String(page.from);
  byId("to").value = String(page.to);
}

function show(data) {
  const isFirst = page.data === null;
  page.data = data;
  page.tree = new Tree(data.tree);
  showText(data, look);
  showMoments();
  if (!isFirst) {
    recut();
    return;
  }
  open();
  restore(location.hash);
}

byId("measure").addEventListener("change", (event) => {
  if (event.target.value === "growth") page.isChosen = true;
  chooseMeasure(event.target.value);
});
byId("inverted").addEventListener("change", (event) => { page.isInverted = event.target.checked; recut(); });
byId("search").addEventListener("input", (event) => {
  page.search = event.target.value;
  flame.matches = page.view.matches(page.search);
  flame.draw();
  showFound();
  showSelection();
});
byId("search").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.target.value = "";
  event.target.dispatchEvent(new Event("input"));
  byId("flame").focus();
});
byId("order").addEventListener("change", (event) => { page.isByTime = event.target.value === "time"; recut(); });
byId("memory").addEventListener("change", (event) => { page.withMemory = event.target.checked; recut(); });
byId("reset").addEventListener("click", open);
window.addEventListener("hashchange", () => restore(location.hash));
byId("out").addEventListener("click", () => flame.zoom(flame.view.root));
byId("from").addEventListener("change", () => chooseMoments(Number(byId("from").value), page.to));
byId("to").addEventListener("change", () => chooseMoments(page.from, Number(byId("to").value)));
byId("whole").addEventListener("click", () => { page.isChosen = false; chooseMeasure("inuse"); });
byId("table-part").addEventListener("toggle", () => { if (byId("table-part").open) showTable(); });
document.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement) return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") byId("search").focus();
  else if (event.key === "i") byId("inverted").click();
  else return;
  event.preventDefault();
});
window.addEventListener("resize", () => { flame.draw(); timeline.draw(); });

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  flame.draw();
  timeline.draw();
}
const prefersDark = window.matchMedia("(prefers-color-scheme: dark)");
setTheme(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", (event) => setTheme(event.matches ? "dark" : "light"));
byId("theme").addEventListener("click", () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));

// A page with its data shows it; a live one asks for it, again whenever there is news.
async function ask() {
  try {
    const answer = await fetch("api/page");
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    show(await answer.json());
  } catch (error) {
    byId("verdict").textContent = `no data: ${error.message}`;
  }
}
if (document.documentElement.hasAttribute("data-live")) {
  ask();
  const events = new EventSource("api/events");
  events.addEventListener("update", ask);
  events.addEventListener("error", () => { byId("keys").textContent = "the trace has ended, or its server has: this is the last that was seen"; });
} else {
  show(JSON.parse(byId("silt-data").textContent));
}

// For scripts that drive the page.
window.silt = { page, flame, timeline, chooseMoments };
