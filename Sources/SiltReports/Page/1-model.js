// The page's data, and what is computed of it. Nothing here touches the document.

/** `1.23 MiB`, `345 B`; signed where a difference is shown. */
function amount(value, unit, signed) {
  const sign = value < 0 ? "-" : signed ? "+" : "";
  let size = Math.abs(value);
  if (unit === "count") return sign + Math.round(size).toLocaleString("en");
  for (const name of ["B", "KiB", "MiB", "GiB", "TiB"]) {
    if (size < 1023.5 || name === "TiB") {
      const digits = name === "B" ? 0 : size < 9.995 ? 2 : size < 99.95 ? 1 : 0;
      return sign + size.toFixed(digits) + " " + name;
    }
    size /= 1024;
  }
}

/** As much of a name as fits: all, the short one, its function alone, or that with a gap in it. */
function fitted(name, short, letters) {
  const forms = nameForms(name, short);
  const text = forms.find((form) => form.length <= letters);
  if (text !== undefined) return text;
  const bare = forms[forms.length - 1];
  const end = Math.max(0, Math.floor((letters - 2) / 2));
  return bare.slice(0, letters - 1 - end) + "…" + bare.slice(bare.length - end);
}

/** A name at full length, and shorter ones. */
function nameForms(name, short) {
  return short ? [name, short, short.split("::").pop()] : [name];
}

/** `12 %`; never 0 % of something. */
function share(part, whole) {
  if (!(whole > 0)) return "0%";
  const percent = 100 * Math.abs(part) / whole;
  return percent > 0 && percent < 0.1 ? "<0.1%" : percent.toFixed(percent < 10 ? 1 : 0) + "%";
}

/** Up to six round values from 0 to `most`: of bytes in powers of 2, of a count in tens, of seconds in those of clocks. */
function ticks(most, unit) {
  const wanted = most / 5;
  let step = 1;
  if (unit === "bytes") {
    while (step < wanted) step *= 2;
  } else if (unit === "count") {
    const power = 10 ** Math.max(0, Math.floor(Math.log10(wanted)));
    step = power * [1, 2, 5, 10].find((size) => size * power >= wanted);
  } else {
    step = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200].find((size) => size >= wanted)
      ?? 86400 * Math.ceil(wanted / 86400);
  }
  const values = [];
  for (let value = 0; value <= most * 1.0001; value += step) values.push(value);
  return values;
}

/** `1.5 s`, `2:30 min`, `3:00 h`. */
function clock(seconds) {
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  if (seconds < 60) return `${Number(seconds.toFixed(2))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${two(seconds % 60)} min`;
  return `${Math.floor(seconds / 3600)}:${two(seconds % 3600 / 60)} h`;
}

/** Stacks as a tree of functions: arrays by node, 0 the root, parents before their children. */
class Tree {
  constructor(data) {
    this.names = data.names;
    this.shorts = data.shorts;
    this.files = data.files;
    this.parents = Int32Array.from(data.parents);
    this.labels = Int32Array.from(data.labels);
    this.measures = { inuse: data.inuse, alloc: data.alloc, peak: data.peak };
    this.courseNodes = data.course_nodes;
    this.course = data.course;
    this.courseEnded = data.course_ended;
    this.findingNodes = data.finding_nodes;
    this.findingSites = data.finding_sites;
    /** Places of the first growing sites in the report: a finding's number here is its place in this. */
    this.findings = [...new Set(data.finding_sites)].sort((a, b) => a - b).slice(0, 8);
    const count = this.parents.length;
    this.firstChild = new Int32Array(count).fill(-1);
    this.nextSibling = new Int32Array(count).fill(-1);
    for (let node = count - 1; node > 0; node--) {
      this.nextSibling[node] = this.firstChild[this.parents[node]];
      this.firstChild[this.parents[node]] = node;
    }
  }

  /** The finding whose blocks end at each node; -1: none. */
  get findingOf() {
    if (this.findingByNode === undefined) {
      this.findingByNode = new Int32Array(this.parents.length).fill(-1);
      this.findingNodes.forEach((node, index) => { this.findingByNode[node] = this.findings.indexOf(this.findingSites[index]); });
    }
    return this.findingByNode;
  }

  /** By finding: what its stacks held at each moment, in processes that had not ended. */
  findingCourses() {
    const sums = this.findings.map(() => new Float64Array(this.course[0]?.length ?? 0));
    this.courseNodes.forEach((node, index) => {
      const finding = this.findingOf[node];
      const ended = this.courseEnded[index];
      if (finding >= 0) this.course[index].forEach((value, moment) => { sums[finding][moment] += value - (ended[moment] ?? 0); });
    });
    return sums;
  }

  /** The moment at which something first was below each node; the number of moments where nothing was. */
  firstMoments() {
    if (this.firsts === undefined) {
      const none = this.course[0]?.length ?? 0;
      this.firsts = new Int32Array(this.parents.length).fill(none);
      this.courseNodes.forEach((node, index) => {
        const first = this.course[index].findIndex((value) => value > 0);
        if (first >= 0) this.firsts[node] = Math.min(this.firsts[node], first);
      });
      for (let node = this.firsts.length - 1; node > 0; node--) {
        this.firsts[this.parents[node]] = Math.min(this.firsts[this.parents[node]], this.firsts[node]);
      }
    }
    return this.firsts;
  }

  /** What ends at each node: a measure, or what was gained from one moment to another. */
  own(measure, from, to) {
    const own = new Float64Array(this.parents.length);
    if (measure !== "growth") {
      own.set(this.measures[measure]);
    } else {
      for (let index = 0; index < this.courseNodes.length; index++) {
        own[this.courseNodes[index]] += this.course[index][to] - this.course[index][from];
      }
    }
    return own;
  }

