// The flame graph: boxes on a canvas, drawn as far as they can be seen.

const ROW = 19;

/** The colour of a finding, here and in the other charts. */
function findingColor(finding) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--finding-${finding}`).trim();
}

class Flame {
  /** `changed` is called after a zoom or a move, `describe` says a box in words, `size` what it holds. */
  constructor(canvas, changed, describe, size) {
    this.canvas = canvas;
    this.changed = changed;
    this.describe = describe;
    this.size = size;
    this.view = null;
    this.focus = null;
    this.selected = null;
    this.matches = null;
    this.isSigned = false;
    this.boxes = [];
    canvas.addEventListener("click", (event) => this.#click(event));
    canvas.addEventListener("mousemove", (event) => this.#hover(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Shows a view; stays at the functions that were zoomed to, as far as they are still there. */
  show(view, isSigned) {
    const path = this.focus && this.view && this.view.isInverted === view.isInverted ? this.path(this.focus) : [];
    this.view = view;
    this.isSigned = isSigned;
    this.focus = view.root;
    for (const box of path.slice(1)) {
      const next = view.children(this.focus).find((child) => child.name === box.name);
      if (next === undefined) break;
      this.focus = next;
    }
    this.selected = this.focus;
    this.draw();
  }

  /** From the whole to a box. */
  path(box) {
    const path = [];
    for (let at = box; at !== null; at = at.parent) path.unshift(at);
    return path;
  }

  zoom(box) {
    this.focus = box;
    this.selected = box;
    this.draw();
    this.changed();
  }

  /** Zooms to the functions named, from the outermost inward, as far as they are there. */
  go(names) {
    let box = this.view.root;
    for (const name of names) {
      const next = this.view.children(box).find((child) => child.name === name);
      if (next === undefined) break;
      box = next;
    }
    this.zoom(box);
  }

  zoomOut() {
    if (this.focus.parent !== null) this.zoom(this.focus.parent);
  }

  select(box) {
    if (box === undefined || box === null) return;
    this.selected = box;
    this.draw();
    this.changed();
  }

  /** What can be seen, in order: [box, x, y, width], in CSS pixels. */
  #layout(width) {
    const above = this.path(this.focus);
    const boxes = above.map((box, row) => [box, 0, row * ROW, width]);
    const pending = [[this.focus, 0, width, above.length]];
    while (pending.length > 0) {
      const [box, x, room, row] = pending.pop();
      const scale = room / box.weight;
      let at = x;
      for (const child of this.view.children(box)) {
        const wide = child.weight * scale;
        if (wide < 0.4) {
          at += wide;
          continue;
        }
        boxes.push([child, at, row * ROW, wide]);
        pending.push([child, at, wide, row + 1]);
        at += wide;
      }
    }
    return boxes;
  }

  draw() {
    const canvas = this.canvas;
    const width = canvas.clientWidth;
    if (this.view === null || width === 0) return;
    this.boxes = this.view.root.weight > 0 ? this.#layout(width) : [];
    const rows = this.boxes.reduce((most, box) => Math.max(most, box[2]), 0) / ROW + 1;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    const height = Math.max(2, Math.min(rows, 800)) * ROW;
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "12px ui-monospace, monospace";
    context.textBaseline = "middle";
    const style = getComputedStyle(document.documentElement);
    const [ink, mark] = ["--ink", "--mark"].map((name) => style.getPropertyValue(name).trim());
    const isDark = document.documentElement.dataset.theme === "dark";
    this.colors = this.view.tree.findings.map((_, finding) => findingColor(finding));
    const letter = context.measureText("m").width;
    if (this.boxes.length === 0) {
      context.fillStyle = ink;
      context.fillText("nothing to show: choose another measure, or other moments", 4, ROW / 2);
    }
    const ancestors = new Set(this.path(this.focus).slice(0, -1));
    for (const [box, x, y, wide] of this.boxes) {
      const isMatch = this.matches !== null && box.label >= 0 && this.matches[box.label] === 1;
      const isFaint = ancestors.has(box) || (this.matches !== null && !isMatch);
      context.globalAlpha = isFaint ? 0.45 : 1;
      context.fillStyle = isMatch ? mark : this.#color(box, isDark);
      context.fillRect(x, y, Math.max(0.5, wide - 0.6), ROW - 1);
      const letters = Math.floor((wide - 6) / letter);
      if (letters >= 3) {
        context.fillStyle = isMatch && !isDark ? "#fff" : isDark && !isMatch ? "#f2f2f2" : "#111";
        context.fillText(this.#label(box, letters), x + 3, y + ROW / 2);
      }
      context.globalAlpha = 1;
      if (box === this.selected) {
        context.strokeStyle = ink;
        context.lineWidth = 1.5;
        context.strokeRect(x + 0.75, y + 0.75, Math.max(1, wide - 2), ROW - 2.5);
      }
    }
  }

  /** What stands in a box: its name and size, or as much of the name as fits. */
  #label(box, letters) {
    const short = box.label < 0 ? "" : this.view.tree.shorts[box.label];
    const size = this.size(box);
    const name = nameForms(box.name, short).find((form) => form.length + 1 + size.length <= letters);
    if (name !== undefined) return `${name} ${size}`;
    const sign = !this.isSigned ? "" : box.value < 0 ? "-" : "+";
    return sign + fitted(box.name, short, letters - sign.length);
  }

  #color(box, isDark) {
    if (box.finding >= 0) return this.colors[box.finding];
    if (this.isSigned) {
      const strength = box.weight > 0 ? Math.min(1, Math.abs(box.value) / box.weight) : 0;
      const hue = box.value < 0 ? 212 : 8;
      return `hsl(${hue} ${Math.round(10 + 40 * strength)}% ${isDark ? 36 : 78}%)`;
    }
    if (box.label < 0) return isDark ? "#4a4f57" : "#cfd3d9";
    let hash = 5381;
    for (let index = 0; index < box.name.length; index++) hash = (hash * 33 + box.name.charCodeAt(index)) >>> 0;
    // Where something grows, that alone has a strong colour.
    const isPlain = this.view.tree.findings.length > 0;
    return `hsl(${14 + hash % 38} ${isPlain ? 14 : isDark ? 48 : 78}% ${(isDark ? 33 : isPlain ? 80 : 66) + (hash >>> 8) % 9}%)`;
  }

  #at(event) {
    const frame = this.canvas.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    return this.boxes.find(([, left, top, wide]) => x >= left && x < left + wide && y >= top && y < top + ROW)?.[0];
  }

  #click(event) {
    const box = this.#at(event);
    if (box !== undefined) this.zoom(box);
  }

  #hover(event) {
    const box = this.#at(event);
    this.canvas.title = box === undefined ? "" : this.describe(box);
  }

  #key(event) {
    const box = this.selected;
    const siblings = box.parent === null ? [box] : this.view.children(box.parent);
    const place = siblings.indexOf(box);
    switch (event.key) {
      case "ArrowDown": this.select(this.view.children(box)[0]); break;
      case "ArrowUp": this.select(box.parent); break;
      case "ArrowRight": this.select(siblings[place + 1]); break;
      case "ArrowLeft": this.select(siblings[place - 1]); break;
      case "Enter": this.zoom(box); break;
      case "Escape": case "Backspace": this.zoomOut(); break;
      case "Home": this.zoom(this.view.root); break;
      default: return;
    }
    event.preventDefault();
  }
}
