// Verdict, call sites, phases, process: text, built node by node so that no name can be taken for markup.

/** Findings that are open before somebody asks for more. */
const USUAL_FINDINGS = 10;
/** Functions of a way that is open before somebody asks for it. */
const USUAL_WAY = 12;

function element(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) node.setAttribute(key, value);
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
}

function sparkline(series, most) {
  const width = 6;
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${series.values.length * width} 20`);
  svg.setAttribute("width", series.values.length * width);
  svg.setAttribute("role", "img");
  const last = series.values[series.values.length - 1] ?? 0;
  svg.setAttribute("aria-label", `${series.name || "in use over time"}: ${amount(series.values[0] ?? 0, "bytes")} to ${amount(last, "bytes")}`);
  series.values.forEach((value, index) => {
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const tall = Math.max(1, value / Math.max(1, most) * 19);
    for (const [key, size] of Object.entries({ x: index * width, y: 20 - tall, width: width - 1, height: tall })) bar.setAttribute(key, size);
    svg.append(bar);
  });
  return svg;
}

/** `number`: among the findings. */
function siteArticle(site, look, number) {
  const title = (site.short === site.name ? "" : site.name + ": ") + "look at it in the flame graph";
  const button = element("button", { type: "button", class: "name", title }, site.short);
  button.addEventListener("click", () => look(site));
  const finding = page.tree.findings.indexOf(page.data.sites.indexOf(site));
  const color = finding < 0 ? {} : { style: `border-left-color: var(--finding-${finding})` };
  const article = element("article", { class: "site" + (site.growing ? " is-growing" : ""), ...color },
    element("h3", {},
      number ? element("span", {}, String(number)) : null,
      site.rate ? element("span", { class: "rate" }, site.rate) : null,
      button, element("span", {}, site.place),
      element("span", { class: "size" }, site.size),
      element("span", { class: "certainty" }, site.certainty)));
  if (site.series.length > 0 && (site.growing || site.acquitted || site.undecided)) {
    const most = Math.max(...site.series.flatMap((series) => series.values));
    article.append(element("p", { class: "sparks" }, ...site.series.map((series) => element("span", {}, `${series.name} `, sparkline(series, most)))));
  }
  if (site.evidence) article.append(element("p", {}, site.evidence));
  for (const note of site.notes) article.append(element("p", {}, note));
  if (site.whereabouts) article.append(element("p", {}, site.whereabouts));
  if (site.distinction) article.append(element("p", {}, site.distinction));
  if (site.way) {
    const details = element("details", number === 1 && site.way.length <= USUAL_WAY ? { open: "" } : {},
      element("summary", {}, `the way there (${site.way.length} ${site.way.length === 1 ? "function" : "functions"})`));
    details.append(element("ol", { class: "way" }, ...site.way.map((frame) => element("li", {}, frame))));
    article.append(details);
  }
  if (site.source && site.source.length > 0) {
    const lines = site.source.map((line) => {
      const text = `${line.blamed ? "▶" : " "}${String(line.line).padStart(6)} │ ${line.text}\n`;
      return line.blamed ? element("b", {}, text) : text;
    });
    article.append(element("pre", { "aria-label": "source" }, ...lines));
  }
  if (site.next) article.append(step(`next: ${site.next}`));
  return article;
}

/** A command with what stands before it: `next: silt report …`. */
function step(line) {
  const start = line.indexOf(": silt ") + 2;
  return start < 2 ? element("p", {}, line)
    : element("p", {}, line.slice(0, start), element("code", { class: "next" }, line.slice(start)));
}

/** What the colours of the timeline mean. */
function showLegend() {
  const entry = (color, text) => element("span", {}, element("i", { style: `background: var(${color})` }), text);
  const findings = page.tree.findings.map((place, finding) => entry(`--finding-${finding}`, page.data.sites[place].short));
  const shown = timeline.data;
  const rss = shown.rss.some((value) => value > 0) ? [entry("--rss", "resident memory (RSS)")] : [];
  const parts = shown.parts.filter((part) => part.use !== "live").map((part) => entry(`--use-${part.use}`, part.name));
  document.getElementById("legend").replaceChildren(...findings, entry("--heap", findings.length > 0 ? "the rest" : shown.name), ...parts, ...rss);
}

function showText(data, look) {
  const put = (id, ...children) => document.getElementById(id).replaceChildren(...children);
  put("command", data.command);
  const verdict = document.getElementById("verdict");
  verdict.textContent = data.headline;
  verdict.className = data.verdict;
  put("answer", data.answer ?? "");
  const growing = data.sites.filter((site) => site.growing && !site.part_of);
  const rest = data.sites.filter((site) => !site.growing);
  const undecided = rest.filter((site) => site.undecided);
  const acquitted = rest.filter((site) => site.acquitted && !site.undecided);
  const others = rest.filter((site) => !site.acquitted && !site.undecided);
  const articles = growing.map((site, index) => siteArticle(site, look, index + 1));
  const isOpen = document.getElementById("more-growing")?.open;
  const more = articles.slice(USUAL_FINDINGS);
  const hidden = more.length === 0 ? [] : [element("details", { id: "more-growing", ...(isOpen ? { open: "" } : {}) },
    element("summary", {}, `${more.length} more that ${more.length === 1 ? "grows" : "grow"}`), ...more)];
  const none = data.verdict === "inconclusive" ? "none that was seen" : "none";
  put("growing", ...(articles.length > 0 ? articles.slice(0, USUAL_FINDINGS) : [element("p", {}, none)]), ...hidden);
  put("next", ...data.next.map(step));
  for (const [id, sites, title] of [
    ["undecided", undecided, "not decided"], ["acquitted", acquitted, "looked suspicious, cleared"],
    ["others", others, "other call sites"],
  ]) {
    const count = sites.length + (id === "others" ? data.more_sites : 0);
    put(id + "-title", `${count} ${count === 1 ? title.replace("sites", "site") : title}`);
    put(id, ...sites.map((site) => siteArticle(site, look)));
    document.getElementById(id + "-part").hidden = sites.length === 0;
  }
  put("phases");
  if (data.phases.length > 0) {
    const rows = data.phases.map((phase) => element("tr", {}, element("td", {}, phase.name),
      element("td", { class: phase.verdict }, phase.problem && phase.verdict === "inconclusive" ? phase.problem : phase.verdict.replace("-", " ")),
      element("td", {}, phase.size)));
    put("phases", element("table", { class: "phases" },
      element("thead", {}, element("tr", {}, ...["phase", "verdict", "measured"].map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows)));
  }
  put("process", ...data.process.map((line) => element("p", {}, line)), element("p", {}, data.trust));
}