  /** Sums over each node and all below it. */
  sums(own) {
    const sums = Float64Array.from(own);
    for (let node = sums.length - 1; node > 0; node--) sums[this.parents[node]] += sums[node];
    return sums;
  }
}

/**
 * A way to look at a tree: boxes with children, from the outermost function inward or inverted.
 *
 * A box has a name, a weight that its width goes by, a value that may be negative, and the finding that has most of its
 * weight (-1: none has half of it). Children are made when they are asked for, the heaviest first or in the order in which
 * they first held something.
 */
class View {
  constructor(tree, measure, from, to, isInverted, isByTime = false) {
    this.tree = tree;
    this.isInverted = isInverted;
    this.isByTime = isByTime;
    const own = tree.own(measure, from, to);
    this.ownValues = own;
    this.ownWeights = own.map(Math.abs);
    this.values = tree.sums(own);
    this.weights = tree.sums(this.ownWeights);
    this.findingWeights = tree.findings.map((_, finding) =>
      tree.sums(this.ownWeights.map((weight, node) => tree.findingOf[node] === finding ? weight : 0)));
    this.root = {
      label: -1, name: "all", weight: this.weights[0], value: this.values[0], finding: -1, first: 0, entries: null, children: null,
      parent: null,
    };
  }

  children(box) {
    if (box.children === null) box.children = this.#group(box);
    return box.children;
  }

  #group(parent) {
    const tree = this.tree;
    const byLabel = new Map();
    const firsts = this.isByTime ? tree.firstMoments() : null;
    const parts = new Map();
    // `leaf`: where an inverted view began, whose finding goes with the weight; -1 in the other view.
    const add = (node, weight, value, leaf) => {
      if (!(weight > 0)) return;
      const label = tree.labels[node];
      let box = byLabel.get(label);
      if (box === undefined) {
        box = { label, name: tree.names[label], weight: 0, value: 0, finding: -1, first: Infinity, entries: [], children: null, parent };
        byLabel.set(label, box);
        parts.set(box, new Float64Array(tree.findings.length));
      }
      box.weight += weight;
      box.value += value;
      if (firsts !== null) box.first = Math.min(box.first, firsts[leaf < 0 ? node : leaf]);
      const sums = parts.get(box);
      if (leaf < 0) this.findingWeights.forEach((weights, finding) => { sums[finding] += weights[node]; });
      else if (tree.findingOf[leaf] >= 0) sums[tree.findingOf[leaf]] += weight;
      box.entries.push(node, weight, value, leaf);
    };
    const addChildren = (node) => {
      for (let child = tree.firstChild[node]; child >= 0; child = tree.nextSibling[child]) {
        add(child, this.weights[child], this.values[child], -1);
      }
    };
    if (parent.entries === null) {
      if (!this.isInverted) addChildren(0);
      else for (let node = 1; node < tree.parents.length; node++) add(node, this.ownWeights[node], this.ownValues[node], node);
    } else {
      for (let index = 0; index < parent.entries.length; index += 4) {
        const [node, weight, value, leaf] = parent.entries.slice(index, index + 4);
        if (!this.isInverted) addChildren(node);
        else if (tree.parents[node] !== 0) add(tree.parents[node], weight, value, leaf);
      }
    }
    for (const [box, sums] of parts) box.finding = sums.findIndex((sum) => sum > box.weight / 2);
    return [...byLabel.values()].sort((a, b) =>
      (this.isByTime ? a.first - b.first : 0) || b.weight - a.weight || (a.name < b.name ? -1 : 1));
  }

  /** Which labels contain the text, whatever its case; null for no text. */
  matches(text) {
    if (text === "") return null;
    const wanted = text.toLowerCase();
    return Uint8Array.from(this.tree.names, (name) => name.toLowerCase().includes(wanted) ? 1 : 0);
  }

  /** The weight of all stacks that go through a function that matches. */
  matchedWeight(matches) {
    const tree = this.tree;
    const isBelow = new Uint8Array(tree.parents.length);
    let sum = 0;
    for (let node = 1; node < isBelow.length; node++) {
      const parent = tree.parents[node];
      isBelow[node] = isBelow[parent] || (parent !== 0 && matches[tree.labels[parent]]) ? 1 : 0;
      if (!isBelow[node] && matches[tree.labels[node]]) sum += this.weights[node];
    }
    return sum;
  }

  /** By function: what it holds itself and with all it calls, the most first. */
  functions(limit) {
    const tree = this.tree;
    const flat = new Float64Array(tree.names.length);
    const cumulative = new Float64Array(tree.names.length);
    const depth = new Int32Array(tree.names.length);
    const pending = [0];
    while (pending.length > 0) {
      const node = pending.pop();
      if (node < 0) {
        depth[tree.labels[-node]]--;
        continue;
      }
      if (node > 0) {
        const label = tree.labels[node];
        flat[label] += this.ownValues[node];
        if (depth[label] === 0) cumulative[label] += this.values[node];
        depth[label]++;
        pending.push(-node);
      }
      for (let child = tree.firstChild[node]; child >= 0; child = tree.nextSibling[child]) {
        if (this.weights[child] > 0) pending.push(child);
      }
    }
    return [...flat.keys()].filter((label) => cumulative[label] !== 0 || flat[label] !== 0)
      .sort((a, b) => Math.abs(flat[b]) - Math.abs(flat[a]) || Math.abs(cumulative[b]) - Math.abs(cumulative[a]))
      .slice(0, limit)
      .map((label) => ({ name: tree.names[label], flat: flat[label], cumulative: cumulative[label] }));
  }
}
