// The live heap, or another resource, over time, the findings' shares in their colours, resident memory and what it is for on the
// same scale; dragging chooses a span.

const LANE = 16;
const MOST_LANES = 8;

/** By column: all uses of memory together. */
function sums(parts) {
  return (parts[0]?.values ?? []).map((_, column) => parts.reduce((sum, part) => sum + part.values[column], 0));
}

class Timeline {
  /** `chosen(from, to)` gets two times in seconds. */
  constructor(canvas, chosen) {
    this.canvas = canvas;
    this.chosen = chosen;
    this.data = null;
    this.range = null;
    this.dragStart = null;
    /** Where the axis of time begins, in CSS pixels. */
    this.left = 0;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", () => { this.dragStart = null; });
  }

  show(data, range) {
    this.data = data;
    this.range = range;
    this.draw();
  }

  #seconds(event) {
    const frame = this.canvas.getBoundingClientRect();
    const part = Math.min(1, Math.max(0, (event.clientX - frame.left - this.left) / (frame.width - this.left)));
    return this.data.start + part * (this.data.end - this.data.start);
  }

  #down(event) {
    this.dragStart = this.#seconds(event);
    this.canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    if (this.dragStart === null) return;
    const now = this.#seconds(event);
    this.range = [Math.min(this.dragStart, now), Math.max(this.dragStart, now)];
    this.draw();
  }

  #up(event) {
    if (this.dragStart === null) return;
    const now = this.#seconds(event);
    const [from, to] = [Math.min(this.dragStart, now), Math.max(this.dragStart, now)];
    this.dragStart = null;
    if (to - from > (this.data.end - this.data.start) / 200) this.chosen(from, to);
    else this.draw();
  }

  draw() {
    const { canvas, data } = this;
    const lanes = data === null ? [] : [...new Set(data.spans.map((span) => span.name))];
    canvas.style.height = `${200 + LANE * Math.min(lanes.length, MOST_LANES)}px`;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (data === null || width === 0 || data.inuse.length === 0) return;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.font = "11px system-ui, sans-serif";
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const floor = height - 18 - LANE * Math.min(lanes.length, MOST_LANES);
    const most = Math.max(1, ...data.inuse, ...data.rss, ...sums(data.parts));
    const marks = ticks(most, data.unit);
    this.left = Math.max(...marks.map((value) => context.measureText(amount(value, data.unit)).width)) + 8;
    const scale = {
      x: (seconds) => this.left + (seconds - data.start) / (data.end - data.start) * (width - this.left),
      column: (column) => this.left + column / data.inuse.length * (width - this.left),
      y: (value) => floor - value / most * (floor - 8),
      floor, width,
    };
    this.#axes(context, color, scale, marks);
    this.#parts(context, color, scale);
    this.#area(context, color("--heap"), data.inuse.map((_, column) => scale.column(column + 0.5)), data.inuse, null, scale);
    this.#findings(context, scale);
    if (data.rss.some((value) => value > 0)) {
      context.strokeStyle = color("--rss");
      context.lineWidth = 1.5;
      context.beginPath();
      data.rss.forEach((value, column) => context.lineTo(scale.column(column + 0.5), scale.y(value)));
      context.stroke();
      context.lineWidth = 1;
    }
    this.#lanes(context, color, scale, lanes);
    if (this.range !== null) this.#shade(context, color, scale);
  }

  /** Fills what lies between two courses; `below` null: down to the floor. */
  #area(context, color, xs, above, below, scale) {
    context.fillStyle = color;
    context.beginPath();
    xs.forEach((x, index) => context.lineTo(x, scale.y(above[index])));
    for (let index = xs.length - 1; index >= 0; index--) context.lineTo(xs[index], scale.y(below === null ? 0 : below[index]));
    context.fill();
  }

  /** What resident memory is for, one use on top of the other; the live heap is drawn over the first. */
  #parts(context, color, scale) {
    const xs = this.data.inuse.map((_, column) => scale.column(column + 0.5));
    let below = new Array(xs.length).fill(0);
    for (const part of this.data.parts) {
      const above = below.map((value, column) => value + part.values[column]);
      this.#area(context, color(`--use-${part.use}`), xs, above, below, scale);
      below = above;
    }
  }

  /** Each finding's share on top of those before it, at the moments that the recording knows. */
  #findings(context, scale) {
    const { courses, moments } = this.data;
    const xs = moments.map((moment) => scale.x(Math.min(Math.max(moment.seconds, this.data.start), this.data.end)));
    let below = new Float64Array(xs.length);
    courses.forEach((course, finding) => {
      const above = below.map((value, moment) => value + course[moment]);
      this.#area(context, findingColor(finding), xs, above, below, scale);
      below = above;
    });
  }

  #axes(context, color, scale, marks) {
    const { data } = this;
    context.textBaseline = "middle";
    for (const value of marks) {
      context.fillStyle = color("--line");
      context.fillRect(this.left, Math.round(scale.y(value)), scale.width - this.left, 1);
      context.fillStyle = color("--faint");
      const text = amount(value, data.unit);
      context.fillText(text, this.left - 4 - context.measureText(text).width, Math.max(6, scale.y(value)));
    }
    context.textBaseline = "top";
    for (const seconds of ticks(data.end - data.start, "seconds")) {
      const [x, text] = [scale.x(data.start + seconds), clock(seconds)];
      context.fillStyle = color("--line");
      context.fillRect(x, scale.floor, 1, 4);
      context.fillStyle = color("--faint");
      context.fillText(text, Math.min(x + 2, scale.width - context.measureText(text).width), scale.floor + 4);
    }
  }

  #shade(context, color, scale) {
    const [left, right] = this.range.map(scale.x);
    // What is not chosen is faint; what is keeps its colours.
    context.fillStyle = color("--paper");
    context.globalAlpha = 0.65;
    context.fillRect(this.left, 0, left - this.left, scale.floor);
    context.fillRect(right, 0, scale.width - right, scale.floor);
    context.globalAlpha = 1;
    context.fillStyle = color("--accent");
    context.fillRect(left, 0, 1, scale.floor);
    context.fillRect(right - 1, 0, 1, scale.floor);
  }

  /** Phases and marks below the axis, each name in a lane of its own. */
  #lanes(context, color, scale, lanes) {
    context.textBaseline = "middle";
    for (const span of this.data.spans) {
      const top = scale.floor + 18 + LANE * (lanes.indexOf(span.name) % MOST_LANES);
      const [left, right] = [scale.column(span.first), scale.column(span.last + 1)];
      context.fillStyle = color("--line");
      context.fillRect(left, top + 1, Math.max(2, right - left - 1), LANE - 2);
      context.fillStyle = color("--ink");
      const wide = context.measureText(span.name).width;
      context.fillText(span.name, Math.min(left + 4, scale.width - wide - 2), top + LANE / 2);
    }
  }
}
